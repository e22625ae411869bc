"""A fake of Hugging Face's router, of the partners behind it, and of what its SDK asks the Hub.

Beside the faults of all fake providers: `loading` (503 with a time, N times), `no-credit` (402), `lost` (a queued request
fails after the charge) and `slow` (a prediction that is not done within the wait). A request is charged once it is taken.
"""

import base64
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from aiohttp import web

from tests.support.providers.base import FakeProvider, delivered, interfere, noted
from tests.support.providers.huggingface_forms import (
    a_png,
    a_wav,
    fal_envelope,
    refuse,
    refuse_as_fal,
    refuse_as_openai,
    refuse_as_replicate,
    refuse_as_wavespeed,
    wavespeed_task,
)

KEY = "hf_key_of_the_fake_router"
SPOKEN = "He was surprised."
_POLLS = 2  # until a queued request is done
_TASKS = {
    "image": "text-to-image",
    "whisper": "automatic-speech-recognition",
    "speech": "text-to-speech",
    "edit": "image-to-image",
    "chat": "conversational",
}
_Respond = Callable[[str], Awaitable[web.StreamResponse]]


@dataclass
class FakeRouter(FakeProvider):
    """What the router knows beside its journal.

    Attributes:
        queued: requests under way by their ids: what they make, the polls until they are done, and their fault.
        canceled: ids of those that were given up.
        uploads: bodies that were no JSON, with their content type.
    """

    key: str = KEY
    queued: dict[str, list] = field(default_factory=dict)
    canceled: list[str] = field(default_factory=list)
    uploads: list[tuple[str, bytes]] = field(default_factory=list)

    def polled(self, name):
        """How often the request still has to be asked for, and its fault."""
        entry = self.queued[name]
        entry[1] = max(0, entry[1] - 1)
        return entry[1], entry[2]


def app_of(provider: FakeRouter) -> web.Application:
    """The server."""
    app = web.Application(middlewares=[noted(provider), _keyed(provider)], client_max_size=2**26)
    routes = _Routes(provider)
    post, get = app.router.add_post, app.router.add_get
    get("/api/whoami-v2", routes.whoami)
    get("/api/models/{model:.+}", routes.model)
    get("/files/{name}", routes.file)
    post("/v1/chat/completions", routes.chat)
    post("/hf-inference/models/{model:.+}", routes.hf_inference)
    post("/replicate/v1/models/{model:.+}/predictions", routes.replicate)
    post("/replicate/v1/predictions", routes.replicate)
    get("/replicate/v1/predictions/{id}", routes.prediction)
    post("/replicate/v1/predictions/{id}/cancel", routes.cancel)
    post("/{partner:together|nscale}/v1/images/generations", routes.openai_image)
    post("/together/v1/audio/speech", routes.openai_speech)
    post("/deepinfra/v1/openai/audio/speech", routes.openai_speech)
    post("/deepinfra/v1/openai/audio/transcriptions", routes.deepinfra_transcription)
    post("/wavespeed/api/v3/{model:.+}", routes.wavespeed)
    post("/zai-org/api/paas/v4/async/images/generations", routes.zai)
    get("/zai-org/api/paas/v4/async-result/{id}", routes.zai_result)
    # The SDK puts the partner's name before the path of a poll for the router's true host name only.
    for partner in ("/wavespeed", ""):
        get(partner + "/api/v3/predictions/{id}/result", routes.wavespeed_result)
    for partner in ("/fal-ai", ""):
        get(partner + "/{model:.+}/requests/{id}/status", routes.fal_status)
        get(partner + "/{model:.+}/requests/{id}", routes.fal_result)
        app.router.add_put(partner + "/{model:.+}/requests/{id}/cancel", routes.cancel)
    post("/fal-ai/{model:.+}", routes.fal)
    return app


def _keyed(provider):
    @web.middleware
    async def check(request, handler):
        public = request.path.startswith(("/files/", "/api/models/"))
        if public or request.headers.get("Authorization") == f"Bearer {provider.key}":
            return await handler(request)
        return web.json_response({"error": "Invalid username or password."}, status=401)

    return check


class _Routes:
    def __init__(self, provider: FakeRouter) -> None:
        self._provider = provider

    async def _work(self, request, capability, prompt, respond: _Respond, refused=None):
        """One paid request: what goes wrong, the charge, and the answer."""
        fault = self._provider.fault(prompt)
        if fault == "loading":
            body = {"error": "Model a/b is currently loading", "estimated_time": 0.1}
            return web.json_response(body, status=503)
        if fault == "no-credit":
            text = "You have exceeded your monthly included credits for Inference Providers."
            return web.json_response({"error": text}, status=402)
        shown = prompt if isinstance(prompt, str) else capability

        def charge():
            return self._provider.charge(capability, shown, fault)

        interfered = await interfere(request, fault, charge, refused or refuse)
        if interfered is not None:
            return interfered
        charge()
        return await respond(fault)

    async def _json(self, request, document, fault, status=200):
        response = await delivered(request, json.dumps(document).encode(), "application/json", fault)
        if status != 200 and not response.prepared:
            response.set_status(status)
        return response

    def _queue(self, what, fault):
        name = f"request-{len(self._provider.queued) + 1}"
        self._provider.queued[name] = [what, _POLLS, fault]
        return name

    async def whoami(self, request):
        return web.json_response({"type": "user", "name": "someone", "auth": {"type": "access_token"}})

    async def model(self, request):
        """What the Hub says of a model: its name tells its task and its partner, `task/partner`."""
        task, _, partner = request.match_info["model"].partition("/")
        mapping = {partner: {"status": "live", "providerId": f"{task}/{partner}", "task": _TASKS[task]}}
        document = {"id": f"{task}/{partner}", "pipeline_tag": _TASKS[task], "inferenceProviderMapping": mapping}
        return web.json_response(document)

    async def file(self, request):
        """A result, or an input, which bears the mark of a fault where the query names one."""
        kind = request.match_info["name"]
        body, media_type = (a_png(), "image/png") if kind == "image.png" else (a_wav(), "audio/wav")
        mark = f"[fault:{request.query['fault']}]".encode() if "fault" in request.query else b""
        return web.Response(body=body + mark, content_type=media_type)

    async def chat(self, request):
        body = await request.json()
        prompt = body["messages"][-1]["content"]
        if "unserved" in body["model"]:
            message = f"The requested model '{body['model']}' is not supported by any provider you have enabled."
            error = {"message": message, "type": "invalid_request_error", "code": "model_not_supported"}
            return web.json_response({"error": error}, status=400)
        answer = f"You said: {prompt}"
        usage = {"prompt_tokens": 5, "completion_tokens": 3, "total_tokens": 8}
        whole = {"id": "c-1", "object": "chat.completion", "created": 1, "model": body["model"].partition(":")[0]}

        async def respond(fault):
            if body.get("stream"):
                return await _streamed(request, whole, answer, usage, body, fault)
            choice = {"index": 0, "message": {"role": "assistant", "content": answer}, "finish_reason": "stop"}
            return await self._json(request, {**whole, "choices": [choice], "usage": usage}, fault)

        return await self._work(request, "text", prompt, respond)

    async def hf_inference(self, request):
        if "whisper" in request.match_info["model"]:
            return await self._hf_transcription(request)
        prompt = (await request.json())["inputs"]

        async def respond(fault):
            return await delivered(request, a_png(), "image/png", fault)

        return await self._work(request, "image", prompt, respond)

    async def _hf_transcription(self, request):
        audio = await request.read()
        self._provider.uploads.append((request.headers.get("Content-Type", ""), audio))
        timed = request.content_type == "application/json" and b'"return_timestamps": true' in audio
        chunks = {"chunks": [{"text": SPOKEN, "timestamp": [0.0, 1.5]}]} if timed else {}

        async def respond(fault):
            return await self._json(request, {"text": f" {SPOKEN}", **chunks}, fault)

        return await self._work(request, "transcription", audio, respond)

    async def fal(self, request):
        body = await request.json()
        if "_subdomain" in request.query:
            return await self._fal_queued(request, body)
        root = f"http://{request.host}/files"
        if "audio_url" in body:
            chunks = [{"timestamp": [0, 1.5], "text": SPOKEN}]
            kind, document = "transcription", {"text": SPOKEN, "chunks": chunks, "inferred_languages": ["en"]}
        elif "text" in body:
            kind, document = "speech", {"audio": {"url": f"{root}/speech.wav", "content_type": "audio/wav"}}
        else:
            kind, document = "image", {"images": [{"url": f"{root}/image.png"}], "seed": 42, "prompt": body["prompt"]}

        async def respond(fault):
            return await self._json(request, document, fault)

        prompt = body.get("text") or body.get("prompt") or body["audio_url"]
        return await self._work(request, kind, prompt, respond, refuse_as_fal)

    async def _fal_queued(self, request, body):
        async def respond(fault):
            name = self._queue("image_transform", fault)
            return await self._json(request, fal_envelope(request, name, "IN_QUEUE"), fault)

        return await self._work(request, "image_transform", body["prompt"], respond, refuse_as_fal)

    async def fal_status(self, request):
        name = request.match_info["id"]
        left, fault = self._provider.polled(name)
        if left:
            return web.json_response(fal_envelope(request, name, "IN_PROGRESS"), status=202)
        failed = {"error": "Out of memory", "error_type": "runner_error"} if fault == "lost" else {}
        return web.json_response({**fal_envelope(request, name, "COMPLETED"), **failed})

    async def fal_result(self, request):
        return web.json_response({"images": [{"url": f"http://{request.host}/files/image.png"}]})

    async def cancel(self, request):
        self._provider.canceled.append(request.match_info["id"])
        return web.json_response({"status": "CANCELLATION_REQUESTED"}, status=202)

    async def replicate(self, request):
        body = await request.json()
        given = body["input"]
        if "audio" in given:
            kind, prompt = "transcription", given["audio"]
        elif "input_image" in given:
            kind, prompt = "image_transform", given["prompt"]
        else:
            kind, prompt = ("speech", given["text"]) if "text" in given else ("image", given["prompt"])

        async def respond(fault):
            name = self._queue(kind, fault)
            status = "starting" if fault in ("slow", "lost") else "succeeded"
            return await self._json(request, self._prediction(request, name, status), fault, status=201)

        return await self._work(request, kind, prompt, respond, refuse_as_replicate)

    async def prediction(self, request):
        name = request.match_info["id"]
        left, fault = self._provider.polled(name)
        status = "processing" if left else "failed" if fault == "lost" else "succeeded"
        return web.json_response(self._prediction(request, name, status))

    def _prediction(self, request, name, status):
        kind = self._provider.queued[name][0]
        outputs = {
            "transcription": {"transcription": SPOKEN, "segments": [{"start": 0, "end": 1.5, "text": SPOKEN}]},
            "speech": f"http://{request.host}/files/speech.wav",
        }
        done = status == "succeeded"
        root = f"https://api.replicate.com/v1/predictions/{name}"
        return {
            "id": name,
            "status": status,
            "output": outputs.get(kind, [f"http://{request.host}/files/image.png"]) if done else None,
            "error": "CUDA out of memory" if status == "failed" else None,
            "urls": {"get": root, "cancel": f"{root}/cancel"},
            "metrics": {"predict_time": 1.25} if done else {},
        }

    async def openai_image(self, request):
        body = await request.json()
        wanted = "base64" if request.match_info["partner"] == "together" else "b64_json"
        if body.get("response_format") != wanted:
            return refuse_as_openai(400)
        kind = "image_transform" if {"image_url", "reference_images"} & body.keys() else "image"
        image = {"index": 0, "b64_json": base64.b64encode(a_png()).decode("ascii")}

        async def respond(fault):
            return await self._json(request, {"id": "i-1", "model": body["model"], "data": [image]}, fault)

        return await self._work(request, kind, body["prompt"], respond, refuse_as_openai)

    async def openai_speech(self, request):
        body = await request.json()

        async def respond(fault):
            return await delivered(request, a_wav(), "audio/wav", fault)

        return await self._work(request, "speech", body["input"], respond, refuse_as_openai)

    async def deepinfra_transcription(self, request):
        form = await request.post()
        with form["file"].file as file:
            audio = file.read()
        self._provider.uploads.append((form["file"].content_type, audio))
        segments = [{"id": 0, "start": 0.0, "end": 1.5, "text": f" {SPOKEN}"}]

        async def respond(fault):
            return await self._json(request, {"text": SPOKEN, "segments": segments, "language": "en"}, fault)

        return await self._work(request, "transcription", audio, respond, refuse_as_openai)

    async def wavespeed(self, request):
        body = await request.json()
        kind = "image_transform" if "image" in body else "image"

        async def respond(fault):
            name = self._queue(kind, fault)
            return await self._json(request, wavespeed_task(request, name, "created"), fault)

        return await self._work(request, kind, body["prompt"], respond, refuse_as_wavespeed)

    async def wavespeed_result(self, request):
        name = request.match_info["id"]
        left, fault = self._provider.polled(name)
        status = "processing" if left else "failed" if fault == "lost" else "completed"
        return web.json_response(wavespeed_task(request, name, status))

    async def zai(self, request):
        body = await request.json()

        async def respond(fault):
            name = self._queue("image", fault)
            task = {"id": name, "request_id": f"r-{name}", "model": body["model"], "task_status": "PROCESSING"}
            return await self._json(request, task, fault)

        return await self._work(request, "image", body["prompt"], respond, refuse_as_openai)

    async def zai_result(self, request):
        name = request.match_info["id"]
        left, fault = self._provider.polled(name)
        done = {"image_result": [{"url": f"http://{request.host}/files/image.png"}]}
        status = "PROCESSING" if left else "FAIL" if fault == "lost" else "SUCCESS"
        task = {"request_id": f"r-{name}", "model": "glm-image", "task_status": status}
        return web.json_response({**task, **(done if status == "SUCCESS" else {})})


async def _streamed(request, whole, answer, usage, body, fault):
    """A streamed chat completion; `truncated` ends it in the middle, `lost` with an error."""
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await response.prepare(request)

    async def send(document):
        await response.write(b"data: " + json.dumps(document).encode() + b"\n\n")

    head = {**whole, "object": "chat.completion.chunk"}
    for word in answer.split(" "):
        await send({**head, "choices": [{"index": 0, "delta": {"content": f"{word} "}, "finish_reason": None}]})
        if fault == "truncated":
            return response
        if fault == "lost":
            await send({"error": {"message": "The model went down", "type": "server_error"}})
            return response
    await send({**head, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
    if (body.get("stream_options") or {}).get("include_usage"):
        await send({**head, "choices": [], "usage": usage})
    await response.write(b"data: [DONE]\n\n")
    return response
