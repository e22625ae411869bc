"""A server that speaks as fal's queue does: submit, status, result, cancel, and the files of its results.

Beside the faults of base.py a prompt may carry these, of which all but `runner-error` are charged:

    held          never complete                         model-error   complete, and its result is a 422 of the model
    runner-error  complete with an error type, a 503     poll-error:N  the first N polls are answered with 503
    poll-reset:N  the first N polls lose the connection  foreign       its URLs are those of another server
    early         the result is not there yet when it is first asked for
"""

import base64
import re
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from aiohttp import web

from genesis.net.exchange import Request
from genesis.providers import fake
from tests.support.providers.base import FakeProvider, delivered, interfere, noted, reset

UNITS = "1.0486"
_COUNT = re.compile(r"\[fault:[a-z-]+:(\d+)\]")
_SPOKEN = ("kokoro", "dia-tts", "tts")


@dataclass
class Queued:
    """A request in the queue, as it stands."""

    id: str
    app: str
    capability: str
    fault: str
    bad_polls_left: int
    status: str = "IN_QUEUE"
    polls: int = 0
    results_asked: int = 0
    canceled: bool = False


@dataclass
class FakeFal(FakeProvider):
    """What the server knows."""

    queue: dict[str, Queued] = field(default_factory=dict)


def app_of(provider: FakeFal) -> web.Application:
    """The server."""
    app = web.Application(client_max_size=64 * 1024 * 1024, middlewares=[noted(provider)])
    app.router.add_get("/files/{name}", file)
    for path, handler in (("/status", status), ("", result)):
        app.router.add_get(f"/{{owner}}/{{alias}}/requests/{{id}}{path}", partial(_of_request, provider, handler))
    app.router.add_put("/{owner}/{alias}/requests/{id}/cancel", partial(_of_request, provider, cancel))
    app.router.add_post("/{app:.+}", partial(submit, provider))
    return app


async def submit(provider: FakeFal, request: web.Request) -> web.StreamResponse:
    if request.headers.get("Authorization") != f"Key {provider.key}":
        return refusal(401)
    app = request.match_info["app"]
    if app.startswith("nobody/"):
        return web.json_response({"detail": f"Application '{app}' not found"}, status=404)
    body = await request.json()
    prompt, fault = _prompt(body), provider.fault(_prompt(body))
    capability = _capability(app)
    charged = partial(provider.charge, capability, prompt, fault)
    if (answer := await interfere(request, fault, charged, refusal)) is not None:
        return answer
    charge = charged()
    count = _COUNT.search(prompt)
    bad_polls = int(count[1]) if count and fault in ("poll-error", "poll-reset") else 0
    owner_alias = "/".join(app.split("/")[:2])
    queued = Queued(f"764cabcf-{charge.id}", owner_alias, capability, fault, bad_polls)
    provider.queue[queued.id] = queued
    if fault == "runner-error":
        provider.charges.remove(charge)
    return await delivered(request, _json(_written(request, queued)), "application/json", fault)


async def _of_request(provider: FakeFal, handler: Any, request: web.Request) -> web.StreamResponse:
    if request.headers.get("Authorization") != f"Key {provider.key}":
        return refusal(401)
    queued = provider.queue.get(request.match_info["id"])
    if queued is None or queued.app != f"{request.match_info['owner']}/{request.match_info['alias']}":
        return web.json_response({"detail": "Request not found"}, status=404)
    answer: web.StreamResponse = await handler(request, queued)
    return answer


async def status(request: web.Request, queued: Queued) -> web.StreamResponse:
    if queued.bad_polls_left:
        queued.bad_polls_left -= 1
        return reset(request) if queued.fault == "poll-reset" else refusal(503)
    queued.polls += 1
    if queued.canceled:
        queued.status = "COMPLETED"
    elif queued.fault != "held":
        queued.status = "IN_PROGRESS" if queued.polls == 1 else "COMPLETED"
    return web.json_response(_written(request, queued), status=200 if queued.status == "COMPLETED" else 202)


async def result(request: web.Request, queued: Queued) -> web.StreamResponse:
    queued.results_asked += 1
    if queued.status != "COMPLETED" or (queued.fault == "early" and queued.results_asked == 1):
        return web.json_response({"detail": "Request is still in progress"}, status=400)
    if queued.fault == "model-error":
        detail = [{"loc": ["body", "prompt"], "msg": "The prompt is not allowed.", "type": "content_policy_violation"}]
        return web.json_response({"detail": detail}, status=422)
    if queued.fault == "runner-error":
        error = {"detail": "Runner disconnected", "error_type": "runner_disconnected"}
        return web.json_response(error, status=503, headers={"X-Fal-Error-Type": "runner_disconnected"})
    headers = {"x-fal-request-id": queued.id, "x-fal-billable-units": UNITS}
    return web.json_response(_result(request, queued), headers=headers)


async def cancel(request: web.Request, queued: Queued) -> web.StreamResponse:
    if queued.status == "COMPLETED":
        return web.json_response({"status": "ALREADY_COMPLETED"}, status=400)
    queued.canceled = True
    return web.json_response({"status": "CANCELLATION_REQUESTED"}, status=202)


async def file(request: web.Request) -> web.StreamResponse:
    spoken = request.match_info["name"].endswith(".wav")
    form = {"text": "hello"} if spoken else {"text": "a cat", "options": '{"quality": "draft"}'}
    reply = fake.answer(Request("POST", "/speech" if spoken else "/image", form=form))
    return web.Response(body=reply.body, content_type=reply.media_type)


def refusal(status: int) -> web.Response:
    headers = {"Retry-After": "1"} if status == 429 else {}
    return web.json_response({"detail": f"fault {status}"}, status=status, headers=headers)


def _written(request: web.Request, queued: Queued) -> dict[str, Any]:
    """What a submit and a status say; the client of fal reads `logs` of all but the first state."""
    host = "https://queue.example" if queued.fault == "foreign" else f"http://{request.host}"
    url = f"{host}/{queued.app}/requests/{queued.id}"
    urls = {"response_url": url, "status_url": f"{url}/status", "cancel_url": f"{url}/cancel"}
    body = {"status": queued.status, "request_id": queued.id, **urls, "queue_position": 0, "logs": None}
    if queued.status == "COMPLETED":
        body["metrics"] = {"inference_time": 0.5}
        if queued.fault == "runner-error":
            body |= {"error": "Runner disconnected", "error_type": "runner_disconnected"}
        if queued.canceled:  # what fal says of such a request is not documented; it may be this
            body |= {"error": "Request was cancelled", "error_type": "client_cancelled"}
    return body


def _result(request: web.Request, queued: Queued) -> dict[str, Any]:
    url = f"http://{request.host}/files/{queued.id}"
    if queued.capability == "speech":
        return {"audio": {"url": f"{url}.wav", "content_type": "audio/wav", "file_name": "out.wav", "file_size": 9}}
    if queued.capability == "transcription":
        chunks = [{"timestamp": [0.0, 1.5], "text": " The spoken"}, {"timestamp": [1.5, 2], "text": " words."}]
        return {"text": " The spoken words.", "chunks": chunks, "inferred_languages": ["en"]}
    image = {"url": f"{url}.png", "content_type": "image/png", "width": 1024, "height": 1024}
    return {"images": [image], "timings": {"inference": 0.5}, "seed": 7, "has_nsfw_concepts": [False], "prompt": "x"}


def _capability(app: str) -> str:
    if "whisper" in app:
        return "transcription"
    return "speech" if any(word in app for word in _SPOKEN) else "image"


def _prompt(body: dict[str, Any]) -> str:
    """What may carry a mark: the words, or the bytes of a file."""
    words = " ".join(str(body[name]) for name in ("prompt", "text", "input") if name in body)
    for name in ("audio_url", "image_url"):
        if str(body.get(name, "")).startswith("data:"):
            words += base64.b64decode(body[name].partition(",")[2]).decode("latin-1")
    return words


def _json(document: dict[str, Any]) -> bytes:
    return web.json_response(document).body  # type: ignore[return-value]
