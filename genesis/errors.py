"""Every error the platform raises on purpose.

* GenesisError                 something a caller or operator can act on
  + InvalidRequest             the caller must change the request
    - UnknownPipeline · UnknownOption · UnknownModel · NoProvider · TooExpensive · UnknownPrice
    - UnsupportedMedia         the content is not of a type that can be used
  + Forbidden                  the caller may not do this; a signature is wrong or over
  + PayloadTooLarge            the request is larger than a stated limit
  + NotFound                   no such thing, for this organization
    - Gone                     it was there, and was deleted
  + Conflict                   the thing's state does not allow it
  + IdempotencyConflict        the idempotency key was used for something else
  + Unavailable                the platform cannot do this now; try again
    - CommitUnknown            nobody knows whether it was done
  + InvalidPipeline            a pipeline definition is wrong; names the place
  + Misconfigured              a setting is wrong; the process does not start
  + Fenced                     another owner decides about this job
  + CallFailed                 one attempt failed; `failure` says what may follow
    - WorkerBusy               no free slot: the queue belongs to the engine
    - WorkerUnavailable        the worker cannot be reached; nothing was sent
    - WorkerLost               the worker was lost during the call; it may still know what became of it
    - TooLate                  the call reached the worker after its time
    - OutcomeUnknown           the call may have been made, and nobody can tell what became of it
    - AttemptCanceled          the attempt was canceled on request
    - ProviderError            a provider did not do its part
      . ProviderUnavailable    down, overloaded, refused before any work
        ModelLoading           the model is getting ready and has done nothing yet: worth some minutes of waiting
      . ProviderRateLimited    asks to wait `retry_after` seconds
      . ProviderMisconfigured  missing or wrong key, no credit: ask another provider
      . ModelUnavailable       it has no such model, or the model cannot do this: ask another one
      . ProviderRejected       bad input, content policy
        NothingSaid            it has heard no speech
        - ReplyTooLarge        its answer is larger than what is read
      . ProviderAmbiguous      nobody knows whether it did the work
    - InputTooLong             the recording is longer than one call takes: it has to be cut; nothing was sent
    - InputRejected            an input file cannot be used (unreachable, wrong type, too large)
    - StorageUnavailable       the store of input files does not answer; nothing was sent
    - ResultLost               the provider made the result, but it could not be kept
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar


class FailureClass(StrEnum):
    """What may follow a failed attempt."""

    SAFE = "safe"  # nothing was charged: retry, then ask the next provider
    FINAL = "final"  # asking again gives the same answer
    AMBIGUOUS = "ambiguous"  # it may have been charged: never resend blindly


class GenesisError(Exception):
    """Base of all deliberate errors.

    Args:
        message: what happened, in one sentence, safe to show to a caller.
        hint: what to do about it; empty when there is nothing to add.
    """

    code: ClassVar[str] = "internal-error"

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


@dataclass(frozen=True, slots=True)
class FieldError:
    """What is wrong with one part of a request.

    Attributes:
        field: its path, for example `inputs.text`.
    """

    field: str
    message: str


class InvalidRequest(GenesisError):
    """The caller must change the request.

    Args:
        errors: the offending parts, where it is not the whole.
    """

    code = "invalid-request"

    def __init__(self, message: str, *, hint: str = "", errors: tuple[FieldError, ...] = ()) -> None:
        super().__init__(message, hint=hint)
        self.errors = errors


class UnknownPipeline(InvalidRequest):
    code = "unknown-pipeline"


class UnknownOption(InvalidRequest):
    code = "unknown-option"


class UnknownModel(InvalidRequest):
    code = "unknown-model"


class NoProvider(InvalidRequest):
    code = "no-provider"


class TooExpensive(InvalidRequest):
    code = "too-expensive"


class UnknownPrice(InvalidRequest):
    code = "unknown-price"


class UnsupportedMedia(InvalidRequest):
    code = "unsupported-media-type"


class Forbidden(GenesisError):
    code = "forbidden"


class PayloadTooLarge(GenesisError):
    code = "payload-too-large"


class NotFound(GenesisError):
    code = "not-found"


class Gone(NotFound):
    code = "gone"


class Conflict(GenesisError):
    code = "conflict"


class IdempotencyConflict(GenesisError):
    code = "idempotency-conflict"


class Unavailable(GenesisError):
    code = "unavailable"


class CommitUnknown(Unavailable):
    code = "commit-unknown"


class InvalidPipeline(GenesisError):
    code = "invalid-pipeline"


class Misconfigured(GenesisError):
    code = "misconfigured"


class Fenced(GenesisError):
    code = "fenced"


class CallFailed(GenesisError):
    """One attempt did not succeed.

    Args:
        retry_after: seconds the other side asked to wait, if it did.
        cost: in micro-dollars, where the provider charged for it all the same and said how much.
    """

    code = "call-failed"
    failure: ClassVar[FailureClass] = FailureClass.FINAL
    same_provider: ClassVar[bool] = True  # whether asking the same provider again can help

    def __init__(
        self, message: str, *, hint: str = "", retry_after: float | None = None, cost: int | None = None
    ) -> None:
        super().__init__(message, hint=hint)
        self.retry_after = retry_after
        self.cost = cost


class WorkerBusy(CallFailed):
    code = "worker-busy"
    failure = FailureClass.SAFE


class WorkerUnavailable(CallFailed):
    code = "worker-unavailable"
    failure = FailureClass.SAFE


class WorkerLost(CallFailed):
    code = "worker-lost"
    failure = FailureClass.AMBIGUOUS


class TooLate(CallFailed):
    code = "too-late"
    failure = FailureClass.SAFE


class OutcomeUnknown(CallFailed):
    code = "outcome-unknown"
    failure = FailureClass.AMBIGUOUS


class AttemptCanceled(CallFailed):
    code = "attempt-canceled"


class InputRejected(CallFailed):
    code = "input-rejected"


class InputTooLong(CallFailed):
    code = "input-too-long"
    failure = FailureClass.SAFE


class StorageUnavailable(CallFailed):
    code = "storage-unavailable"
    failure = FailureClass.SAFE


class ResultLost(CallFailed):
    code = "result-lost"
    failure = FailureClass.AMBIGUOUS


class ProviderError(CallFailed):
    code = "provider-error"


class ProviderUnavailable(ProviderError):
    code = "provider-unavailable"
    failure = FailureClass.SAFE


class ModelLoading(ProviderUnavailable):
    code = "model-loading"


class ProviderRateLimited(ProviderError):
    code = "provider-rate-limited"
    failure = FailureClass.SAFE


class ProviderMisconfigured(ProviderError):
    code = "provider-misconfigured"
    failure = FailureClass.SAFE
    same_provider = False


class ModelUnavailable(ProviderError):
    code = "model-unavailable"
    failure = FailureClass.SAFE
    same_provider = False


class ProviderRejected(ProviderError):
    code = "provider-rejected"


class ReplyTooLarge(ProviderRejected):
    """The provider has answered, with more than is read: what it has made is there and cannot be used."""


class NothingSaid(ProviderRejected):
    code = "nothing-said"


class ProviderAmbiguous(ProviderError):
    code = "provider-ambiguous"
    failure = FailureClass.AMBIGUOUS


CALL_FAILURES: dict[str, type[CallFailed]] = {
    error.code: error
    for error in (
        WorkerBusy,
        WorkerUnavailable,
        WorkerLost,
        TooLate,
        AttemptCanceled,
        InputRejected,
        InputTooLong,
        StorageUnavailable,
        ResultLost,
        ProviderUnavailable,
        ModelLoading,
        ProviderRateLimited,
        ProviderMisconfigured,
        ModelUnavailable,
        ProviderRejected,
        NothingSaid,
        ProviderAmbiguous,
    )
}
"""Failed attempts by code: a transport rebuilds from it what the worker raised."""
