"""What can go wrong when the platform is called."""

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
