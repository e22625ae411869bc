"""Which provider and model a step is tried with, and in which order."""

import hashlib
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from genesis.domain.attempt import Attempt, AttemptState, ProviderClass
from genesis.domain.failure import INTERRUPTED
from genesis.domain.job import Job
from genesis.domain.step import PART_MARK
from genesis.errors import CALL_FAILURES, ModelLoading, NoProvider, UnknownModel, WorkerBusy
from genesis.ports.workers import Link, WorkerDescription

_HOPELESS = frozenset(code for code, error in CALL_FAILURES.items() if not error.same_provider)
"""Failures after which the same provider is not asked again."""

_LONGEST_LOADING_MILLISECONDS = 300_000
"""From the first attempt that found a model being loaded to the last that may be followed by another one."""


@dataclass(frozen=True, slots=True)
class Target:
    """A model of a provider that a step may be tried with.

    Attributes:
        name: as `provider:name`.
    """

    name: str
    provider_class: ProviderClass

    @property
    def provider(self) -> str:
        return self.name.partition(":")[0]


@dataclass(frozen=True, slots=True)
class Limits:
    """How many attempts that count a step may have.

    Attributes:
        per_target: with one model.
        per_step: with all models together, so that a long chain does not become a long storm; each has one all the same.
        patience_seconds: a model that asks to wait for longer is asked again only when there is no other.
    """

    per_target: int
    per_step: int
    patience_seconds: float = math.inf


def draw_of(job: Job, step: str) -> str:
    """What a step's place in weighted groups is drawn by: always alike for one run of it, whoever goes on with it, and for
    all of its parts, which are to have one voice."""
    return f"{job.id}/{step.partition(PART_MARK)[0]}/{job.retried_at or 0}"


def targets(worker: WorkerDescription, model: str | None, draw: str) -> tuple[Target, ...]:
    """The chain for one step: the model that the job names, else the worker's, with its groups in the order drawn.

    Args:
        draw: decides the order within the groups.

    Raises:
        UnknownModel: the named provider or model is not one that the worker can call.
        NoProvider: no provider is configured for this capability.
    """
    if model is not None:
        return (_named(worker, model),)
    chain = worker.chain
    if not chain:
        raise NoProvider(
            f"No provider can serve {worker.capability}.",
            hint=_missing(worker),
        )
    if worker.shares_load:
        chain = tuple(sorted(chain, key=lambda link: (link.group, _lot(link, draw))))
    return tuple(Target(link.target, worker.provider_classes[link.provider]) for link in chain)


def _missing(worker: WorkerDescription) -> str:
    """What is missing for a chain without any usable model."""
    linked = {link.provider for link in worker.links}
    missing = [f"{provider.name}: {provider.missing}" for provider in worker.providers if provider.name in linked]
    return "; ".join(missing) or f"The {worker.worker} worker has no provider at all."


def _lot(link: Link, draw: str) -> float:
    """The smallest lot comes first, each link's with the chance of its share (Efraimidis and Spirakis 2006)."""
    digest = hashlib.blake2b(f"{draw}/{link.target}".encode(), digest_size=8).digest()
    chance = (int.from_bytes(digest) + 1) / 2**64
    return -math.log(chance) / link.weight


def _named(worker: WorkerDescription, model: str) -> Target:
    provider_name, _, model_name = model.partition(":")
    provider = next((provider for provider in worker.providers if provider.name == provider_name), None)
    if provider is None:
        known = ", ".join(provider.name for provider in worker.providers)
        raise UnknownModel(
            f"There is no provider `{provider_name}` for {worker.capability}.",
            hint=f"Write the model as provider:name; providers here are {known}.",
        )
    if not provider.configured:
        raise UnknownModel(f"Provider `{provider.name}` is not configured.", hint=provider.missing)
    if model_name not in provider.models and not provider.any_model:
        raise UnknownModel(
            f"Provider `{provider.name}` has no model `{model_name}` for {worker.capability}.",
            hint=f"It has {', '.join(provider.models)}.",
        )
    return Target(model, provider.provider_class)


def next_target(
    chain: Sequence[Target],
    attempts: Sequence[Attempt],
    limits: Limits,
    is_open: Callable[[str], bool] = lambda _: False,
) -> Target | None:
    """The target of a step's next attempt after safe failures; None when all have had their attempts.

    A model that was being loaded has done nothing yet: where no other one is left, that has cost it no attempt.

    Args:
        is_open: whether a target's circuit breaker is open; such a one is named only when there is no other.
    """
    left = [target for target in chain if _has_attempts_left(target, attempts, limits.per_target)]
    if sum(map(counts, attempts)) >= limits.per_step:  # then only those that have not had their turn yet
        asked = {attempt.target for attempt in attempts if counts(attempt)}
        left = [target for target in left if target.name not in asked]
    left = left or [target for target in chain if _may_be_loaded_by_now(target, attempts, limits.per_target)]
    soon = [target for target in left if wait_asked_by(target.name, attempts) <= limits.patience_seconds]
    closed = [target for target in soon or left if not is_open(target.name)]
    return next(iter(closed or soon or left), None)


def wait_asked_by(target: str, attempts: Sequence[Attempt]) -> float:
    """Seconds that a model has asked to wait after its last attempt; 0 when it has not."""
    last = next((attempt for attempt in reversed(attempts) if attempt.target == target), None)
    return 0.0 if last is None else last.retry_after or 0.0


def _has_attempts_left(target: Target, attempts: Sequence[Attempt], max_attempts: int) -> bool:
    failures = [attempt.failure for attempt in attempts if attempt.target == target.name and counts(attempt)]
    hopeless = any(failure and failure.code in _HOPELESS for failure in failures)
    return len(failures) < max_attempts and not hopeless


def _may_be_loaded_by_now(target: Target, attempts: Sequence[Attempt], max_attempts: int) -> bool:
    own = [attempt for attempt in attempts if attempt.target == target.name and counts(attempt)]
    loading = [attempt for attempt in own if attempt.failure and attempt.failure.code == ModelLoading.code]
    if not loading:
        return False
    waited = (own[-1].settled_at or 0) - (loading[0].settled_at or 0)
    others = [attempt for attempt in own if attempt not in loading]
    return waited < _LONGEST_LOADING_MILLISECONDS and _has_attempts_left(target, others, max_attempts)


def was_refused(attempt: Attempt) -> bool:
    """Whether the worker had no slot for an attempt: all of them are in use, by others as well."""
    return attempt.failure is not None and attempt.failure.code == WorkerBusy.code


def counts(attempt: Attempt) -> bool:
    """Whether an attempt is one of the few that a target has: it reached the provider, or may have."""
    return attempt.state is AttemptState.UNKNOWN or (
        attempt.state is AttemptState.FAILED and attempt.failure != INTERRUPTED
    )
