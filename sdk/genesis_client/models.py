"""Types of the API, generated from its OpenAPI document by `make generate`."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field


class ErrorView(BaseModel):
    """
    Why something failed.
    """

    code: Annotated[str, Field(title="Code")]
    hint: Annotated[str, Field(title="Hint")]
    message: Annotated[str, Field(title="Message")]


class FieldProblem(BaseModel):
    """
    What is wrong with one part of the request.
    """

    field: Annotated[str, Field(examples=["inputs.text"], title="Field")]
    """
    Path of the part.
    """
    message: Annotated[str, Field(title="Message")]


class Health(BaseModel):
    """
    The gateway lives.
    """

    status: Annotated[Literal["ok"], Field(title="Status")] = "ok"
    version: Annotated[str, Field(title="Version")]


class JobMetadata(BaseModel):
    """
    What is known about a job beside its work.
    """

    cancel_requested_at: Annotated[AwareDatetime | None, Field(title="Cancel Requested At")]
    completed_at: Annotated[AwareDatetime | None, Field(title="Completed At")]
    cost_microdollars: Annotated[int | None, Field(title="Cost Microdollars")]
    """
    Sum of what providers reported; null when any is unknown.
    """
    created_at: Annotated[AwareDatetime, Field(title="Created At")]
    error: ErrorView | None
    error_message: Annotated[str | None, Field(title="Error Message")]
    provider: Annotated[str | None, Field(examples=["local"], title="Provider")]
    """
    The providers that served it.
    """
    started_at: Annotated[AwareDatetime | None, Field(title="Started At")]
    waiting_for: Annotated[str | None, Field(title="Waiting For")]
    """
    Why a queued job has not started, where something stands in its way.
    """
    warnings: Annotated[list[str], Field(title="Warnings")]
    """
    What the providers could not honor.
    """
    worker_used: Annotated[str | None, Field(examples=["llm, image"], title="Worker Used")]
    """
    The workers that served it.
    """


class JobOutputs(BaseModel):
    """
    What a job has produced so far.
    """

    audio_url: Annotated[str | None, Field(title="Audio Url")] = None
    image_url: Annotated[
        str | None,
        Field(
            examples=["/storage/images/01930f2e-5b7a-7c11-9a4e-0f6f0b2d7c55.png"],
            title="Image Url",
        ),
    ] = None
    text: Annotated[str | None, Field(title="Text")] = None


class JobRequest(BaseModel):
    """
    A job to be done.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    inputs: Annotated[dict[str, Any], Field(title="Inputs")]
    """
    `text`, `audio_url` or `image_url`, as the pipeline says.
    """
    options: Annotated[dict[str, Any] | None, Field(title="Options")] = {}
    """
    As the pipeline says; null means the default.
    """
    pipeline: Annotated[str, Field(max_length=100, title="Pipeline")]
    """
    One of the types that `GET /pipelines` lists.
    """


class PipelineStepView(BaseModel):
    """
    One capability call of a pipeline.
    """

    capability: Annotated[str, Field(title="Capability")]
    name: Annotated[str, Field(title="Name")]
    needs: Annotated[list[str], Field(title="Needs")]
    """
    Steps that settle before it.
    """
    on_error: Annotated[Literal["fail", "continue"], Field(title="OnError")]
    """
    What a failed step means for its job.
    """
    when: Annotated[str | None, Field(title="When")]
    """
    It is skipped unless this has a value.
    """
    worker: Annotated[str, Field(title="Worker")]


class PipelineView(BaseModel):
    """
    A pipeline with JSON Schemas of what its jobs take and give.
    """

    description: Annotated[str, Field(title="Description")]
    inputs: Annotated[dict[str, Any], Field(title="Inputs")]
    """
    JSON Schema of a job's `inputs`.
    """
    options: Annotated[dict[str, Any], Field(title="Options")]
    """
    JSON Schema of a job's `options`.
    """
    outputs: Annotated[dict[str, Any], Field(title="Outputs")]
    """
    JSON Schema of a job's `outputs`.
    """
    steps: Annotated[list[PipelineStepView], Field(title="Steps")]
    type: Annotated[str, Field(title="Type")]
    version: Annotated[int, Field(title="Version")]


class Problem(BaseModel):
    """
    An error: a stable code, what happened, and what to do.
    """

    code: Annotated[str, Field(title="Code")]
    """
    Stable; programs may rely on it.
    """
    detail: Annotated[str, Field(title="Detail")]
    """
    What happened.
    """
    errors: Annotated[list[FieldProblem] | None, Field(title="Errors", validate_default=True)] = []
    hint: Annotated[str | None, Field(title="Hint")] = ""
    """
    What to do about it.
    """
    request_id: Annotated[str | None, Field(title="Request Id")] = ""
    status: Annotated[int, Field(title="Status")]
    title: Annotated[str, Field(title="Title")]
    type: Annotated[str | None, Field(title="Type")] = "about:blank"


class ProviderView(BaseModel):
    """
    A provider of one capability.
    """

    any_model: Annotated[bool, Field(title="Any Model")]
    """
    Whether other models of the provider can be named.
    """
    capability: Annotated[str, Field(title="Capability")]
    configured: Annotated[bool, Field(title="Configured")]
    missing: Annotated[str, Field(title="Missing")]
    """
    What has to be set or installed when it is not configured.
    """
    models: Annotated[list[str], Field(title="Models")]
    """
    Known models as `provider:name`, the default first.
    """
    name: Annotated[str, Field(title="Name")]


class WorkerStatus(BaseModel):
    """
    Whether a worker answers.
    """

    capability: Annotated[str, Field(title="Capability")]
    ready: Annotated[bool, Field(title="Ready")]
    reason: Annotated[str | None, Field(title="Reason")]
    """
    Why it does not answer.
    """
    worker: Annotated[str, Field(title="Worker")]


class AttemptView(BaseModel):
    """
    One call of one provider.
    """

    cost_microdollars: Annotated[int | None, Field(title="Cost Microdollars")]
    """
    As the provider reported it; null when unknown.
    """
    created_at: Annotated[AwareDatetime, Field(title="Created At")]
    error: ErrorView | None
    model: Annotated[str, Field(title="Model")]
    """
    As `provider:name`.
    """
    number: Annotated[int, Field(title="Number")]
    settled_at: Annotated[AwareDatetime | None, Field(title="Settled At")]
    status: Annotated[
        Literal["intended", "pending", "succeeded", "failed", "not_sent", "unknown"],
        Field(title="AttemptState"),
    ]
    warnings: Annotated[list[str], Field(title="Warnings")]


class PipelineList(BaseModel):
    """
    All pipelines.
    """

    pipelines: Annotated[list[PipelineView], Field(title="Pipelines")]


class ProviderList(BaseModel):
    """
    All providers, by capability and in the order in which they are asked.
    """

    providers: Annotated[list[ProviderView], Field(title="Providers")]


class Readiness(BaseModel):
    """
    Whether everything that jobs need is there.
    """

    ready: Annotated[bool, Field(title="Ready")]
    workers: Annotated[list[WorkerStatus], Field(title="Workers")]


class StepView(BaseModel):
    """
    One capability call of the pipeline.
    """

    attempts: Annotated[list[AttemptView], Field(title="Attempts")]
    capability: Annotated[str, Field(title="Capability")]
    completed_at: Annotated[AwareDatetime | None, Field(title="Completed At")]
    error: ErrorView | None
    name: Annotated[str, Field(title="Name")]
    output: Annotated[dict[str, Any] | None, Field(title="Output")]
    retry_at: Annotated[AwareDatetime | None, Field(title="Retry At")]
    """
    When the next attempt is due, after a failed one.
    """
    started_at: Annotated[AwareDatetime | None, Field(title="Started At")]
    status: Annotated[
        Literal["waiting", "running", "done", "failed", "skipped"],
        Field(title="StepState"),
    ]


class JobView(BaseModel):
    """
    A job.
    """

    inputs: Annotated[dict[str, Any], Field(title="Inputs")]
    job_id: Annotated[str, Field(title="Job Id")]
    metadata: JobMetadata
    options: Annotated[dict[str, Any], Field(title="Options")]
    outputs: JobOutputs
    pipeline: Annotated[str, Field(title="Pipeline")]
    status: Annotated[
        Literal["queued", "running", "completed", "failed", "canceled"],
        Field(title="JobStatus"),
    ]
    steps: Annotated[list[StepView], Field(title="Steps")]
