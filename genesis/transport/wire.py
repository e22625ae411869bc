"""What gateway and workers say to each other over HTTP."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from genesis.domain.artifact import Artifact
from genesis.domain.attempt import ProviderClass
from genesis.domain.money import Money
from genesis.errors import CALL_FAILURES, CallFailed, InputRejected, ProviderAmbiguous
from genesis.net.words import presentable
from genesis.ports.workers import CallResult, ProviderDescription, WorkerDescription

ATTEMPT_HEADER = "Genesis-Attempt"
"""Names the attempt; the worker's own answers repeat it, so that an answer without it came from somebody else."""
CALL_KEY_HEADER = "Genesis-Call-Key"

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


class WorkerHealth(_Wire):
    """A worker's answer to `GET /health`."""

    status: str = "ok"
    worker: str
    capability: str
    version: str
    busy: int = Field(description="Calls under way now.")
    providers: list[ProviderHealth] = Field(description="In the order in which they are asked.")


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
    warnings: list[str] = Field([], description="Options that the provider could not honor.")
    artifact: StoredArtifact | None = None


class CallAnswer(_Wire):
    """A worker's answer to `POST /generate`; the capability's output stands beside the metadata."""

    model_config = ConfigDict(extra="allow")

    metadata: CallMetadata


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


def health_of(worker: WorkerDescription, *, version: str, busy: int) -> WorkerHealth:
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
        )
        for provider in worker.providers
    ]
    return WorkerHealth(
        worker=worker.worker, capability=worker.capability, version=version, busy=busy, providers=providers
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
        )
        for provider in health.providers
    )
    return WorkerDescription(health.worker, health.capability, providers)


def metadata_of(result: CallResult) -> CallMetadata:
    """The wire form of what a call returned beside its output."""
    artifact = result.artifact
    return CallMetadata(
        target=result.target,
        cost_microdollars=result.cost,
        usage=dict(result.usage),
        warnings=list(result.warnings),
        artifact=artifact
        and StoredArtifact(
            key=artifact.key, media_type=artifact.media_type, size=artifact.size, sha256=artifact.sha256
        ),
    )


def result_of(output: dict[str, Any], metadata: CallMetadata) -> CallResult:
    """The result that a worker's answer carries."""
    stored = metadata.artifact
    return CallResult(
        output=output,
        target=metadata.target,
        cost=None if metadata.cost_microdollars is None else Money(metadata.cost_microdollars),
        usage=metadata.usage,
        warnings=tuple(metadata.warnings),
        artifact=Artifact(stored.key, stored.media_type, stored.size, stored.sha256) if stored else None,
    )


def problem_of(error: CallFailed, status: int) -> CallProblem:
    """The wire form of a failed call."""
    return CallProblem(
        title=error.code.replace("-", " ").capitalize(),
        status=status,
        code=error.code,
        detail=presentable(error.message, longest=_LONGEST_DETAIL),
        hint=presentable(error.hint, longest=_LONGEST_DETAIL),
        retry_after=error.retry_after,
        cost_microdollars=error.cost,
    )


def error_of(problem: CallProblem) -> CallFailed:
    """The error that a worker's problem stands for; a code that we do not know proves nothing."""
    kind = InputRejected if problem.code in _REFUSED_BODIES else CALL_FAILURES.get(problem.code, ProviderAmbiguous)
    return kind(
        presentable(problem.detail, longest=_LONGEST_DETAIL),
        hint=presentable(problem.hint, longest=_LONGEST_DETAIL),
        retry_after=problem.retry_after,
        cost=problem.cost_microdollars,
    )
