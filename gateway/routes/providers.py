"""Providers: what the workers can call, how it has done of late, and in which order it is asked."""

from datetime import UTC, datetime

from fastapi import APIRouter

from gateway.dependencies import EngineDependency
from gateway.schemas.job import ErrorView
from gateway.schemas.provider import ChainLinkView, ChainView, ModelHealthView, ProviderList, ProviderView
from genesis.domain.identity import Milliseconds
from genesis.engine.engine import Engine
from genesis.engine.health import ModelHealth
from genesis.ports.workers import ProviderDescription, WorkerDescription

router = APIRouter(tags=["status"])


@router.get("/providers")
async def list_providers(engine: EngineDependency) -> ProviderList:
    """Lists the providers of every worker that answers, how their models have done, and the chains they stand in."""
    workers = engine.directory.known.values()
    return ProviderList(
        providers=[_provider(engine, worker.capability, one) for worker in workers for one in worker.providers],
        chains=[_chain(worker) for worker in workers],
    )


def _provider(engine: Engine, capability: str, provider: ProviderDescription) -> ProviderView:
    asked = engine.health.models(capability)
    return ProviderView(
        name=provider.name,
        capability=capability,
        configured=provider.configured,
        missing=provider.missing,
        models=[f"{provider.name}:{model}" for model in provider.models],
        any_model=provider.any_model,
        slots=provider.slots,
        in_doubt=provider.provider_class,
        health=[
            _health(engine, capability, target, health)
            for target, health in asked.items()
            if target.partition(":")[0] == provider.name
        ],
    )


def _health(engine: Engine, capability: str, target: str, health: ModelHealth) -> ModelHealthView:
    failure = health.last_failure
    return ModelHealthView(
        model=target,
        breaker=engine.breakers.state(capability, target),
        rests_until=_moment(engine.breakers.open_until(capability, target) or None),
        calls=health.calls,
        failures=health.failures,
        latency_ms=None if health.latency is None else round(health.latency, 1),
        last_success_at=_moment(health.last_success_at),
        last_failure_at=_moment(health.last_failure_at),
        last_error=ErrorView(code=failure.code, message=failure.message, hint=failure.hint) if failure else None,
    )


def _chain(worker: WorkerDescription) -> ChainView:
    usable = {link.target for link in worker.chain}
    return ChainView(
        capability=worker.capability,
        links=[
            ChainLinkView(model=link.target, group=link.group, weight=link.weight, usable=link.target in usable)
            for link in worker.links
        ],
    )


def _moment(milliseconds: Milliseconds | None) -> datetime | None:
    return None if milliseconds is None else datetime.fromtimestamp(milliseconds / 1000, UTC)
