"""How the platform is: alive, ready, and with which providers."""

from fastapi import APIRouter, Response

from gateway.dependencies import EngineDependency
from gateway.schemas.status import Health, ProviderList, ProviderView, Readiness, WorkerStatus
from genesis import __version__
from genesis.capabilities.catalog import CAPABILITIES

router = APIRouter(tags=["status"])


@router.get("/health")
async def health() -> Health:
    """Says that the gateway lives."""
    return Health(version=__version__)


@router.get("/ready", responses={503: {"model": Readiness}})
async def ready(response: Response, engine: EngineDependency) -> Readiness:
    """Says whether every worker answers, and names those that do not. Jobs are accepted in any case and wait."""
    missing = engine.directory.missing
    workers = [
        WorkerStatus(
            worker=capability.worker,
            capability=capability.name,
            ready=capability.name not in missing,
            reason=missing.get(capability.name),
        )
        for capability in CAPABILITIES.values()
    ]
    if missing:
        response.status_code = 503
    return Readiness(ready=not missing, workers=workers)


@router.get("/providers")
async def list_providers(engine: EngineDependency) -> ProviderList:
    """Lists the providers of every worker that answers, in the order in which they are asked."""
    return ProviderList(
        providers=[
            ProviderView(
                name=provider.name,
                capability=worker.capability,
                configured=provider.configured,
                missing=provider.missing,
                models=[f"{provider.name}:{model}" for model in provider.models],
                any_model=provider.any_model,
            )
            for worker in engine.directory.known.values()
            for provider in worker.providers
        ]
    )
