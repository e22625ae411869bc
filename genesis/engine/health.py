"""How the models have done of late, as this process has seen it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from genesis.domain.failure import Failure
from genesis.domain.identity import Milliseconds
from genesis.errors import AttemptCanceled, CallFailed

_WEIGHT = 0.2
"""Of the newest call in the moving average."""
_MOST = 1_000
"""Models that are remembered; jobs may name any."""


@dataclass(frozen=True, slots=True)
class ModelHealth:
    """How one model of a capability has done since this process has started.

    Attributes:
        calls: that have ended.
        failures: of these.
        latency: of those that succeeded, in milliseconds; a moving average.
    """

    calls: int = 0
    failures: int = 0
    latency: float | None = None
    last_success_at: Milliseconds | None = None
    last_failure: Failure | None = None
    last_failure_at: Milliseconds | None = None


class Health:
    """The health of models (`provider:name`) by capability."""

    def __init__(self, now: Callable[[], Milliseconds]) -> None:
        self._now = now
        self._models: dict[tuple[str, str], ModelHealth] = {}

    def models(self, capability: str) -> Mapping[str, ModelHealth]:
        """The models that have been asked, by target."""
        return {target: health for (owner, target), health in self._models.items() if owner == capability}

    def note_success(self, capability: str, target: str, took: Milliseconds) -> None:
        """Takes down that a call has succeeded, and how long it took."""
        known = self._known(capability, target)
        latency = took if known.latency is None else known.latency + _WEIGHT * (took - known.latency)
        self._models[capability, target] = replace(
            known, calls=known.calls + 1, latency=latency, last_success_at=self._now()
        )

    def note_failure(self, capability: str, target: str, error: CallFailed) -> None:
        """Takes down that a call has failed; that it was canceled says nothing about the model."""
        if isinstance(error, AttemptCanceled):
            return
        known = self._known(capability, target)
        self._models[capability, target] = replace(
            known,
            calls=known.calls + 1,
            failures=known.failures + 1,
            last_failure=Failure.of(error),
            last_failure_at=self._now(),
        )

    def _known(self, capability: str, target: str) -> ModelHealth:
        known = self._models.pop((capability, target), None)  # what is asked moves to the end
        if known is None and len(self._models) >= _MOST:
            self._models.pop(next(iter(self._models)))
        return known or ModelHealth()
