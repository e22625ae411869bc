"""A proxy in front of a database server, which can cut its connections, or fall silent, at a chosen word."""

import asyncio
import tempfile
from contextlib import asynccontextmanager
from pathlib import Path

_SOCKET = ".s.PGSQL.5432"


class Proxy:
    """Passes everything on, until it is told not to.

    Attributes:
        folder: where clients find its socket.
    """

    def __init__(self, server: Path) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="px-", dir="/tmp"))
        self.cuts = 0
        self._server = server
        self._word: bytes | None = None
        self._passing = False
        self._muting = False
        self._open: set[asyncio.StreamWriter] = set()

    def cut_at(self, word: bytes, *, passing: bool) -> None:
        """The next client that says the word loses its connection.

        Args:
            passing: whether the server still hears it.
        """
        self._word, self._passing, self._muting = word, passing, False

    def mute_at(self, word: bytes) -> None:
        """The next client that says the word is not answered any more, and keeps its connection."""
        self._word, self._muting = word, True

    @asynccontextmanager
    async def running(self):
        listener = await asyncio.start_unix_server(self._serve, self.folder / _SOCKET)
        try:
            yield self
        finally:
            listener.close()
            for writer in self._open:
                writer.transport.abort()
            await asyncio.sleep(0)

    async def _serve(self, client: asyncio.StreamReader, answer: asyncio.StreamWriter) -> None:
        upstream, to_server = await asyncio.open_unix_connection(self._server / _SOCKET)
        self._open |= {answer, to_server}
        back = asyncio.create_task(_pass_on(upstream, answer))
        try:
            while data := await client.read(65536):
                if self._word is not None and self._word in data:
                    if self._muting:
                        await self._hear_out(client)
                    else:
                        await self._cut(data, to_server, answer)
                    break
                to_server.write(data)
        except ConnectionError:
            pass  # the other side has gone, which is what tests are about
        finally:
            back.cancel()
            to_server.close()
            answer.close()
            self._open -= {answer, to_server}

    async def _hear_out(self, client: asyncio.StreamReader) -> None:
        self._word = None
        self.cuts += 1
        while await client.read(65536):
            pass

    async def _cut(self, data: bytes, to_server: asyncio.StreamWriter, answer: asyncio.StreamWriter) -> None:
        self._word = None
        self.cuts += 1
        answer.transport.abort()
        if self._passing:
            to_server.write(data)
            await to_server.drain()
            await asyncio.sleep(0.3)  # the server works on it although nobody waits


async def _pass_on(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    try:
        while data := await source.read(65536):
            target.write(data)
    except ConnectionError:
        pass  # the same
    finally:
        target.close()
