"""Server-sent events, as far as providers use them: https://html.spec.whatwg.org/multipage/server-sent-events.html."""

import re

from genesis.errors import ProviderAmbiguous

MEDIA_TYPE = "text/event-stream"
_LONGEST_LINE = 4 * 1024 * 1024
_LINE_END = re.compile(rb"\r\n|\n|\r")


class EventSplitter:
    """Cuts a stream into the data of its events; comments, names and ids are left out."""

    def __init__(self) -> None:
        self._begun = b""
        self._data: list[bytes] = []

    def feed(self, piece: bytes) -> list[bytes]:
        """The data of the events that this piece completes, each with its lines joined by line feeds.

        Raises:
            ProviderAmbiguous: a line does not end within 4 MiB.
        """
        text = self._begun + piece
        # A carriage return at the very end may be half of a line's end.
        held = text[-1:] == b"\r"
        *lines, self._begun = _LINE_END.split(text[:-1] if held else text)
        if held:
            self._begun += b"\r"
        if len(self._begun) > _LONGEST_LINE:
            raise ProviderAmbiguous("The provider streams a line that does not end.")
        return [event for line in lines if (event := self._read(line)) is not None]

    def _read(self, line: bytes) -> bytes | None:
        if line:
            name, _, value = line.partition(b":")
            if name == b"data":
                self._data.append(value.removeprefix(b" "))
            return None
        event = b"\n".join(self._data) if self._data else None
        self._data = []
        return event
