"""Types of the API, generated from its OpenAPI document by `make generate`."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, RootModel


class BatchCounts(BaseModel):
    """
    How many jobs of a batch have each status.
    """

    canceled: Annotated[int, Field(title="Canceled")]
    completed: Annotated[int, Field(title="Completed")]
    failed: Annotated[int, Field(title="Failed")]
    queued: Annotated[int, Field(title="Queued")]
    running: Annotated[int, Field(title="Running")]


class BatchView(BaseModel):
    """
    Jobs that were accepted together; `GET /jobs?batch_id=…` lists them.
    """

    batch_id: Annotated[str, Field(title="Batch Id")]
    counts: BatchCounts
    created_at: Annotated[AwareDatetime, Field(title="Created At")]
    size: Annotated[int, Field(title="Size")]
    """
    How many jobs there are.
    """
    status: Annotated[
        Literal["queued", "running", "completed", "failed", "canceled"],
        Field(title="BatchStatus"),
    ]
    """
    `queued` until one starts, `running` until all have ended; then `failed` if any has failed, else `canceled` if any was canceled, else `completed`.
    """


class ChainLinkView(BaseModel):
    """
    A model of a chain.
    """

    group: Annotated[int, Field(title="Group")]
    """
    Models of one group share the load; the next group is asked when they cannot serve.
    """
    model: Annotated[str, Field(title="Model")]
    """
    As `provider:name`.
    """
    usable: Annotated[bool, Field(title="Usable")]
    """
    Whether its provider is configured.
    """
    weight: Annotated[int, Field(title="Weight")]


class ChainView(BaseModel):
    """
    The models that the steps of one capability are tried with which name none, in order.
    """

    capability: Annotated[str, Field(title="Capability")]
    links: Annotated[list[ChainLinkView], Field(title="Links")]


class CompletionView(BaseModel):
    """
    A request that says that the content was sent.
    """

    method: Annotated[str, Field(examples=["POST"], title="Method")]
    url: Annotated[
        str,
        Field(
            examples=["/files/01930f2e-5b7a-7c11-9a4e-0f6f0b2d7c55/complete"],
            title="Url",
        ),
    ]


class ErrorView(BaseModel):
    """
    Why something failed.
    """

    code: Annotated[str, Field(title="Code")]
    hint: Annotated[str, Field(title="Hint")]
    message: Annotated[str, Field(title="Message")]


class EventView(BaseModel):
    """
    Something that happened to a job.
    """

    at: Annotated[AwareDatetime, Field(title="At")]
    cursor: Annotated[str, Field(title="Cursor")]
    """
    Its place among all events of the organization.
    """
    data: Annotated[dict[str, Any], Field(examples=[{"step": "generate"}], title="Data")]
    """
    What the type says more.
    """
    job_id: Annotated[str, Field(title="Job Id")]
    seq: Annotated[int, Field(title="Seq")]
    """
    Counts from 1 within the job, without gaps.
    """
    type: Annotated[
        Literal[
            "job-queued",
            "job-retried",
            "job-started",
            "job-completed",
            "job-failed",
            "job-canceled",
            "step-started",
            "step-retried",
            "step-divided",
            "step-pending",
            "step-completed",
            "step-failed",
            "step-skipped",
        ],
        Field(title="EventType"),
    ]


class FieldProblem(BaseModel):
    """
    What is wrong with one part of the request.
    """

    field: Annotated[str, Field(examples=["inputs.text"], title="Field")]
    """
    Path of the part.
    """
    message: Annotated[str, Field(title="Message")]


class FileChange(BaseModel):
    """
    What is to change about a file.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    expires_at: Annotated[AwareDatetime | None, Field(title="Expires At")]
    """
    When it is deleted (RFC 3339, with its offset from UTC); null for as the operator has set, or never.
    """


class FileDetails(BaseModel):
    """
    What was found in the content; null is what does not apply, or is not known.
    """

    channels: Annotated[int | None, Field(title="Channels")]
    codec: Annotated[str | None, Field(examples=["pcm_s16le"], title="Codec")]
    duration_seconds: Annotated[float | None, Field(title="Duration Seconds")]
    frames: Annotated[int | None, Field(title="Frames")]
    """
    Of an animation; 1 for a still image.
    """
    height: Annotated[int | None, Field(title="Height")]
    sample_rate: Annotated[int | None, Field(title="Sample Rate")]
    """
    In Hertz.
    """
    width: Annotated[int | None, Field(title="Width")]
    """
    In pixels, as the image is to be shown.
    """


class FileView(BaseModel):
    """
    A file.
    """

    created_at: Annotated[AwareDatetime, Field(title="Created At")]
    details: FileDetails | None
    """
    Null until the content has been examined, seconds after it has come.
    """
    expires_at: Annotated[AwareDatetime | None, Field(title="Expires At")]
    """
    When it is deleted; null for as the operator has set, or never.
    """
    id: Annotated[str, Field(examples=["01930f2e-5b7a-7c11-9a4e-0f6f0b2d7c55"], title="Id")]
    """
    Jobs take it as `image_file` or `audio_file`.
    """
    job: Annotated[str | None, Field(title="Job")]
    """
    The job that has made it.
    """
    media_type: Annotated[str, Field(examples=["image/jpeg"], title="Media Type")]
    """
    Found in its content; of a waiting file, as it was announced.
    """
    name: Annotated[str, Field(title="Name")]
    peaks: Annotated[
        str | None,
        Field(
            examples=["/storage/peaks/01930f2e-5b7a-7c11-9a4e-0f6f0b2d7c55.json"],
            title="Peaks",
        ),
    ]
    """
    The waveform of a recording, as JSON.
    """
    problem: Annotated[str | None, Field(title="Problem")]
    """
    Why its content cannot be used, where that is so.
    """
    sha256: Annotated[str | None, Field(title="Sha256")]
    """
    In hexadecimal; null until it is known.
    """
    size: Annotated[int | None, Field(title="Size")]
    """
    In bytes; null until it is known.
    """
    source: Annotated[Literal["upload", "job"], Field(title="FileSource")]
    """
    Where a file comes from.
    """
    state: Annotated[Literal["waiting", "ready", "deleted"], Field(title="FileState")]
    """
    Where a file stands.
    """
    thumbnails: Annotated[
        dict[str, str],
        Field(
            examples=[{"320": "/storage/thumbnails/01930f2e-5b7a-7c11-9a4e-0f6f0b2d7c55-320.webp"}],
            title="Thumbnails",
        ),
    ]
    """
    Smaller copies of an image, by the most pixels that they are wide.
    """
    url: Annotated[
        str | None,
        Field(
            examples=["/storage/uploads/01930f2e-5b7a-7c11-9a4e-0f6f0b2d7c55.jpg"],
            title="Url",
        ),
    ]
    """
    Where its content is served; null while that is still to be sent.
    """


class Health(BaseModel):
    """
    The gateway lives.
    """

    status: Annotated[Literal["ok"], Field(title="Status")] = "ok"
    version: Annotated[str, Field(title="Version")]


class JobOutputs(BaseModel):
    """
    What a job has produced so far.
    """

    audio_url: Annotated[str | None, Field(title="Audio Url")]
    image_url: Annotated[
        str | None,
        Field(
            examples=["/storage/images/01930f2e-5b7a-7c11-9a4e-0f6f0b2d7c55.png"],
            title="Image Url",
        ),
    ]
    subtitles: Annotated[str | None, Field(title="Subtitles")]
    """
    Of a transcription, where they were asked for.
    """
    text: Annotated[str | None, Field(title="Text")]


class FinishWithinSeconds(RootModel[float]):
    root: Annotated[float, Field(gt=0.0, le=31536000.0, title="Finish Within Seconds")]
    """
    The job fails with `deadline-passed` unless it has ended this long after its submission.
    """


class MaxCost(RootModel[str]):
    root: Annotated[
        str,
        Field(examples=["0.25"], pattern="^[0-9]{1,7}(\\.[0-9]{1,6})?$", title="Max Cost"),
    ]
    """
    US dollars that the job may cost, as a number or as text, which is exact however long it is. A job that is expected to cost more is refused with `too-expensive`, and one of which nobody knows the cost with `unknown-price`; before each call that may exceed it, the step fails with `max-cost-reached`.
    """


class MaxCost1(RootModel[float]):
    root: Annotated[float, Field(examples=["0.25"], ge=0.0, le=1000000.0, title="Max Cost")]
    """
    US dollars that the job may cost, as a number or as text, which is exact however long it is. A job that is expected to cost more is refused with `too-expensive`, and one of which nobody knows the cost with `unknown-price`; before each call that may exceed it, the step fails with `max-cost-reached`.
    """


class StartWithinSeconds(RootModel[float]):
    root: Annotated[float, Field(gt=0.0, le=31536000.0, title="Start Within Seconds")]
    """
    The job fails with `start-deadline-passed` unless it has started this long after its submission.
    """


class LedgerStatus(BaseModel):
    """
    Whether the ledger of jobs answers.
    """

    ready: Annotated[bool, Field(title="Ready")]
    reason: Annotated[str | None, Field(title="Reason")]
    """
    Why it does not answer; or, while it does, what single changes wait for.
    """


class LinkRequest(BaseModel):
    """
    How long a link is good.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    expires_in: Annotated[int | None, Field(ge=1, le=604800, title="Expires In")] = 86400
    """
    In seconds.
    """


class LinkView(BaseModel):
    """
    A link that opens a file to whoever has it.
    """

    expires_at: Annotated[AwareDatetime, Field(title="Expires At")]
    url: Annotated[str, Field(title="Url")]
    """
    Relative to this API.
    """


class ModelHealthView(BaseModel):
    """
    How a model has done since the gateway's process has started, as it has seen it.
    """

    breaker: Annotated[Literal["closed", "open", "trial"], Field(title="BreakerState")]
    """
    `open` while it rests because it failed several times in a row; `trial` until the next call decides.
    """
    calls: Annotated[int, Field(title="Calls")]
    failures: Annotated[int, Field(title="Failures")]
    last_error: ErrorView | None
    last_failure_at: Annotated[AwareDatetime | None, Field(title="Last Failure At")]
    last_success_at: Annotated[AwareDatetime | None, Field(title="Last Success At")]
    latency_ms: Annotated[float | None, Field(title="Latency Ms")]
    """
    Of calls that succeeded; a moving average.
    """
    model: Annotated[str, Field(title="Model")]
    """
    As `provider:name`.
    """
    rests_until: Annotated[AwareDatetime | None, Field(title="Rests Until")]


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


class ExpiresIn(RootModel[int]):
    root: Annotated[int, Field(examples=[86400], ge=1, le=315360000, title="Expires In")]
    """
    Seconds after its arrival at which the file is deleted; else as the operator has set.
    """


class Size(RootModel[int]):
    root: Annotated[int, Field(ge=1, title="Size")]
    """
    In bytes, so that one that is too large is refused at once. An S3 store takes nothing of another size then, and otherwise tells what is too large when all of it has come.
    """


class PresignRequest(BaseModel):
    """
    A file whose content is sent later.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    expires_in: Annotated[ExpiresIn | None, Field(examples=[86400], title="Expires In")] = None
    """
    Seconds after its arrival at which the file is deleted; else as the operator has set.
    """
    media_type: Annotated[str, Field(examples=["audio/mpeg"], max_length=200, title="Media Type")]
    """
    Of an image or a recording; what it is, is found in the content.
    """
    name: Annotated[str | None, Field(examples=["holiday.jpg"], max_length=4096, title="Name")] = ""
    """
    What people call it; it need not be unique.
    """
    seconds: Annotated[int | None, Field(examples=[3600], ge=1, le=604800, title="Seconds")] = 3600
    """
    For how long the content can be sent.
    """
    size: Annotated[Size | None, Field(title="Size")] = None
    """
    In bytes, so that one that is too large is refused at once. An S3 store takes nothing of another size then, and otherwise tells what is too large when all of it has come.
    """


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
    health: Annotated[list[ModelHealthView], Field(title="Health")]
    """
    Of its models that have been asked.
    """
    in_doubt: Annotated[Literal["repeatable", "keyed", "handle", "opaque"], Field(title="ProviderClass")]
    """
    What is done about a call whose outcome is in doubt: `repeatable` calls are free and made again, `keyed` ones are sent again under the same key, a `handle` is asked for, and of `opaque` ones nobody knows.
    """
    missing: Annotated[str, Field(title="Missing")]
    """
    What has to be set or installed when it is not configured.
    """
    models: Annotated[list[str], Field(title="Models")]
    """
    Known models as `provider:name`, the default first.
    """
    name: Annotated[str, Field(title="Name")]
    slots: Annotated[int, Field(title="Slots")]
    """
    Calls that it may have under way at once.
    """


class QueueView(BaseModel):
    """
    Where a queued job stands.
    """

    estimated_start_at: Annotated[AwareDatetime | None, Field(title="Estimated Start At")]
    """
    Judged by recent jobs; null without any.
    """
    position: Annotated[int, Field(examples=[3], title="Position")]
    """
    Jobs of the organization that start before it.
    """
    position_is_minimum: Annotated[bool, Field(title="Position Is Minimum")]
    """
    There are more of them, but no more were counted.
    """
    reason: Annotated[str | None, Field(examples=["All slots of text are busy."], title="Reason")]
    """
    Why it waits, where something stands in its way.
    """


class ResumedView(BaseModel):
    """
    What the word has done.
    """

    resumed: Annotated[int, Field(examples=[12], title="Resumed")]
    """
    Jobs that go on.
    """


class RetryRequest(BaseModel):
    """
    How a job is to be retried.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    resend: Annotated[bool | None, Field(title="Resend")] = False
    """
    Go on although nobody knows what an earlier call came to; it may then be paid twice.
    """


class StepEstimateView(BaseModel):
    """
    What one step is expected to cost: one attempt with the first model of its chain.
    """

    at_most_microdollars: Annotated[int | None, Field(title="At Most Microdollars")]
    """
    What it surely does not exceed; null where nothing bounds it.
    """
    capability: Annotated[str, Field(title="Capability")]
    cost_microdollars: Annotated[int | None, Field(title="Cost Microdollars")]
    """
    Null when nobody knows what the model charges.
    """
    cost_source: Literal["provider", "operator", "catalog"] | None
    """
    Who says what the model charges.
    """
    model: Annotated[str | None, Field(title="Model")]
    """
    As `provider:name`; null where nobody can say who would serve it.
    """
    notes: Annotated[list[str], Field(title="Notes")]
    """
    What was assumed, or why the cost is not known.
    """
    quantities: Annotated[
        dict[str, str],
        Field(examples=[{"input_tokens": "12", "output_tokens": "40"}], title="Quantities"),
    ]
    """
    By unit, as exact decimal numbers.
    """
    step: Annotated[str, Field(title="Step")]


class StoreStatus(BaseModel):
    """
    Whether the store takes files.
    """

    ready: Annotated[bool, Field(title="Ready")]
    reason: Annotated[str | None, Field(title="Reason")]
    """
    Why it cannot be written to.
    """


class StreamView(BaseModel):
    """
    The first message of a WebSocket of all jobs: from where it can be continued.
    """

    cursor: Annotated[str, Field(title="Cursor")]
    type: Annotated[Literal["stream-opened"], Field(title="Type")]


class TextDeltaView(BaseModel):
    """
    A piece of the text that a job is writing; a piece of another attempt begins the step's text anew.

    Pieces are not kept: who comes later gets what is written so far as one piece, and the whole is in the job's output.
    """

    attempt: Annotated[str, Field(title="Attempt")]
    job_id: Annotated[str, Field(title="Job Id")]
    offset: Annotated[int, Field(title="Offset")]
    """
    Characters of the attempt's text before it.
    """
    step: Annotated[str, Field(title="Step")]
    text: Annotated[str, Field(title="Text")]
    type: Annotated[Literal["text-delta"], Field(title="Type")]


class UploadRequestView(BaseModel):
    """
    A request that sends a content.
    """

    expires_at: Annotated[AwareDatetime, Field(title="Expires At")]
    """
    When it is refused.
    """
    headers: Annotated[dict[str, str], Field(title="Headers")]
    """
    To be sent as they are.
    """
    method: Annotated[str, Field(examples=["PUT"], title="Method")]
    url: Annotated[str, Field(title="Url")]
    """
    Relative to this API, or at the store itself.
    """


class UsageRow(BaseModel):
    """
    A group of calls; those that were never sent are none.
    """

    calls: Annotated[int, Field(title="Calls")]
    """
    All of them, those under way included.
    """
    cost_known_microdollars: Annotated[int, Field(title="Cost Known Microdollars")]
    """
    Sum of the costs that are known.
    """
    cost_unknown_calls: Annotated[int, Field(title="Cost Unknown Calls")]
    """
    Calls whose cost is not known.
    """
    day: Annotated[date | None, Field(title="Day")]
    """
    On which the calls were begun; null unless grouped by it.
    """
    failed: Annotated[int, Field(title="Failed")]
    model: Annotated[str | None, Field(title="Model")]
    """
    As `provider:name`.
    """
    provider: Annotated[str | None, Field(title="Provider")]
    quantities: Annotated[
        dict[str, str],
        Field(examples=[{"input_tokens": "12", "output_tokens": "40"}], title="Quantities"),
    ]
    """
    By unit, as exact decimal numbers.
    """
    succeeded: Annotated[int, Field(title="Succeeded")]
    unknown: Annotated[int, Field(title="Unknown")]
    """
    Calls of which nobody knows whether they were made.
    """


class UsageView(BaseModel):
    """
    What the organization's calls have come to.
    """

    from_: Annotated[date, Field(alias="from", title="From")]
    group_by: Annotated[list[Literal["day", "provider", "model"]], Field(title="Group By")]
    rows: Annotated[list[UsageRow], Field(title="Rows")]
    """
    In the order of day, provider and model.
    """
    to: Annotated[date, Field(title="To")]


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
    Null when unknown.
    """
    cost_source: Literal["provider", "operator", "catalog"] | None
    """
    Who says so: the provider for this call, the operator's table of prices, or the shipped catalog.
    """
    created_at: Annotated[AwareDatetime, Field(title="Created At")]
    error: ErrorView | None
    model: Annotated[str, Field(title="Model")]
    """
    As `provider:name`.
    """
    number: Annotated[int, Field(title="Number")]
    quantities: Annotated[dict[str, str], Field(examples=[{"characters": "120"}], title="Quantities")]
    """
    What the provider charges by, as exact decimal numbers.
    """
    settled_at: Annotated[AwareDatetime | None, Field(title="Settled At")]
    status: Annotated[
        Literal["intended", "pending", "succeeded", "failed", "not_sent", "unknown"],
        Field(title="AttemptState"),
    ]
    warnings: Annotated[list[str], Field(title="Warnings")]


class EstimateView(BaseModel):
    """
    What a job is expected to cost, if each step succeeds at once.
    """

    at_most_microdollars: Annotated[int | None, Field(title="At Most Microdollars")]
    """
    What one attempt of each step surely does not exceed, if bounded.
    """
    cost_known_microdollars: Annotated[int, Field(title="Cost Known Microdollars")]
    """
    Sum of what is known.
    """
    cost_microdollars: Annotated[int | None, Field(title="Cost Microdollars")]
    """
    Null when that of a step is not known.
    """
    steps: Annotated[list[StepEstimateView], Field(title="Steps")]


class JobMetadata(BaseModel):
    """
    What is known about a job beside its work.
    """

    batch_id: Annotated[str | None, Field(title="Batch Id")]
    """
    The batch that it was accepted with.
    """
    cancel_requested_at: Annotated[AwareDatetime | None, Field(title="Cancel Requested At")]
    completed_at: Annotated[AwareDatetime | None, Field(title="Completed At")]
    cost_known_microdollars: Annotated[int, Field(title="Cost Known Microdollars")]
    """
    Sum of the costs that are known.
    """
    cost_microdollars: Annotated[int | None, Field(title="Cost Microdollars")]
    """
    Sum of all attempts; null when any is unknown.
    """
    created_at: Annotated[AwareDatetime, Field(title="Created At")]
    error: ErrorView | None
    error_message: Annotated[str | None, Field(title="Error Message")]
    finish_by: Annotated[AwareDatetime | None, Field(title="Finish By")]
    """
    It fails unless it has ended by then.
    """
    max_cost_microdollars: Annotated[int | None, Field(title="Max Cost Microdollars")]
    """
    What the job may cost.
    """
    not_before: Annotated[AwareDatetime | None, Field(title="Not Before")]
    """
    A queued job does not go on before this moment: its start is delayed, or a failed attempt's next is.
    """
    on_ambiguous: Annotated[Literal["fail", "resend"], Field(title="OnAmbiguous")]
    """
    What follows when nobody knows whether a paid call was made.
    """
    priority: Annotated[int, Field(title="Priority")]
    provider: Annotated[str | None, Field(examples=["local"], title="Provider")]
    """
    The providers that served it.
    """
    queue: QueueView | None
    """
    Where a queued job stands; shown by `GET /jobs/{job_id}` alone.
    """
    retried_at: Annotated[AwareDatetime | None, Field(title="Retried At")]
    """
    When it was last retried by hand.
    """
    start_by: Annotated[AwareDatetime | None, Field(title="Start By")]
    """
    It fails unless it has started by then.
    """
    started_at: Annotated[AwareDatetime | None, Field(title="Started At")]
    waiting_for: Annotated[
        str | None,
        Field(
            examples=["The llm worker is missing: it does not answer."],
            title="Waiting For",
        ),
    ]
    """
    Why a queued job has not started, or a running one does not go on; null where nothing is known to stand in its way.
    """
    warnings: Annotated[list[str], Field(title="Warnings")]
    """
    What the providers could not honor.
    """
    worker_used: Annotated[str | None, Field(examples=["llm, image"], title="Worker Used")]
    """
    The workers that served it.
    """


class JobRequest(BaseModel):
    """
    A job to be done.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    finish_within_seconds: Annotated[FinishWithinSeconds | None, Field(title="Finish Within Seconds")] = None
    """
    The job fails with `deadline-passed` unless it has ended this long after its submission.
    """
    inputs: Annotated[dict[str, Any], Field(title="Inputs")]
    """
    `text`, `audio_url` or `image_url`, as the pipeline says.
    """
    max_cost: Annotated[MaxCost | MaxCost1 | None, Field(examples=["0.25"], title="Max Cost")] = None
    """
    US dollars that the job may cost, as a number or as text, which is exact however long it is. A job that is expected to cost more is refused with `too-expensive`, and one of which nobody knows the cost with `unknown-price`; before each call that may exceed it, the step fails with `max-cost-reached`.
    """
    not_before: Annotated[
        AwareDatetime | None,
        Field(examples=["2027-01-31T18:00:00Z"], title="Not Before"),
    ] = None
    """
    The job does not start before this moment (RFC 3339, with its offset from UTC). A retry forgets it.
    """
    on_ambiguous: Annotated[Literal["fail", "resend"] | None, Field(title="OnAmbiguous")] = "fail"
    """
    What follows when nobody knows whether a paid call was made: the job fails, and can be retried by hand; or the call is made again, and may then be paid twice.
    """
    options: Annotated[dict[str, Any] | None, Field(title="Options")] = {}
    """
    As the pipeline says; null means the default.
    """
    pipeline: Annotated[str, Field(max_length=100, title="Pipeline")]
    """
    One of the types that `GET /pipelines` lists.
    """
    priority: Annotated[int | None, Field(ge=-100, le=100, title="Priority")] = 0
    """
    Jobs of a higher one go first among those of the same organization.
    """
    start_within_seconds: Annotated[StartWithinSeconds | None, Field(title="Start Within Seconds")] = None
    """
    The job fails with `start-deadline-passed` unless it has started this long after its submission.
    """


class PipelineList(BaseModel):
    """
    All pipelines.
    """

    pipelines: Annotated[list[PipelineView], Field(title="Pipelines")]


class PresignView(BaseModel):
    """
    A file that waits for its content, and how to send that.
    """

    complete: CompletionView
    """
    To be made when the content was sent.
    """
    file: FileView
    upload: UploadRequestView


class ProviderList(BaseModel):
    """
    All providers by capability, and the chains of models that steps are tried with which name none.
    """

    chains: Annotated[list[ChainView], Field(title="Chains")]
    providers: Annotated[list[ProviderView], Field(title="Providers")]


class Readiness(BaseModel):
    """
    Whether everything that jobs need is there.
    """

    executors: Annotated[int | None, Field(title="Executors")]
    """
    How many executors are alive, in whichever process; without one, jobs wait. Null when the ledger does not answer.
    """
    ledger: LedgerStatus
    ready: Annotated[bool, Field(title="Ready")]
    store: StoreStatus | None
    """
    As of the last trial, half a minute ago at most. Null where no files are taken, as by an executor.
    """
    workers: Annotated[list[WorkerStatus], Field(title="Workers")]


class StepView(BaseModel):
    """
    One capability call of the pipeline.
    """

    attempts: Annotated[list[AttemptView], Field(title="Attempts")]
    capability: Annotated[str, Field(title="Capability")]
    completed_at: Annotated[AwareDatetime | None, Field(title="Completed At")]
    cost_microdollars: Annotated[int | None, Field(title="Cost Microdollars")]
    """
    Sum of its attempts; null when any is unknown, or there is none.
    """
    error: ErrorView | None
    name: Annotated[str, Field(title="Name")]
    output: Annotated[dict[str, Any] | None, Field(title="Output")]
    part_of: Annotated[str | None, Field(examples=["speak"], title="Part Of")]
    """
    The step of which this is a part, where that was too long for one call.
    """
    retry_at: Annotated[AwareDatetime | None, Field(title="Retry At")]
    """
    When the next attempt is due, after a failed one.
    """
    started_at: Annotated[AwareDatetime | None, Field(title="Started At")]
    status: Annotated[
        Literal["waiting", "running", "done", "failed", "skipped"],
        Field(title="StepState"),
    ]


class BatchRequest(BaseModel):
    """
    Jobs that are accepted together, all or none.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    jobs: Annotated[list[JobRequest], Field(max_length=1000, min_length=1, title="Jobs")]


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
