"""One HTTP exchange as plain values, so that adapters stay pure."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class FormFile:
    """A file in a multipart form."""

    filename: str
    media_type: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Request:
    """An HTTP request to a provider.

    Attributes:
        url: absolute, or a path that is appended to the provider's base URL.
        json: body as JSON; at most one of `json`, `data` and `form` is given.
        data: raw body; its media type stands in `headers`.
        form: multipart fields by name; several texts under one name are several fields.
    """

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    json: Any = None
    data: bytes | None = None
    form: Mapping[str, str | tuple[str, ...] | FormFile] | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """An HTTP reply, whole.

    Attributes:
        headers: by lower-case name.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def media_type(self) -> str:
        """The content type without its parameters, lower-case; empty when there is none."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()


@dataclass(frozen=True, slots=True)
class StreamedReply:
    """An HTTP reply whose body is still arriving.

    Attributes:
        headers: by lower-case name.
        body: its pieces, cut anywhere; iterating raises what sending a request raises.
    """

    status: int
    headers: Mapping[str, str]
    body: AsyncIterator[bytes]
