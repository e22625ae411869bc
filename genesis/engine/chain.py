"""Which provider and model a step is tried with, and in which order."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from genesis.domain.attempt import Attempt, AttemptState, ProviderClass
from genesis.domain.failure import INTERRUPTED
from genesis.errors import CALL_FAILURES, NoProvider, UnknownModel, WorkerBusy
from genesis.ports.workers import WorkerDescription

_HOPELESS = frozenset(code for code, error in CALL_FAILURES.items() if not error.same_provider)
"""Failures after which the same provider is not asked again."""


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


def targets(worker: WorkerDescription, model: str | None) -> tuple[Target, ...]:
    """The chain for one step: the model that the job names, else each configured provider's default.

    Raises:
        UnknownModel: the named provider or model is not one that the worker can call.
        NoProvider: no provider is configured for this capability.
    """
    if model is not None:
        return (_named(worker, model),)
    if not worker.chain:
        raise NoProvider(
            f"No provider can serve {worker.capability}.",
            hint="; ".join(f"{provider.name}: {provider.missing}" for provider in worker.providers)
            or f"The {worker.worker} worker has no provider at all.",
        )
    return tuple(Target(provider.default_target, provider.provider_class) for provider in worker.chain)


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
    max_attempts: int,
    is_open: Callable[[str], bool] = lambda _: False,
) -> Target | None:
    """The target of a step's next attempt after safe failures; None when all have had their attempts.

    Args:
        is_open: whether a target's circuit breaker is open; such a one is named only when there is no other.
    """
    left = [target for target in chain if _has_attempts_left(target, attempts, max_attempts)]
    return next((target for target in left if not is_open(target.name)), left[0] if left else None)


def _has_attempts_left(target: Target, attempts: Sequence[Attempt], max_attempts: int) -> bool:
    failures = [attempt.failure for attempt in attempts if attempt.target == target.name and counts(attempt)]
    hopeless = any(failure and failure.code in _HOPELESS for failure in failures)
    return len(failures) < max_attempts and not hopeless


def was_refused(attempt: Attempt) -> bool:
    """Whether the worker had no slot for an attempt: all of them are in use, by others as well."""
    return attempt.failure is not None and attempt.failure.code == WorkerBusy.code


def counts(attempt: Attempt) -> bool:
    """Whether an attempt is one of the few that a target has: it reached the provider, or may have."""
    return attempt.state is AttemptState.UNKNOWN or (
        attempt.state is AttemptState.FAILED and attempt.failure != INTERRUPTED
    )
