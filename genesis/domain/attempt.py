"""Attempts: one try of one step, which is one call of one provider."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from genesis.domain.artifact import Artifact
from genesis.domain.failure import Failure
from genesis.domain.identity import Milliseconds
from genesis.domain.money import Money
from genesis.domain.price import CostSource
from genesis.domain.quantity import Quantities


class ProviderClass(StrEnum):
    """What a provider lets us do about a call whose outcome is in doubt."""

    REPEATABLE = "repeatable"  # free: resend
    KEYED = "keyed"  # resend with the same key
    HANDLE = "handle"  # look it up
    OPAQUE = "opaque"  # nothing: the outcome stays unknown


class AttemptState(StrEnum):
    INTENDED = "intended"  # recorded before the first byte is sent
    PENDING = "pending"  # the provider works on it and gave a handle
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    NOT_SENT = "not_sent"  # proven never to have reached the provider
    UNKNOWN = "unknown"  # possibly charged; late evidence may still settle it


TRANSITIONS: Mapping[AttemptState, frozenset[AttemptState]] = MappingProxyType(
    {
        AttemptState.INTENDED: frozenset(set(AttemptState) - {AttemptState.INTENDED}),
        AttemptState.PENDING: frozenset({AttemptState.SUCCEEDED, AttemptState.FAILED, AttemptState.UNKNOWN}),
        AttemptState.UNKNOWN: frozenset({AttemptState.SUCCEEDED, AttemptState.FAILED}),
        AttemptState.SUCCEEDED: frozenset(),
        AttemptState.FAILED: frozenset(),
        AttemptState.NOT_SENT: frozenset(),
    }
)

OPEN = frozenset({AttemptState.INTENDED, AttemptState.PENDING})


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try of one step.

    Attributes:
        number: counts from 1 within the step and never restarts.
        call_key: names the one intended provider call; it also names the output.
        target: the model asked, as `provider:name`.
        cost: what it is known to have cost, 0 where it is proven that nothing was charged; None when unknown.
        cost_source: who says so; None where nobody does.
        quantities: of what the provider charges by, as it reported them or as they were measured.
        warnings: what the provider could not honor.
        retry_after: seconds that the provider asked to wait before the next attempt.
        not_after: the call is not to be begun after this moment.
        call_deadline: by then it is over, whatever became of it.
        handle: by which the provider knows a pending call; plain data of its adapter.
        output: what it returned; the ledger keeps it here where its step could not take it, until a later run does.
        artifact: the file that it has made, on its way into the ledger, which keeps a record of it; never read from there.
    """

    id: str
    step: str
    number: int
    call_key: str
    target: str
    provider_class: ProviderClass
    created_at: Milliseconds
    state: AttemptState = AttemptState.INTENDED
    settled_at: Milliseconds | None = None
    failure: Failure | None = None
    cost: Money | None = None
    cost_source: CostSource | None = None
    quantities: Quantities = field(default_factory=dict)
    retry_after: float | None = None
    warnings: tuple[str, ...] = ()
    usage: Mapping[str, Any] = field(default_factory=dict)
    not_after: Milliseconds = 0
    call_deadline: Milliseconds = 0
    handle: Mapping[str, Any] | None = None
    output: Mapping[str, Any] | None = None
    artifact: Artifact | None = None

    @property
    def provider(self) -> str:
        return self.target.partition(":")[0]
