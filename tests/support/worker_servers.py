"""Workers on real ports, and clients of them."""

import threading
import time
from contextlib import asynccontextmanager, contextmanager

import aiohttp
import uvicorn
from aiohttp import web

from genesis.capabilities.catalog import CAPABILITIES
from genesis.domain.identity import new_id
from genesis.net.session import Session
from genesis.ports.workers import Call
from genesis.transport.http import HttpWorkers
from genesis.transport.in_process import InProcessWorkers
from tests.support.paid_provider import PaidProvider, app_of, journal_of
from tests.support.processes import free_port
from workers.app import create_worker
from workers.open import open_worker


@contextmanager
def running(app, **more):
    """A worker in a thread with its own event loop, on a real port."""
    port = free_port()
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_config=None, timeout_graceful_shutdown=1, **more))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(10)


@asynccontextmanager
async def client_of(capability, url, *, clock=None):
    async with Session(aiohttp.ClientTimeout()) as session:
        yield HttpWorkers(session, {capability: url}, call_seconds=20, clock=clock)


@asynccontextmanager
async def over_http(capability, settings, *, clock=None):
    with running(create_worker(capability, settings, clock)) as url:
        async with client_of(capability, url, clock=clock) as client:
            yield client


@asynccontextmanager
async def in_process(capability, settings, *, clock=None):
    async with open_worker(capability, settings, clock) as service:
        yield InProcessWorkers({capability: service})


def call(capability="text", value="hi", *, attempt=None, call_key=None, not_after=0, **options):
    name = next(iter(CAPABILITIES[capability].input.model_fields))
    return Call(attempt or new_id(), call_key or new_id(), capability, {name: value}, options, not_after)


class Paid:
    """The paid provider, running in the event loop of a test."""

    def __init__(self, url, journal):
        self.url = url
        self._journal = journal

    @property
    def charges(self):
        return journal_of(self._journal)


@asynccontextmanager
async def paid_provider(folder):
    journal = folder / "journal"
    runner = web.AppRunner(app_of(PaidProvider(str(journal))), shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield Paid(f"http://127.0.0.1:{runner.addresses[0][1]}", str(journal))
    finally:
        await runner.cleanup()


@asynccontextmanager
async def answering(handler):
    """A client of a worker that answers as the handler says."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handler)
    runner = web.AppRunner(app)
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        async with client_of("text", f"http://127.0.0.1:{port}") as client:
            yield client
    finally:
        await runner.cleanup()
