"""Reads multipart forms (RFC 7578) that are in memory as a whole."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from email.message import Message
from email.parser import BytesHeaderParser

from genesis.providers.local.server.errors import RequestError

_MAXIMUM_PARTS = 50


@dataclass(frozen=True, slots=True)
class Form:
    """A form's text fields and files by name; of several with one name, the last."""

    fields: Mapping[str, str]
    files: Mapping[str, bytes]

    def file(self, name: str) -> bytes:
        """The content of a file.

        Raises:
            RequestError: it is missing or empty.
        """
        data = self.files.get(name)
        if not data:
            raise RequestError(
                f"The form has no file in its field {name!r}.", param=name, code="missing_required_parameter"
            )
        return data


def read_form(content_type: str, data: bytes) -> Form:
    """The form in a body.

    Raises:
        RequestError: it is no multipart form, or is cut off.
    """
    boundary = _parameter(_header("Content-Type", content_type), "Content-Type", "boundary")
    if not content_type.lower().startswith("multipart/form-data") or not boundary:
        raise RequestError("Send a multipart/form-data body with a boundary.", code="invalid_form")
    fields: dict[str, str] = {}
    files: dict[str, bytes] = {}
    for headers, content in _parts(boundary.encode("latin-1", "replace"), data):
        name = _parameter(headers, "Content-Disposition", "name")
        if name is None:
            raise RequestError("A part of the form has no name.", code="invalid_form")
        if _parameter(headers, "Content-Disposition", "filename") is not None:
            files[name] = content
        else:
            fields[name] = content.decode("utf-8", "replace")
    return Form(fields, files)


def _parts(boundary: bytes, data: bytes) -> Iterator[tuple[Message, bytes]]:
    """The parts between the delimiters; each delimiter owns the line break before it (RFC 2046, 5.1.1)."""
    pieces = (b"\r\n" + data).split(b"\r\n--" + boundary)
    if len(pieces) > _MAXIMUM_PARTS:
        raise RequestError("The form has too many parts.", code="invalid_form")
    if not pieces[-1].startswith(b"--") or len(pieces) == 1:
        raise RequestError("The form is cut off: its closing boundary is missing.", code="invalid_form")
    for piece in pieces[1:-1]:
        head, separator, content = piece.lstrip(b" \t").partition(b"\r\n\r\n")
        if not separator:
            raise RequestError("A part of the form has no headers.", code="invalid_form")
        yield BytesHeaderParser().parsebytes(head.removeprefix(b"\r\n")), content


def _header(name: str, value: str) -> Message:
    message = Message()
    message[name] = value.replace("\r", "").replace("\n", "")
    return message


def _parameter(headers: Message, header: str, parameter: str) -> str | None:
    value = headers.get_param(parameter, header=header)
    if isinstance(value, tuple):  # RFC 2231: charset, language, value
        return value[2]
    return value
