"""A server that speaks as Replicate's API does: predictions, files, models, and the files of its results.

Beside the faults of base.py a prompt may carry these, which all come after the charge:

    held          never ends                             failed        ends as `failed`
    poll-error:N  the first N polls are answered 502     poll-reset:N  the first N polls lose the connection
    removed       its result has been removed
"""

import asyncio
import re
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from typing import Any

from aiohttp import web

from genesis.net.exchange import Request
from genesis.providers import fake
from tests.support.providers.base import FakeProvider, delivered, interfere, noted, reset

OFFICIAL = "hidden"
_COUNT = re.compile(r"\[fault:[a-z-]+:(\d+)\]")
_SCHEMA = {"components": {"schemas": {"Output": {"type": "string"}}}}


@dataclass
class Prediction:
    """A prediction, as it stands."""

    id: str
    model: str
    version: str
    input: dict[str, Any]
    fault: str
    bad_polls_left: int
    status: str = "starting"
    output: Any = None
    error: str | None = None


@dataclass
class FakeReplicate(FakeProvider):
    """What the server knows."""

    predictions: dict[str, Prediction] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    numbers: Any = field(default_factory=count)


def app_of(provider: FakeReplicate) -> web.Application:
    """The server."""
    app = web.Application(client_max_size=64 * 1024 * 1024, middlewares=[noted(provider), _authorized(provider)])
    app.router.add_get("/v1/account", account)
    app.router.add_post("/v1/predictions", partial(create, provider))
    app.router.add_post("/v1/models/{owner}/{name}/predictions", partial(create, provider))
    app.router.add_get("/v1/models/{owner}/{name}/versions/{version}", version)
    app.router.add_get("/v1/predictions/{id}", partial(get, provider))
    app.router.add_post("/v1/predictions/{id}/cancel", partial(cancel, provider))
    app.router.add_post("/v1/files", partial(upload, provider))
    app.router.add_get("/v1/files/{id}", partial(download, provider))
    app.router.add_get("/delivery/{name}", result_file)
    return app


def _authorized(provider: FakeReplicate) -> Any:
    @web.middleware
    async def check(request: web.Request, handler: Any) -> web.StreamResponse:
        if request.path.startswith("/v1/") and request.headers.get("Authorization") != f"Bearer {provider.key}":
            return problem(401, "You did not pass a valid authentication token.")
        response: web.StreamResponse = await handler(request)
        return response

    return check


async def account(request: web.Request) -> web.StreamResponse:
    return web.json_response({"type": "user", "username": "tester", "name": "Tester", "github_url": None})


async def version(request: web.Request) -> web.StreamResponse:
    written = {"id": request.match_info["version"], "created_at": "2026-01-01T00:00:00Z", "cog_version": "0.23.1"}
    return web.json_response({**written, "openapi_schema": _SCHEMA})


async def create(provider: FakeReplicate, request: web.Request) -> web.StreamResponse:
    body = await request.json()
    owner, name = request.match_info.get("owner"), request.match_info.get("name")
    model = f"{owner}/{name}" if owner else str(body.get("version", "")).partition(":")[0]
    if owner == "nobody" or "input" not in body:
        return problem(404 if owner == "nobody" else 422, "The requested resource could not be found.")
    prompt = _prompt(provider, body["input"])
    fault, capability = provider.fault(prompt), _capability(model, body["input"])
    charged = partial(provider.charge, capability, prompt, fault)
    if (answer := await interfere(request, fault, charged, refusal)) is not None:
        return answer
    charged()
    mark = _COUNT.search(prompt)
    bad_polls = int(mark[1]) if mark and fault in ("poll-error", "poll-reset") else 0
    prediction_version = body.get("version", OFFICIAL).rpartition(":")[2]
    prediction_id = f"q7tb30dn95rm80c{next(provider.numbers)}"
    prediction = Prediction(prediction_id, model, prediction_version, body["input"], fault, bad_polls)
    provider.predictions[prediction.id] = prediction
    if request.headers.get("Prefer", "").startswith("wait") and fault != "held":
        await asyncio.sleep(0.05)
        _proceed(request, prediction, "succeeded")
    answer = await delivered(request, _json(_written(request, prediction)), "application/json", fault)
    if not answer.prepared:
        answer.set_status(201)
    return answer


async def get(provider: FakeReplicate, request: web.Request) -> web.StreamResponse:
    prediction = provider.predictions.get(request.match_info["id"])
    if prediction is None:
        return problem(404, "The requested resource could not be found.")
    if prediction.bad_polls_left:
        prediction.bad_polls_left -= 1
        return reset(request) if prediction.fault == "poll-reset" else web.Response(text="<html>", status=502)
    if prediction.status == "starting":
        prediction.status = "processing"
    elif prediction.status == "processing" and prediction.fault != "held":
        _proceed(request, prediction, "failed" if prediction.fault == "failed" else "succeeded")
    return web.json_response(_written(request, prediction))


async def cancel(provider: FakeReplicate, request: web.Request) -> web.StreamResponse:
    prediction = provider.predictions.get(request.match_info["id"])
    if prediction is None:
        return problem(404, "The requested resource could not be found.")
    if prediction.status in ("starting", "processing"):
        prediction.status = "canceled"
    return web.json_response(_written(request, prediction))


async def upload(provider: FakeReplicate, request: web.Request) -> web.StreamResponse:
    async for part in await request.multipart():
        if part.name == "content":
            data, name = bytes(await part.read()), part.filename or "file"
            file_id = f"file{next(provider.numbers)}"
            provider.files[file_id] = data
            url = f"http://{request.host}/v1/files/{file_id}"
            written = {"id": file_id, "name": name, "content_type": part.headers.get("Content-Type", "")}
            sums = {"etag": "e", "checksums": {"sha256": "0"}, "metadata": {}}
            moments = {"created_at": "2026-01-01T00:00:00Z", "expires_at": "2026-01-02T00:00:00Z"}
            return web.json_response(
                {**written, "size": len(data), **sums, **moments, "urls": {"get": url}}, status=201
            )
    return problem(422, "content is missing")


async def download(provider: FakeReplicate, request: web.Request) -> web.StreamResponse:
    return web.Response(body=provider.files[request.match_info["id"]])


async def result_file(request: web.Request) -> web.StreamResponse:
    spoken = request.match_info["name"].endswith(".wav")
    form = {"text": "hello"} if spoken else {"text": "a cat", "options": '{"quality": "draft"}'}
    reply = fake.answer(Request("POST", "/speech" if spoken else "/image", form=form))
    return web.Response(body=reply.body, content_type=reply.media_type)


def problem(status: int, detail: str) -> web.Response:
    headers = {"Retry-After": "1"} if status == 429 else {}
    return web.json_response({"title": "Problem", "detail": detail, "status": status}, status=status, headers=headers)


def refusal(status: int) -> web.Response:
    return problem(status, f"fault {status}")


def _proceed(request: web.Request, prediction: Prediction, status: str) -> None:
    prediction.status = status
    if status == "failed":
        prediction.error = "CUDA out of memory"
    elif prediction.fault != "removed":
        prediction.output = _output(request, prediction)


def _written(request: web.Request, prediction: Prediction) -> dict[str, Any]:
    url = f"http://{request.host}/v1/predictions/{prediction.id}"
    urls = {"get": url, "cancel": f"{url}/cancel", "web": f"https://replicate.com/p/{prediction.id}"}
    ended = prediction.status not in ("starting", "processing")
    return {
        "id": prediction.id,
        "model": prediction.model,
        "version": prediction.version,
        "input": prediction.input,
        "output": prediction.output,
        "status": prediction.status,
        "error": prediction.error,
        "logs": "",
        "metrics": {"predict_time": 1.25, "total_time": 1.5} if ended else {},
        "urls": urls,
        "source": "api",
        "data_removed": prediction.fault == "removed",
        "created_at": "2026-01-01T00:00:00.123Z",
        "started_at": None,
        "completed_at": None,
    }


def _output(request: web.Request, prediction: Prediction) -> Any:
    url = f"http://{request.host}/delivery/{prediction.id}"
    match _capability(prediction.model, prediction.input):
        case "text":
            return ["an", " answer", " of", " tokens"]
        case "speech":
            return f"{url}.wav"
        case "transcription":
            segments = [{"id": 0, "seek": 0, "start": 0, "end": 1.5, "text": " The spoken words."}]
            return {"transcription": " The spoken words.", "segments": segments, "detected_language": "english"}
    return [f"{url}.png"] if "flux-schnell" in prediction.model else f"{url}.png"


def _capability(model: str, given: dict[str, Any]) -> str:
    if "audio" in given:
        return "transcription"
    if "text" in given:
        return "speech"
    return "text" if "llama" in model else "image"


def _prompt(provider: FakeReplicate, given: dict[str, Any]) -> str:
    words = " ".join(str(given[name]) for name in ("prompt", "text") if name in given)
    uploaded = str(given.get("audio", "")).rpartition("/")[2]
    return words + provider.files.get(uploaded, b"").decode("latin-1")


def _json(document: dict[str, Any]) -> bytes:
    return web.json_response(document).body  # type: ignore[return-value]
