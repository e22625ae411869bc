"""What gateway and workers say to each other over HTTP.

Descriptions are read by pydantic. Calls, of which there may be thousands in a second, are plain JSON that is checked by
hand; their pydantic models describe them in the workers' API documentation.
"""

import json
from decimal import Decimal, InvalidOperation
from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from pydantic_core import PydanticSerializationError, to_json

from genesis.domain.artifact import Artifact
from genesis.domain.attempt import ProviderClass
from genesis.domain.identity import Milliseconds
from genesis.domain.money import Money
from genesis.domain.quantity import Quantities, Unit
from genesis.errors import CALL_FAILURES, CallFailed, InputRejected, WorkerLost
from genesis.net.words import presentable
from genesis.ports.workers import Call, CallPending, CallResult, Link, ProviderDescription, WorkerDescription

ATTEMPT_HEADER = "Genesis-Attempt"
"""Names the attempt; the worker's own answers repeat it, so that an answer without it came from somebody else."""
CALL_KEY_HEADER = "Genesis-Call-Key"
NOT_AFTER_HEADER = "Genesis-Not-After"
"""The moment after which the call is refused, in milliseconds since 1970."""
DELTAS_HEADER = "Genesis-Deltas"
"""`true` asks for each piece of the text as it is written; only together with `Accept: application/x-ndjson`."""
LINES = "application/x-ndjson"
"""The answer as lines: `accepted`, any number of `delta`, then exactly one of `done`, `pending` and `error`."""

_LONGEST_DETAIL = 2_000
_REFUSED_BODIES = ("payload-too-large", "malformed-json", "bad-request", "not-found", "method-not-allowed")
"""Codes of a worker that has read no call."""


class _Wire(BaseModel):
    model_config = ConfigDict(frozen=True)


class ProviderHealth(_Wire):
    """A provider as its worker knows it."""

    name: str
    configured: bool = Field(description="Whether it can be called now.")
    missing: str = Field("", description="What has to be set or installed when it cannot.")
    models: list[str] = Field(description="Known models, the default first.")
    any_model: bool = Field(description="Whether other model names are passed on.")
    provider_class: ProviderClass = Field(description="What may be done about a call whose outcome is in doubt.")
    slots: int = Field(description="Calls it may have under way at once.")
    longest_text: int | None = Field(None, description="Characters that one call takes; null for any number.")
    longest_audio_seconds: float | None = Field(
        None, description="Of the recording that one call takes; null for any length."
    )
    list_prices: bool = Field(True, description="Whether it charges what is publicly known of its models.")


class ChainLink(_Wire):
    """A model that steps are tried with which name none."""

    target: str = Field(description="As `provider:name`.")
    group: int = Field(description="Its place; models of one group share the load.")
    weight: int = Field(1, description="Its share of it.")


class WorkerHealth(_Wire):
    """A worker's answer to `GET /health`."""

    status: str = "ok"
    worker: str
    capability: str
    version: str
    now: int = Field(description="The worker's clock, in milliseconds since 1970.")
    busy: int = Field(description="Calls under way now.")
    providers: list[ProviderHealth]
    chain: list[ChainLink] = Field(description="In the order in which they are asked.")


class StoredArtifact(_Wire):
    """A file that a call has put into the store."""

    key: str
    media_type: str
    size: int = Field(description="In bytes.")
    sha256: str


class CallMetadata(_Wire):
    """What is known about a call beside its output."""

    target: str = Field(description="The model that served, as `provider:name`.")
    cost_microdollars: int | None = Field(None, description="As the provider reported it; null when unknown.")
    usage: dict[str, Any] = {}
    quantities: dict[Unit, str] = Field({}, description="Of what providers charge by, as exact decimal numbers.")
    warnings: list[str] = Field([], description="Options that the provider could not honor.")
    artifact: StoredArtifact | None = None


class CallProblem(_Wire):
    """A failed call, as problem details (RFC 9457)."""

    type: str = "about:blank"
    title: str
    status: int
    code: str
    detail: str
    hint: str = ""
    retry_after: float | None = Field(None, description="Seconds to wait before asking again.")
    cost_microdollars: int | None = Field(
        None, description="What the provider charged although the call failed; null when unknown."
    )


def health_of(worker: WorkerDescription, *, version: str, busy: int, now: Milliseconds) -> WorkerHealth:
    """The wire form of a description."""
    providers = [
        ProviderHealth(
            name=provider.name,
            configured=provider.configured,
            missing=provider.missing,
            models=list(provider.models),
            any_model=provider.any_model,
            provider_class=provider.provider_class,
            slots=provider.slots,
            longest_text=provider.longest_text,
            longest_audio_seconds=provider.longest_audio_seconds,
            list_prices=provider.list_prices,
        )
        for provider in worker.providers
    ]
    return WorkerHealth(
        worker=worker.worker,
        capability=worker.capability,
        version=version,
        now=now,
        busy=busy,
        providers=providers,
        chain=[ChainLink(target=link.target, group=link.group, weight=link.weight) for link in worker.links],
    )


def description_of(health: WorkerHealth) -> WorkerDescription:
    """The description that a worker's health carries."""
    providers = tuple(
        ProviderDescription(
            provider.name,
            provider.configured,
            provider.missing,
            tuple(provider.models),
            provider.any_model,
            provider.provider_class,
            provider.slots,
            provider.longest_text,
            provider.longest_audio_seconds,
            provider.list_prices,
        )
        for provider in health.providers
    )
    links = tuple(Link(link.target, link.group, link.weight) for link in health.chain)
    return WorkerDescription(health.worker, health.capability, providers, links)


def encoded(document: object) -> bytes:
    """The document as JSON that is not longer than what a caller may have sent, because both have the same limit.

    Letters are not escaped. A lone surrogate can only be written as an escape, and its backslash form is that of JSON.
    """
    try:
        return to_json(document)  # a tenth of the time of Python's own encoder
    except PydanticSerializationError:  # it takes no lone surrogates
        return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "backslashreplace")


def input_of(call: Call) -> dict[str, Any]:
    """The body of `POST /generate`."""
    return {**call.input, "options": dict(call.options)}


def answer_of(result: CallResult) -> dict[str, Any]:
    """The wire form of a result: the capability's output beside `metadata`, as `CallMetadata` describes it."""
    artifact = result.artifact
    stored = artifact and {
        "key": artifact.key,
        "media_type": artifact.media_type,
        "size": artifact.size,
        "sha256": artifact.sha256,
    }
    metadata = {
        "target": result.target,
        "cost_microdollars": result.cost,
        "usage": result.usage,
        "quantities": {unit: str(quantity) for unit, quantity in result.quantities.items()},
        "warnings": result.warnings,
        "artifact": stored,
    }
    return {**result.output, "metadata": metadata}


def result_of(answer: object, output_field: str) -> CallResult:
    """The result that a worker's answer carries.

    Raises:
        WorkerLost: it carries none.
    """
    output = answer.get(output_field) if isinstance(answer, dict) else None
    match answer:
        case {"metadata": {"target": str(target), **more}, **others} if isinstance(output, str):
            outputs = {str(name): value for name, value in others.items()}
        case _:
            raise WorkerLost(f"The worker's answer has no `{output_field}`, or no metadata.")
    cost, usage, warnings = more.get("cost_microdollars"), more.get("usage"), more.get("warnings")
    return CallResult(
        output=outputs,
        target=target,
        cost=Money(cost) if isinstance(cost, int) else None,
        usage=usage if isinstance(usage, dict) else {},
        quantities=quantities_of(more.get("quantities")),
        warnings=tuple(map(str, warnings)) if isinstance(warnings, list) else (),
        artifact=_artifact(more.get("artifact")),
    )


def quantities_of(written: object) -> Quantities:
    """Quantities out of JSON; what cannot be read is left out."""
    quantities: dict[Unit, Decimal] = {}
    amounts: dict[str, Any] = written if isinstance(written, dict) else {}
    for name, amount in amounts.items():
        try:
            unit, quantity = Unit(name), Decimal(amount)
        except (ValueError, TypeError, InvalidOperation):
            continue
        if quantity.is_finite() and quantity >= 0:
            quantities[unit] = quantity
    return quantities


def _artifact(stored: object) -> Artifact | None:
    match stored:
        case None:
            return None
        case {"key": str(key), "media_type": str(media_type), "size": int(size), "sha256": str(sha256)}:
            return Artifact(key, media_type, size, sha256)
        case _:
            raise WorkerLost("The worker's answer does not say which file it stored.")


def pending_of(pending: CallPending) -> dict[str, Any]:
    """The wire form of a call with which the provider goes on."""
    return {"handle": dict(pending.handle), "wait_seconds": pending.wait_seconds}


def problem_of(error: CallFailed, status: int) -> dict[str, Any]:
    """The wire form of a failed call, as `CallProblem` describes it."""
    return {
        "type": "about:blank",
        "title": error.code.replace("-", " ").capitalize(),
        "status": status,
        "code": error.code,
        "detail": presentable(error.message, longest=_LONGEST_DETAIL),
        "hint": presentable(error.hint, longest=_LONGEST_DETAIL),
        "retry_after": error.retry_after,
        "cost_microdollars": error.cost,
    }


def error_of(problem: object, *, refused: type[CallFailed] = InputRejected) -> CallFailed:
    """The error that a worker's problem stands for; a code that we do not know proves nothing.

    Args:
        refused: what it means that the worker has not even read the request.
    """
    match problem:
        case {"code": str(code), "detail": str(detail), **more}:
            pass
        case _:
            return WorkerLost("The worker's answer cannot be read.")
    hint, retry_after, cost = more.get("hint"), more.get("retry_after"), more.get("cost_microdollars")
    kind = refused if code in _REFUSED_BODIES else CALL_FAILURES.get(code, WorkerLost)
    return kind(
        presentable(detail, longest=_LONGEST_DETAIL),
        hint=presentable(hint, longest=_LONGEST_DETAIL) if isinstance(hint, str) else "",
        retry_after=float(retry_after) if isinstance(retry_after, int | float) else None,
        cost=cost if isinstance(cost, int) else None,
    )


def outcome_of(
    line: object, output_field: str, *, refused: type[CallFailed] = InputRejected
) -> CallResult | CallPending:
    """What the last line of an answer says.

    Raises:
        CallFailed: that the call failed; WorkerLost where the line cannot be read.
    """
    match line:
        case {"done": answer}:
            return result_of(answer, output_field)
        case {"pending": {"handle": dict(handle), "wait_seconds": int() | float() as wait_seconds}}:
            return CallPending(handle, float(wait_seconds))
        case {"error": problem}:
            raise error_of(problem, refused=refused)
        case _:
            raise WorkerLost("The worker's answer ended without a word about the call.")
