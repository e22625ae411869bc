"""The client: create jobs, wait for them, fetch what they made."""

import math
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self, TypedDict, Unpack

import httpx2
from pydantic import BaseModel, TypeAdapter

from genesis_client.errors import JobNotCompleted, raise_problem
from genesis_client.events import Event, follow
from genesis_client.models import (
    BatchRequest,
    BatchView,
    EstimateView,
    FileView,
    JobRequest,
    JobView,
    PipelineList,
    PipelineView,
    UsageView,
)

_REPEATS_AFTER_SECONDS = (0.2, 1.0)
_WAIT_SECONDS = 10.0
"""A single request does not wait longer for a job, so that proxies do not take it for dead."""
_JOBS = TypeAdapter(list[JobView])
_FILES = TypeAdapter(list[FileView])


class JobSettings(TypedDict, total=False):
    """How a job is to be done.

    Attributes:
        priority: -100 to 100; higher ones go first.
        not_before: it does not start before this moment, which needs its time zone.
        start_within_seconds, finish_within_seconds: after these it fails.
        on_ambiguous: what follows when nobody knows whether a paid call was made.
        max_cost: US dollars that it may cost; a Decimal or text, so that it is exact.
    """

    priority: int
    not_before: datetime
    start_within_seconds: float
    finish_within_seconds: float
    on_ambiguous: Literal["fail", "resend"]
    max_cost: Decimal | str | int


class JobFilters(TypedDict, total=False):
    """Which jobs to list; moments need their time zone, and `text` occurs in the inputs."""

    status: Literal["queued", "running", "completed", "failed", "canceled"]
    pipeline: str
    created_from: datetime
    created_before: datetime
    text: str
    batch_id: str


class FileFilters(TypedDict, total=False):
    """Which files to list; `job` has made them, `q` occurs in their names."""

    source: Literal["upload", "job"]
    family: Literal["image", "audio"]
    job: str
    q: str


class GenesisClient:
    """Talks to one platform; use it as a context manager or call `close`.

    Args:
        url: where the gateway is.
        timeout_seconds: of one request, not of a job.

    All methods raise GenesisProblem when the platform refuses, and httpx2.HTTPError when it cannot be reached.
    """

    def __init__(self, url: str = "http://127.0.0.1:8000", *, timeout_seconds: float = 30.0) -> None:
        self._http = httpx2.Client(base_url=url, timeout=timeout_seconds)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._http.close()

    def pipelines(self) -> list[PipelineView]:
        """What can be generated."""
        return PipelineList.model_validate_json(self._request("GET", "/pipelines")).pipelines

    def create_job(
        self,
        pipeline: str,
        inputs: Mapping[str, Any],
        options: Mapping[str, Any] | None = None,
        *,
        idempotency_key: str | None = None,
        **more: Unpack[JobSettings],
    ) -> JobView:
        """Creates a job; it is durable when this returns.

        A request whose answer is lost is repeated, which makes no second job: it has a random key unless one is given.
        """
        request = job_request(pipeline, inputs, options, **more)
        return JobView.model_validate_json(self._create("/jobs", request, idempotency_key))

    def estimate(
        self,
        pipeline: str,
        inputs: Mapping[str, Any],
        options: Mapping[str, Any] | None = None,
        **more: Unpack[JobSettings],
    ) -> EstimateView:
        """What a job is expected to cost; none is created."""
        body = job_request(pipeline, inputs, options, **more).model_dump(mode="json", exclude_none=True)
        return EstimateView.model_validate_json(self._request("POST", "/jobs/estimate", json=body))

    def usage(
        self,
        first: date | None = None,
        last: date | None = None,
        *,
        group_by: Sequence[Literal["day", "provider", "model"]] = ("day", "provider", "model"),
    ) -> UsageView:
        """What calls have come to, from the first day to the last, both included; by default in the last 30 days."""
        days = {name: day.isoformat() for name, day in (("from", first), ("to", last)) if day is not None}
        query = {"group_by": ",".join(group_by)} | days
        return UsageView.model_validate_json(self._request("GET", "/usage", params=query))

    def create_batch(self, jobs: Sequence[JobRequest], *, idempotency_key: str | None = None) -> BatchView:
        """Creates up to 1,000 jobs, all or none, from what `job_request` makes; repeats itself as `create_job` does."""
        return BatchView.model_validate_json(self._create("/batches", BatchRequest(jobs=list(jobs)), idempotency_key))

    def batch(self, batch_id: str) -> BatchView:
        """Looks up a batch."""
        return BatchView.model_validate_json(self._request("GET", f"/batches/{batch_id}"))

    def cancel_batch(self, batch_id: str) -> BatchView:
        """Cancels the jobs of a batch that have not ended."""
        return BatchView.model_validate_json(self._request("POST", f"/batches/{batch_id}/cancel"))

    def job(self, job_id: str) -> JobView:
        """Looks up a job."""
        return JobView.model_validate_json(self._request("GET", f"/jobs/{job_id}"))

    def _job_soon(self, job_id: str, seconds: float) -> JobView:
        """A job when it has ended, or as it is after these seconds or a few."""
        longest = min(_WAIT_SECONDS, (self._http.timeout.read or _WAIT_SECONDS) / 2)
        wait = min(max(seconds, 0.0), longest)
        return JobView.model_validate_json(self._request("GET", f"/jobs/{job_id}", params={"wait": f"{wait:.3f}"}))

    def jobs(self, *, page_size: int = 100, **filters: Unpack[JobFilters]) -> Iterator[JobView]:
        """Jobs, newest first, fetched page by page."""
        query = {name: value for name, value in filters.items() if value is not None}
        moments = {name: value.isoformat() for name, value in query.items() if isinstance(value, datetime)}
        path: str | None = str(httpx2.URL("/jobs", params={"limit": str(page_size)} | query | moments))
        while path:
            response = self._answer("GET", path)
            yield from _JOBS.validate_json(response.content)
            path = response.links.get("next", {}).get("url")

    def events(self, job_id: str, *, after: int = 0) -> Iterator[Event]:
        """What happens to a job after its event number `after`, until it has ended; interruptions are bridged.

        Pieces of generated text may come again from their beginning after an interruption: their `offset` says so.
        """
        return follow(self._http, f"/jobs/{job_id}/events", str(after) if after else None)

    def retry(self, job_id: str, *, resend: bool = False) -> JobView:
        """Queues a failed or canceled job again; what it has done is kept.

        Args:
            resend: go on although nobody knows whether an earlier call was charged.
        """
        return JobView.model_validate_json(self._request("POST", f"/jobs/{job_id}/retry", json={"resend": resend}))

    def cancel(self, job_id: str) -> JobView:
        """Cancels a job."""
        return JobView.model_validate_json(self._request("POST", f"/jobs/{job_id}/cancel"))

    def wait(self, job_id: str, *, timeout_seconds: float | None = None) -> JobView:
        """Waits until a job has completed.

        Raises:
            JobNotCompleted: it failed or was canceled.
            TimeoutError: it is still under way; it goes on.
        """
        deadline = math.inf if timeout_seconds is None else time.monotonic() + timeout_seconds
        while (job := self._job_soon(job_id, deadline - time.monotonic())).status in ("queued", "running"):
            if time.monotonic() >= deadline:
                raise TimeoutError(f"Job {job_id} is still {job.status} after {timeout_seconds:g} seconds.")
        if job.status != "completed":
            raise JobNotCompleted(job)
        return job

    def run(
        self,
        pipeline: str,
        inputs: Mapping[str, Any],
        options: Mapping[str, Any] | None = None,
        *,
        timeout_seconds: float | None = None,
        **more: Unpack[JobSettings],
    ) -> JobView:
        """Creates a job and waits for it; raises as `create_job` and `wait` do."""
        job = self.create_job(pipeline, inputs, options, **more)
        return self.wait(job.job_id, timeout_seconds=timeout_seconds)

    def upload(
        self,
        content: Path | bytes,
        *,
        name: str | None = None,
        expires_in: int | None = None,
        strip_metadata: bool = False,
    ) -> FileView:
        """Uploads an image or a recording; jobs take its `id` as `image_file` or `audio_file`.

        Args:
            content: a file, which is sent in pieces, or what is in one.
            name: what people call it; by default the file's own name.
            expires_in: seconds after which it is deleted.
            strip_metadata: store it without what its metadata tell.
        """
        called = name if name is not None else content.name if isinstance(content, Path) else ""
        given = {"name": called or None, "expires_in": expires_in, "strip_metadata": strip_metadata or None}
        query = {key: str(value) for key, value in given.items() if value is not None}
        if isinstance(content, bytes):
            return FileView.model_validate_json(self._request("POST", "/files", params=query, content=content))
        with content.open("rb") as opened:
            return FileView.model_validate_json(self._request("POST", "/files", params=query, content=opened))

    def file(self, file_id: str) -> FileView:
        """Looks up a file: uploaded, or made by a job."""
        return FileView.model_validate_json(self._request("GET", f"/files/{file_id}"))

    def files(self, *, page_size: int = 100, **filters: Unpack[FileFilters]) -> Iterator[FileView]:
        """Files, newest first, fetched page by page."""
        query = {key: str(value) for key, value in filters.items() if value is not None}
        path: str | None = str(httpx2.URL("/files", params={"limit": str(page_size)} | query))
        while path:
            response = self._answer("GET", path)
            yield from _FILES.validate_json(response.content)
            path = response.links.get("next", {}).get("url")

    def delete_file(self, file_id: str) -> None:
        """Deletes a file that no unfinished job needs."""
        self._request("DELETE", f"/files/{file_id}")

    def download(self, url: str) -> bytes:
        """The content of an output or a file, given by its `url`."""
        return self._request("GET", url, follow_redirects=True)

    def save(self, url: str, path: Path) -> None:
        """Writes the content of an output or a file to `path`, in pieces."""
        with self._http.stream("GET", url, follow_redirects=True) as response:
            if not response.is_success:
                response.read()
            _good(response)
            with path.open("wb") as opened:
                for piece in response.iter_bytes():
                    opened.write(piece)

    def _create(self, path: str, request: BaseModel, key: str | None) -> bytes:
        headers = {"Idempotency-Key": key or str(uuid.uuid4())}
        body = request.model_dump(mode="json", exclude_none=True)
        for pause in _REPEATS_AFTER_SECONDS:
            try:
                response = self._http.request("POST", path, json=body, headers=headers)
            except httpx2.TransportError:
                time.sleep(pause)
                continue
            if response.status_code != httpx2.codes.SERVICE_UNAVAILABLE:
                return _good(response).content
            time.sleep(pause)
        return self._request("POST", path, json=body, headers=headers)

    def _request(self, method: str, path: str, **more: Any) -> bytes:
        return self._answer(method, path, **more).content

    def _answer(self, method: str, path: str, **more: Any) -> httpx2.Response:
        return _good(self._http.request(method, path, **more))


def _good(response: httpx2.Response) -> httpx2.Response:
    if not response.is_success:
        raise_problem(response)
    return response


def job_request(
    pipeline: str, inputs: Mapping[str, Any], options: Mapping[str, Any] | None = None, **more: Unpack[JobSettings]
) -> JobRequest:
    """A job to be done, for a batch."""
    if (max_cost := more.get("max_cost")) is not None:
        more["max_cost"] = format(Decimal(max_cost), "f")
    return JobRequest.model_validate(
        {"pipeline": pipeline, "inputs": dict(inputs), "options": dict(options or {}), **more}
    )
