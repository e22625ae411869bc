"""Errors of the offline server, in the shape that OpenAI's API gives them."""

from http import HTTPStatus
from typing import Any


class RequestError(Exception):
    """A request that gets an error for an answer.

    Args:
        message: what is wrong and what to do about it; the caller reads it.
        param: the offending field.
        code: stable name of the error.
    """

    def __init__(
        self,
        message: str,
        *,
        param: str | None = None,
        code: str = "invalid_value",
        status: int = HTTPStatus.BAD_REQUEST,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.param = param
        self.code = code
        self.status = status

    def document(self) -> dict[str, Any]:
        """The body of the answer."""
        kind = "server_error" if self.status >= HTTPStatus.INTERNAL_SERVER_ERROR else "invalid_request_error"
        return {"error": {"message": self.message, "type": kind, "param": self.param, "code": self.code}}
