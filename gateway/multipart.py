"""Forms with a file (multipart/form-data, RFC 7578), read piece by piece: the file is never whole in memory or on disk."""

from collections.abc import AsyncIterable, AsyncIterator, Iterator

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from genesis.errors import FieldError, InvalidRequest

FILE = "file"

_FORM = b"multipart/form-data"
_MOST_HEADERS = 8
_LONGEST_HEADER_BYTES = 4096
_LONGEST_FIELD_BYTES = 4096
_LONGEST_BOUNDARY = 70
"""RFC 2046, 5.1.1."""
_PLAIN_ENCODINGS = (b"", b"binary", b"8bit", b"7bit")
_HINT = "Send a form with one part `file`, such as `curl -F file=@photo.png` does; or the content alone as the body."


def boundary_of(content_type: str) -> bytes | None:
    """What parts the form of a request with this Content-Type; None where it is no form.

    Raises:
        InvalidRequest: it is a form, but nobody can tell its parts.
    """
    kind, parameters = parse_options_header(content_type)
    if kind != _FORM:
        return None
    boundary = parameters.get(b"boundary", b"")
    if not 1 <= len(boundary) <= _LONGEST_BOUNDARY or b"\r" in boundary or b"\n" in boundary:
        raise malformed("its Content-Type names no boundary of 1 to 70 characters")
    return boundary


def malformed(reason: str) -> InvalidRequest:
    """The error of a form that cannot be read."""
    return InvalidRequest(f"The form cannot be read: {reason}.", hint=_HINT)


class FileForm:
    """A form with one file. It has no more parts than there are names, since none of them may come twice.

    Attributes:
        fields: its other parts by their names; complete when all pieces of the file have been taken.
        file_name: as the sender calls the file; "" for not at all.

    Args:
        known: names that fields may have.
    """

    def __init__(self, boundary: bytes, known: frozenset[str]) -> None:
        self.fields: dict[str, str] = {}
        self.file_name = ""
        self._known = known
        self._has_file = False
        self._ended = False
        self._part = ""  # the part that is read
        self._headers: dict[bytes, bytes] = {}
        self._name = bytearray()
        self._value = bytearray()
        self._field = bytearray()
        self._pieces: list[bytes] = []
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._part_begins,
                "on_part_data": self._data,
                "on_part_end": self._part_ends,
                "on_header_field": self._header_name,
                "on_header_value": self._header_value,
                "on_header_end": self._header_ends,
                "on_headers_finished": self._headers_end,
                "on_end": self._form_ends,
            },
            max_header_count=_MOST_HEADERS,
            max_header_size=_LONGEST_HEADER_BYTES,
        )

    async def file(self, body: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
        """The pieces of the file.

        Raises:
            InvalidRequest: the body is no such form, or has other fields, or too large ones.
        """
        async for data in body:
            for piece in self._read(data):
                yield piece
        if not self._ended:
            raise malformed("it ends before its last boundary")
        if not self._has_file:
            raise InvalidRequest("The form has no part `file`.", hint=_HINT, errors=(FieldError(FILE, "is missing"),))

    def _read(self, data: bytes) -> Iterator[bytes]:
        if self._ended:  # what follows the last boundary means nothing
            return
        try:
            self._parser.write(data)
        except FormParserError as error:
            raise malformed(str(error).rstrip(".")[:200] or "it is not made of parts") from None
        pieces, self._pieces = self._pieces, []
        yield from pieces

    def _part_begins(self) -> None:
        self._headers.clear()
        self._field.clear()

    def _header_name(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _header_ends(self) -> None:
        self._headers[bytes(self._name).lower()] = bytes(self._value)
        self._name.clear()
        self._value.clear()

    def _headers_end(self) -> None:
        kind, parameters = parse_options_header(self._headers.get(b"content-disposition", b"").decode("latin-1"))
        if kind != b"form-data" or b"name" not in parameters:
            raise malformed("a part has no name")
        if self._headers.get(b"content-transfer-encoding", b"").strip().lower() not in _PLAIN_ENCODINGS:
            raise malformed("a part has a Content-Transfer-Encoding, which is not read")
        self._part = parameters[b"name"].decode("utf-8", "replace")
        if self._part == FILE:
            if self._has_file:
                raise malformed("it has more than one file")
            self._has_file = True
            self.file_name = parameters.get(b"filename", b"").decode("utf-8", "replace").replace("%22", '"')
        elif self._part not in self._known:
            message = f"there is no field of this name; there are {FILE}, {', '.join(sorted(self._known))}"
            raise InvalidRequest(
                f"{self._part[:100]}: {message}.", hint=_HINT, errors=(FieldError(self._part[:100], message),)
            )
        elif self._part in self.fields:
            raise malformed(f"it has the field {self._part} twice")

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._part == FILE:
            self._pieces.append(data[start:end])
            return
        if len(self._field) + end - start > _LONGEST_FIELD_BYTES:
            raise malformed(f"the field {self._part} has more than {_LONGEST_FIELD_BYTES:,} bytes")
        self._field += data[start:end]

    def _part_ends(self) -> None:
        if self._part != FILE:
            self.fields[self._part] = self._field.decode("utf-8", "replace")
        self._part = ""

    def _form_ends(self) -> None:
        self._ended = True
