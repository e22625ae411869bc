"""The floor: what a durable job costs in Python when nothing is kept but its row, written by group commit.

No validation beyond JSON, no attempts, retries, events or recovery: not a product, but what one is measured against.
"""

import asyncio
import json
import os
import queue
import sqlite3
import threading
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import aiohttp

Message = MutableMapping[str, Any]
_WORKER = os.environ["WORKER_URL"] + "/generate"
_DATABASE = os.environ["DB_PATH"]
_JSON = {"Content-Type": "application/json"}
_LINGER_SECONDS = 0.001
_RUNS = 256
"""Jobs under way at once."""

_SCHEMA = """
    CREATE TABLE jobs (id TEXT PRIMARY KEY, status TEXT, request BLOB, result BLOB) WITHOUT ROWID;
    CREATE INDEX by_status ON jobs (status, id);
"""

Write = tuple[str, tuple[Any, ...], "asyncio.Future[None] | None"]


class Writer:
    """One thread; all that waits is written in one transaction."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._queue: queue.SimpleQueue[Write] = queue.SimpleQueue()
        threading.Thread(target=self._run, daemon=True).start()

    def write(self, sql: str, *values: Any) -> "asyncio.Future[None]":
        done = self._loop.create_future()
        self._queue.put((sql, values, done))
        return done

    def write_soon(self, sql: str, *values: Any) -> None:
        self._queue.put((sql, values, None))

    def _run(self) -> None:
        connection = sqlite3.connect(_DATABASE, isolation_level=None)
        connection.execute("PRAGMA synchronous = FULL")
        while True:
            writes = [self._queue.get()]
            time.sleep(_LINGER_SECONDS)
            while not self._queue.empty():
                writes.append(self._queue.get())
            connection.execute("BEGIN IMMEDIATE")
            for sql, values, _ in writes:
                connection.execute(sql, values)
            connection.execute("COMMIT")
            self._loop.call_soon_threadsafe(_settle, [done for _, _, done in writes if done])


def _settle(waiting: "list[asyncio.Future[None]]") -> None:
    for done in waiting:
        done.set_result(None)


class Prototype:
    """The whole service."""

    def __init__(self) -> None:
        self._reader = sqlite3.connect(_DATABASE, isolation_level=None)
        self._reader.execute("PRAGMA journal_mode = WAL")
        self._reader.executescript(_SCHEMA)
        self._writer = Writer()
        self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
        self._slots = asyncio.Semaphore(_RUNS)
        self._tasks: set[asyncio.Task[None]] = set()
        self._prefix = time.time_ns()
        self._count = 0

    async def submit(self, body: bytes) -> bytes:
        text = json.loads(body)["inputs"]["text"]
        self._count += 1
        job_id = f"{self._prefix:016x}{self._count:08x}"
        await self._writer.write("INSERT INTO jobs VALUES (?, 'queued', ?, NULL)", job_id, body)
        task = asyncio.create_task(self._work(job_id, text))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return json.dumps({"job_id": job_id, "status": "queued"}).encode()

    async def _work(self, job_id: str, text: str) -> None:
        async with self._slots:
            self._writer.write_soon("UPDATE jobs SET status = 'running' WHERE id = ?", job_id)
            async with self._session.post(_WORKER, data=json.dumps({"text": text}), headers=_JSON) as reply:
                answer = await reply.read()
            await self._writer.write("UPDATE jobs SET status = 'completed', result = ? WHERE id = ?", answer, job_id)

    def look_up(self, job_id: str) -> bytes:
        found = self._reader.execute("SELECT status, result FROM jobs WHERE id = ?", (job_id,)).fetchone()
        outputs = json.loads(found[1]) if found[1] else {}
        return json.dumps({"job_id": job_id, "status": found[0], "outputs": outputs}).encode()


_service: Prototype


async def app(
    scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
) -> None:
    """`POST /jobs`, `GET /jobs/{job_id}`, `GET /health`."""
    global _service  # noqa: PLW0603 - the one state of a process that does one thing
    if scope["type"] == "lifespan":
        await receive()
        _service = Prototype()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})
        return
    path: str = scope["path"]
    answer = b'"ok"'
    if scope["method"] == "POST":
        answer = await _service.submit((await receive())["body"])
    elif path.startswith("/jobs/"):
        answer = _service.look_up(path.removeprefix("/jobs/"))
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(answer))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": answer})
