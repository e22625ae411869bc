"""What can go wrong when the platform is called."""

from typing import NoReturn

import httpx2
from pydantic import ValidationError

from genesis_client.models import JobView, Problem


class GenesisProblem(Exception):  # the platform's own word for it
    """The platform refused a request.

    Attributes:
        problem: code, what happened, and what to do.
    """

    def __init__(self, problem: Problem) -> None:
        super().__init__(f"{problem.detail} {problem.hint or ''}".strip())
        self.problem = problem


class JobNotCompleted(Exception):  # says what is the case
    """A job failed or was canceled.

    Attributes:
        job: the job as it ended.
    """

    def __init__(self, job: JobView) -> None:
        super().__init__(job.metadata.error_message or f"The job is {job.status}.")
        self.job = job


def raise_problem(response: httpx2.Response) -> NoReturn:
    """Raises what a response that is no success says.

    Raises:
        GenesisProblem: always.
    """
    try:
        problem = Problem.model_validate_json(response.content)
    except ValidationError:
        # Something between us and the platform answered.
        problem = Problem(
            title="Not an answer of Genesis",
            status=response.status_code,
            code="foreign-answer",
            detail=f"{response.url} answered {response.status_code} without a problem document.",
        )
    raise GenesisProblem(problem) from None
