"""The client: create jobs, wait for them, fetch what they made."""

import time
from collections.abc import Iterator, Mapping
from types import TracebackType
from typing import Any, Self

import httpx2
from pydantic import TypeAdapter, ValidationError

from genesis_client.errors import GenesisProblem, JobNotCompleted
from genesis_client.models import JobRequest, JobView, PipelineList, PipelineView, Problem

_FIRST_PAUSE_SECONDS = 0.05
_LONGEST_PAUSE_SECONDS = 1.0
_JOBS = TypeAdapter(list[JobView])


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

    def create_job(self, pipeline: str, inputs: Mapping[str, Any], options: Mapping[str, Any] | None = None) -> JobView:
        """Creates a job; it is durable when this returns."""
        body = JobRequest(pipeline=pipeline, inputs=dict(inputs), options=dict(options or {}))
        return JobView.model_validate_json(self._request("POST", "/jobs", json=body.model_dump()))

    def job(self, job_id: str) -> JobView:
        """Looks up a job."""
        return JobView.model_validate_json(self._request("GET", f"/jobs/{job_id}"))

    def jobs(self, *, page_size: int = 100) -> Iterator[JobView]:
        """All jobs, newest first, fetched page by page."""
        cursor: dict[str, str] = {}
        while page := _JOBS.validate_json(self._request("GET", "/jobs", params={"limit": str(page_size), **cursor})):
            yield from page
            cursor = {"cursor": page[-1].job_id}

    def cancel(self, job_id: str) -> JobView:
        """Cancels a job."""
        return JobView.model_validate_json(self._request("POST", f"/jobs/{job_id}/cancel"))

    def wait(self, job_id: str, *, timeout_seconds: float | None = None) -> JobView:
        """Waits until a job has completed.

        Raises:
            JobNotCompleted: it failed or was canceled.
            TimeoutError: it is still under way; it goes on.
        """
        deadline = None if timeout_seconds is None else time.monotonic() + timeout_seconds
        pause = _FIRST_PAUSE_SECONDS
        while (job := self.job(job_id)).status in ("queued", "running"):
            if deadline is not None and time.monotonic() + pause > deadline:
                raise TimeoutError(f"Job {job_id} is still {job.status} after {timeout_seconds:g} seconds.")
            time.sleep(pause)
            pause = min(pause * 1.5, _LONGEST_PAUSE_SECONDS)
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
    ) -> JobView:
        """Creates a job and waits for it; raises as `create_job` and `wait` do."""
        return self.wait(self.create_job(pipeline, inputs, options).job_id, timeout_seconds=timeout_seconds)

    def download(self, url: str) -> bytes:
        """The content of an output, given as its job names it."""
        return self._request("GET", url)

    def _request(self, method: str, path: str, **more: Any) -> bytes:
        response = self._http.request(method, path, **more)
        if response.is_success:
            return response.content
        raise GenesisProblem(_problem(response))


def _problem(response: httpx2.Response) -> Problem:
    try:
        return Problem.model_validate_json(response.content)
    except ValidationError:
        # Something between us and the platform answered.
        return Problem(
            title="Not an answer of Genesis",
            status=response.status_code,
            code="foreign-answer",
            detail=f"{response.url} answered {response.status_code} without a problem document.",
        )
