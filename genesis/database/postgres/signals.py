"""Hints between processes through `LISTEN` and `NOTIFY` (line 20 of the protocol).

The ledger's hints travel within its transactions, once per flush. All others are gathered for a moment and sent on the
connection that listens, which is not one that writes.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress

from genesis.database.hub import SignalHub
from genesis.database.postgres.connection import REFUSALS, Connection, Server, reason
from genesis.database.postgres.messages import CHANNEL, decode, encode, is_from
from genesis.domain.identity import new_id
from genesis.ports.signals import Listener, Reread, Signal

logger = logging.getLogger(__name__)

_GATHERING_SECONDS = 0.05
_CHECK_SECONDS = 5.0
"""How often the listening connection is asked whether it still lives: nothing else would tell, for it only listens."""
_LONGEST_PAUSE_SECONDS = 2.0
_MOST_GATHERED = 10_000
"""Hints that are gathered while the database is away; beyond that the oldest are dropped."""


class PostgresSignals:
    """Implements the port `Signals` between all processes on one database.

    After the listening connection was lost, and whenever too much has changed to be told, listeners get `Reread`.
    """

    def __init__(self, server: Server) -> None:
        self._server = server
        self._hub = SignalHub()
        self._sender = new_id()
        self._gathered: list[Signal] = []
        self._something = asyncio.Event()
        self._connection: Connection | None = None
        self._turn = asyncio.Lock()  # a connection does one thing at a time
        self._lost = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    async def open(self) -> None:
        """Begins to listen.

        Raises:
            one of `REFUSALS`: the database cannot be reached.
        """
        self._connection = await self._listening()
        self._tasks = [asyncio.create_task(self._keep_listening()), asyncio.create_task(self._send_gathered())]

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._connection is not None:
            self._connection.terminate()

    def listen(self, listener: Listener) -> Callable[[], None]:
        return self._hub.listen(listener)

    def send(self, signal: Signal) -> None:
        self._hub.send(signal)
        self._gathered.append(signal)
        if len(self._gathered) > _MOST_GATHERED:
            del self._gathered[: _MOST_GATHERED // 2]
        self._something.set()

    def tell(self, signals: Sequence[Signal]) -> None:
        """Passes on what a transaction has just announced to all other processes."""
        self._hub.send_all(signals)

    def announcement(self, signals: Sequence[Signal]) -> str:
        """SQL that announces hints to the other processes when its transaction is committed."""
        if not signals:
            return ""
        payloads = (payload.replace("'", "''").replace("\\", "\\\\") for payload in encode(self._sender, signals))
        return "".join(f"SELECT pg_notify('{CHANNEL}', E'{payload}');" for payload in payloads)

    async def _listening(self) -> Connection:
        connection = await self._server.connect("signals")
        try:
            async with asyncio.timeout(_CHECK_SECONDS):
                await connection.add_listener(CHANNEL, self._heard)
        except BaseException:
            connection.terminate()
            raise
        self._lost.clear()
        connection.add_termination_listener(lambda _: self._lost.set())
        return connection

    def _heard(self, _connection: object, _process: int, _channel: str, payload: object) -> None:
        text = str(payload)
        if not is_from(self._sender, text):
            self._hub.send_all(decode(text))

    async def _keep_listening(self) -> None:
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(_CHECK_SECONDS):
                    await self._lost.wait()
            if self._connection is None or not await self._execute("SELECT 1"):
                logger.warning("no hints from other processes until the database is back")
                await self._listen_again()

    async def _listen_again(self) -> None:
        self._drop()
        pause = 0.05
        while self._connection is None:
            try:
                self._connection = await self._listening()
            except REFUSALS as error:
                logger.debug("the database does not answer: %s", reason(error))
                await asyncio.sleep(pause)
                pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)
        logger.info("hints from other processes arrive again")
        self._hub.send(Reread())

    async def _send_gathered(self) -> None:
        while True:
            await self._something.wait()
            await asyncio.sleep(_GATHERING_SECONDS)
            self._something.clear()
            signals, self._gathered = self._gathered, []
            await self._execute(self.announcement(signals))

    async def _execute(self, statement: str) -> bool:
        """Whether it worked; without a connection it does not, and hints are lost, which they may be."""
        async with self._turn:
            if self._connection is None:
                return False
            try:
                await self._connection.execute(statement, timeout=_CHECK_SECONDS)
            except REFUSALS as error:
                logger.debug("the listening connection does not work: %s", reason(error))
                self._lost.set()
                return False
            return True

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.terminate()
