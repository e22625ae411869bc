"""Real `cog` servers, the software that runs Replicate's models, and the little that lies between them and Replicate's API.

They run in an environment of their own, made from requirements/cog.txt when it is first needed.
"""

import asyncio
import json
import subprocess
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from functools import partial
from http import HTTPStatus
from itertools import count
from pathlib import Path
from typing import Any

import aiohttp
import httpx2
from aiohttp import web

from genesis.net.exchange import Reply
from tests.support.processes import free_port
from tests.support.providers.base import serving
from tests.support.third_party import environment

PREDICTORS = Path(__file__).parent / "cog_predictors"
_START_SECONDS = 60


@contextmanager
def cog_server(predictor: str, log: Path) -> Iterator[str]:
    """A server of one of the predictors beside this file, ready; gives its address.

    Args:
        predictor: name of its class.
    """
    programs, port = environment("cog"), free_port()
    variables = {
        "PATH": f"{programs}:/usr/bin:/bin",  # its worker process is started as `python`
        "PORT": str(port),
        "COG_PREDICT_TYPE_STUB": f"predict.py:{predictor}",
        "HOME": str(log.parent),
        "COG_LOG_LEVEL": "warning",
    }
    command: list[str | Path] = [programs / "python", "-m", "cog.server.http", "--host", "127.0.0.1", "--threads", "1"]
    with log.open("w") as written:
        process = subprocess.Popen(command, cwd=PREDICTORS, env=variables, stdout=written, stderr=written)
    try:
        _wait(f"http://127.0.0.1:{port}", process, log)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while True:
        assert process.poll() is None, log.read_text()
        try:
            status = httpx2.get(f"{url}/health-check", timeout=5).json().get("status")
        except httpx2.TransportError:
            status = ""
        if status == "READY":
            return
        assert status != "SETUP_FAILED", log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.05)


@dataclass
class HostedApi:
    """Replicate's paths before a cog server.

    A cog server that works in the background cannot be polled, it only tells webhooks. This keeps what they tell and gives
    it to whoever polls: every prediction that a client sees is one that cog itself has written, byte for byte.

    Attributes:
        told: the bytes of the last word on each prediction.
        inputs: what was asked for.
    """

    cog: str
    told: dict[str, bytes] = field(default_factory=dict)
    inputs: list[Any] = field(default_factory=list)
    numbers: Any = field(default_factory=count)


@asynccontextmanager
async def hosted(api: HostedApi) -> AsyncIterator[str]:
    """Serves the paths; gives their address."""
    app = web.Application(client_max_size=64 * 1024 * 1024)
    async with aiohttp.ClientSession() as session:
        app.router.add_post("/v1/predictions", partial(_create, api, session))
        app.router.add_post("/v1/models/{owner}/{name}/predictions", partial(_create, api, session))
        app.router.add_get("/v1/predictions/{id}", partial(_get, api))
        app.router.add_post("/v1/predictions/{id}/cancel", partial(_cancel, api, session))
        app.router.add_post("/webhook/{id}", partial(_webhook, api))
        async with serving(app) as url:
            yield url


async def _create(api: HostedApi, session: aiohttp.ClientSession, request: web.Request) -> web.StreamResponse:
    body = await request.json()
    api.inputs.append(body["input"])
    prediction_id = f"prediction{next(api.numbers)}"
    webhook = f"http://{request.host}/webhook/{prediction_id}"
    asked = {"id": prediction_id, "webhook": webhook, "input": body["input"]}
    reply = await predicted(session, api.cog, asked, {"Prefer": "respond-async"})
    api.told.setdefault(prediction_id, reply.body)  # a webhook may have been quicker
    return web.Response(body=reply.body, status=reply.status, content_type="application/json")


async def predicted(session: aiohttp.ClientSession, cog: str, body: Any, headers: Mapping[str, str]) -> Reply:
    """What a cog server answers to a prediction.

    It takes one at a time, and refuses for a moment after its last answer has been written.
    """
    async with asyncio.timeout(30):
        while True:
            async with session.post(f"{cog}/predictions", json=body, headers=headers) as reply:
                if reply.status != HTTPStatus.CONFLICT:
                    return Reply(reply.status, {"content-type": reply.content_type}, await reply.read())
            await asyncio.sleep(0.02)


async def _get(api: HostedApi, request: web.Request) -> web.StreamResponse:
    return web.Response(body=api.told[request.match_info["id"]], content_type="application/json")


async def _webhook(api: HostedApi, request: web.Request) -> web.StreamResponse:
    prediction_id, written = request.match_info["id"], await request.read()
    if not is_last(api.told.get(prediction_id)):  # cog sends its words side by side: the first may come after the last
        api.told[prediction_id] = written
    return web.Response()


def is_last(written: bytes | None) -> bool:
    return written is not None and json.loads(written).get("status") in ("succeeded", "failed", "canceled")


async def _cancel(api: HostedApi, session: aiohttp.ClientSession, request: web.Request) -> web.StreamResponse:
    async with session.post(f"{api.cog}/predictions/{request.match_info['id']}/cancel") as reply:
        return web.Response(body=await reply.read(), status=reply.status)
