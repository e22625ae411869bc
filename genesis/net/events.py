"""Server-sent events, as far as providers use them: https://html.spec.whatwg.org/multipage/server-sent-events.html."""

import re

from genesis.errors import ProviderAmbiguous

MEDIA_TYPE = "text/event-stream"
_LONGEST_LINE = 4 * 1024 * 1024
_LINE_END = re.compile(rb"\r\n|\n|\r")


class EventSplitter:
    """Cuts a stream into the data of its events; comments, names and ids are left out."""

    def __init__(self) -> None:
        self._begun: list[bytes] = []  # pieces of a line that has not ended
        self._begun_bytes = 0
        self._ends_in_return = False
        self._data: list[bytes] = []

    def feed(self, piece: bytes) -> list[bytes]:
        """The data of the events that this piece completes, each with its lines joined by line feeds.

        Raises:
            ProviderAmbiguous: a line does not end within 4 MiB.
        """
        if self._ends_in_return:  # it may have been half of a line's end
            piece = b"\r" + piece
        self._ends_in_return = piece.endswith(b"\r")
        *lines, rest = _LINE_END.split(piece[:-1] if self._ends_in_return else piece)
        if lines:
            lines[0] = b"".join((*self._begun, lines[0]))
            self._begun, self._begun_bytes = [], 0
        self._begun.append(rest)
        self._begun_bytes += len(rest)
        if self._begun_bytes > _LONGEST_LINE:
            raise ProviderAmbiguous("The provider streams a line that does not end.")
        return [event for line in lines if (event := self._read(line)) is not None]

    def _read(self, line: bytes) -> bytes | None:
        if line:
            name, _, value = line.partition(b":")
            if name == b"data":
                self._data.append(value.removeprefix(b" "))
            return None
        event = b"\n".join(self._data)
        self._data = []
        return event or None  # one without data is none, by the standard
