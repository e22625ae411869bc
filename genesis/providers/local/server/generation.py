"""What every capability of the offline server offers: a path, and a model that turns a request's body into an answer."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from types import MappingProxyType
from typing import Protocol, TypeVar, runtime_checkable

from pydantic import BaseModel, ConfigDict, ValidationError

from genesis.providers.local.server.errors import RequestError

_MEBIBYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Body:
    """A request's body.

    Attributes:
        content_type: the header as it came, with its parameters.
    """

    content_type: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """A generated answer."""

    media_type: str
    data: bytes


class Model(Protocol):
    """A loaded model; it is called in a thread, once at a time."""

    def answer(self, body: Body) -> Answer:
        """Generates.

        Raises:
            RequestError: the request cannot be served.
        """


Emit = Callable[[bytes], None]
"""Takes one server-sent event; may be called in any thread."""


@runtime_checkable
class StreamingModel(Model, Protocol):
    """A model that can answer piece by piece."""

    def streams(self, body: Body) -> bool:
        """Whether the request asks for that.

        Raises:
            RequestError: the request cannot be read.
        """

    def stream(self, body: Body, emit: Emit) -> None:
        """Generates, and emits each piece at once.

        Raises:
            RequestError: the request cannot be served; nothing was emitted yet.
        """


@dataclass(frozen=True, slots=True)
class Service:
    """One capability.

    Attributes:
        module: where its function `load() -> Model` stands.
        max_bytes: largest body.
    """

    path: str
    module: str
    max_bytes: int

    def load(self) -> Model:
        """Loads the model; takes up to a few seconds.

        Raises:
            OSError: a weight file cannot be read or is not the pinned one.
            ImportError: a package is missing.
        """
        load: Callable[[], Model] = import_module(f"{__package__}.{self.module}").load
        return load()


SERVICES: Mapping[str, Service] = MappingProxyType(
    {
        "text": Service("/v1/chat/completions", "text", _MEBIBYTE),
        "speech": Service("/v1/audio/speech", "speech", _MEBIBYTE),
        "transcription": Service("/v1/audio/transcriptions", "transcription", 128 * _MEBIBYTE),
        "image": Service("/v1/images/generations", "image", _MEBIBYTE),
        "image_transform": Service("/v1/images/edits", "image_transform", 64 * _MEBIBYTE),
    }
)


class RequestModel(BaseModel):
    """Base of all requests: what the model cannot do is refused, not ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: str | None = None


RequestType = TypeVar("RequestType", bound=RequestModel)


def read_json(kind: type[RequestType], body: Body) -> RequestType:
    """A request from a JSON body.

    Raises:
        RequestError: it is not JSON, or a field is wrong; the message names it.
    """
    try:
        return kind.model_validate_json(body.data)
    except ValidationError as error:
        raise _field_error(error) from None


def read_fields(kind: type[RequestType], fields: Mapping[str, str]) -> RequestType:
    """A request from the text fields of a form.

    Raises:
        RequestError: a field is wrong; the message names it.
    """
    try:
        return kind.model_validate_strings({name: value for name, value in fields.items() if value})
    except ValidationError as error:
        raise _field_error(error) from None


def _field_error(error: ValidationError) -> RequestError:
    first = error.errors(include_url=False)[0]
    field = ".".join(str(part) for part in first["loc"]) or None
    code = {"extra_forbidden": "unknown_parameter", "missing": "missing_required_parameter"}.get(first["type"])
    return RequestError(f"{field or 'body'}: {first['msg']}", param=field, code=code or "invalid_value")
