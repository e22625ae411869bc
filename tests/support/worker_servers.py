"""Workers on real ports, and clients of them."""

import threading
import time
from contextlib import asynccontextmanager, contextmanager

import aiohttp
import uvicorn

from genesis.capabilities.catalog import CAPABILITIES
from genesis.domain.identity import new_id
from genesis.net.session import open_session
from genesis.ports.workers import Call
from genesis.transport.http import HttpWorkers
from genesis.transport.in_process import InProcessWorkers
from tests.support.processes import free_port
from workers.app import create_worker
from workers.service import open_worker


@contextmanager
def running(app):
    """A worker in a thread with its own event loop, on a real port."""
    port = free_port()
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_config=None))
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
async def client_of(capability, url):
    async with open_session(aiohttp.ClientTimeout()) as session:
        yield HttpWorkers(session, {capability: url}, call_seconds=20)


@asynccontextmanager
async def over_http(capability, settings):
    with running(create_worker(capability, settings)) as url:
        async with client_of(capability, url) as client:
            yield client


@asynccontextmanager
async def in_process(capability, settings):
    async with open_worker(capability, settings) as service:
        yield InProcessWorkers({capability: service})


def call(capability="text", value="hi", *, attempt=None, call_key=None, **options):
    name = next(iter(CAPABILITIES[capability].input.model_fields))
    return Call(attempt or new_id(), call_key or new_id(), capability, {name: value}, options)
