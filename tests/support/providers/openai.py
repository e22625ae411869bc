"""A server that speaks OpenAI's API: models, chat, images, edits, speech and transcriptions.

Beside the faults that all servers share, a prompt may ask for:

    no-credit     429 insufficient_quota         moderated     400 moderation_blocked
    too-long      400 context_length_exceeded    failing       charged, a stream ends with an error
    unfinished    charged, a stream ends early without a word

`plain` makes it one of the many other servers: no key, no usage, errors as older versions of vLLM write them, speech as
WAV files, images as URLs where they are not asked for as data, and only the older name `max_tokens`.
"""

import asyncio
import base64
import json
import re
from dataclasses import dataclass
from functools import partial

from aiohttp import web

from genesis.net.exchange import Request
from genesis.providers import fake
from tests.support.providers.base import Charge, FakeProvider, delivered, interfere, noted, reset

COST = "0.00123"
MODELS = (
    "gpt-6-luna gpt-image-2.5-flare gpt-image-1.5 gpt-4o-mini-tts gpt-transcribe whisper-1 llama sdxl kokoro".split()
)
MP3 = (b"\xff\xfb\x90\x00" + bytes(413)) * 4  # silent frames of MPEG 1, layer III, 128 kbit/s, 44.1 kHz
SAMPLES = bytes(range(240)) * 20
_ERRORS = {
    "no-credit": (429, "insufficient_quota", "You exceeded your current quota."),
    "moderated": (400, "moderation_blocked", "Your request was rejected by the safety system."),
    "too-long": (400, "context_length_exceeded", "This model's maximum context length is 8 tokens."),
}
_STREAM_ENDS = ("truncated", "failing", "unfinished")
_SPEECH_TYPES = {"mp3": "audio/mpeg", "wav": "audio/wav", "pcm": "audio/pcm"}
_LONGEST_SPOKEN = 4096
_TOKENS = {"input_tokens": 7, "output_tokens": 272, "total_tokens": 279}
_IMAGE_TOKENS = {**_TOKENS, "input_tokens_details": {"image_tokens": 0, "text_tokens": 7}}


@dataclass
class OpenAIServer(FakeProvider):
    """What the server knows beside its charges.

    Attributes:
        plain: whether it is a server of somebody else's.
        tells_cost: whether it tells the cost of each call, as the proxy LiteLLM does.
        forms: the texts of all multipart forms, with the size and the name of their files.
    """

    plain: bool = False
    tells_cost: bool = False
    forms: list[list[tuple[str, str]]] | None = None

    @property
    def headers(self) -> dict[str, str]:
        return {"x-litellm-response-cost": COST} if self.tells_cost else {}

    def refused(self, status: int, code: str | None = None, message: str = "") -> web.Response:
        """The server's form of an error."""
        message = message or f"fault {status}"
        headers = {"retry-after-ms": "1500"} if status == 429 else {}
        if self.plain:
            error = {"object": "error", "message": message, "type": code or "Error", "param": None, "code": status}
            return web.json_response(error, status=status, headers=headers)
        kind = "server_error" if status >= 500 else "invalid_request_error"
        error = {"message": message, "type": kind, "param": None, "code": code}
        return web.json_response({"error": error}, status=status, headers=headers)


def app_of(server: OpenAIServer) -> web.Application:
    """The server, under `/v1`."""
    app = web.Application(client_max_size=64 * 1024 * 1024, middlewares=[noted(server), _guarded(server)])
    app.router.add_get("/v1/models", partial(models, server))
    app.router.add_get("/v1/models/{model:.+}", partial(model, server))
    app.router.add_post("/v1/chat/completions", partial(chat, server))
    app.router.add_post("/v1/images/generations", partial(images, server))
    app.router.add_post("/v1/images/edits", partial(edits, server))
    app.router.add_post("/v1/audio/speech", partial(speech, server))
    app.router.add_post("/v1/audio/transcriptions", partial(transcriptions, server))
    app.router.add_get("/files/{name}", file)
    return app


def _guarded(server):
    @web.middleware
    async def guarded(request, handler):
        has_key = request.headers.get("Authorization") == f"Bearer {server.key}"
        if not has_key and not server.plain:
            return server.refused(401, "invalid_api_key", f"Incorrect API key provided: {'sk-' + 'x' * 20}.")
        return await handler(request)

    return guarded


def _described(name):
    return {"id": name, "object": "model", "created": 1_760_000_000, "owned_by": "openai"}


async def models(server: OpenAIServer, request: web.Request) -> web.StreamResponse:
    return web.json_response({"object": "list", "data": [_described(name) for name in MODELS]})


async def model(server: OpenAIServer, request: web.Request) -> web.StreamResponse:
    name = request.match_info["model"]
    return web.json_response(_described(name)) if name in MODELS else _no_model(server, name)


def _no_model(server, name):
    return server.refused(404, "model_not_found", f"The model `{name}` does not exist or you do not have access to it.")


async def _interfered(server, request, capability, model_name, prompt):
    """The answer of a request that goes wrong, or its charge."""
    if model_name not in MODELS:
        return _no_model(server, model_name), None
    fault = server.fault(prompt)
    if fault in _ERRORS:
        return server.refused(*_ERRORS[fault]), None
    answer = await interfere(request, fault, lambda: server.charge(capability, prompt, fault), server.refused)
    return answer, None if answer else server.charge(capability, prompt, fault)


def _unknown(server, body, allowed):
    """The refusal of a request with fields that OpenAI does not know."""
    strange = sorted(set(body) - set(allowed.split()))
    if not strange or server.plain:
        return None
    return server.refused(400, "unknown_parameter", f"Unknown parameter: '{strange[0]}'.")


def answer_to(prompt: str) -> str:
    """What the model says."""
    return f"This is the answer to: {prompt}"


async def chat(server: OpenAIServer, request: web.Request) -> web.StreamResponse:
    body = await request.json()
    older, newer = "max_tokens" in body, "max_completion_tokens" in body
    if older if not server.plain else newer:
        return server.refused(400, "unsupported_parameter", "Unsupported parameter for the longest answer.")
    prompt = body["messages"][-1]["content"]
    answer, charge = await _interfered(server, request, "text", body["model"], prompt)
    if answer is not None:
        return answer
    if body.get("stream"):
        include = (body.get("stream_options") or {}).get("include_usage") and not server.plain
        return await _streamed(request, charge, body["model"], include=include)
    message = {"role": "assistant", "content": answer_to(prompt), "refusal": None, "annotations": []}
    document = {
        "id": charge.id,
        "object": "chat.completion",
        "created": 1_760_000_000,
        "model": f"{body['model']}-2026-09-01",
        "choices": [{"index": 0, "finish_reason": "stop", "logprobs": None, "message": message}],
        **({} if server.plain else {"usage": _chat_usage(prompt)}),
    }
    return await _json(server, request, charge, document)


def _chat_usage(prompt):
    given, written = len(prompt.split()), len(answer_to(prompt).split())
    return {"prompt_tokens": given, "completion_tokens": written, "total_tokens": given + written}


async def _json(server, request, charge, document):
    return await delivered(request, json.dumps(document).encode(), "application/json", charge.fault, server.headers)


async def _streamed(request: web.Request, charge: Charge, model_name: str, *, include: bool) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream; charset=utf-8"})
    await response.prepare(request)
    known = {"id": charge.id, "object": "chat.completion.chunk", "created": 1_760_000_000, "model": model_name}
    usage = {"usage": None} if include else {}
    words = re.findall(r"\S+\s*", answer_to(charge.prompt))
    for number, word in enumerate(words):
        if number == len(words) // 2 and charge.fault in _STREAM_ENDS:
            return await _ended_early(request, response, charge.fault)
        await _event(response, {**known, "choices": [_choice({"content": word})], **usage})
    await _event(response, {**known, "choices": [_choice({}, "stop")], **usage})
    if include:
        await _event(response, {**known, "choices": [], "usage": _chat_usage(charge.prompt)})
    await response.write(b"data: [DONE]\n\n")
    return response


def _choice(delta, finish_reason=None):
    return {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}


async def _ended_early(request, response, fault):
    if fault == "truncated":
        await asyncio.sleep(0.05)  # lets it be read before the connection is lost
        return reset(request)
    if fault == "failing":
        error = {"message": "The server had an error.", "type": "server_error", "param": None, "code": None}
        await _event(response, {"error": error})
    return response


async def _event(response, document):
    await response.write(f"data: {json.dumps(document)}\n\n".encode())


async def images(server: OpenAIServer, request: web.Request) -> web.StreamResponse:
    body = await request.json()
    known = "model prompt n size quality output_format output_compression background moderation user stream"
    if refusal := _unknown(server, body, known) or _wrong_size(server, body):
        return refusal
    answer, charge = await _interfered(server, request, "image", body["model"], body["prompt"])
    return answer if answer is not None else await _image(server, request, charge, body)


def _wrong_size(server, body):
    size = re.fullmatch(r"(\d+)x(\d+)", body.get("size", "1024x1024"))
    sides = [int(side) for side in size.groups()] if size else [1]
    standard = body.get("size", "auto") in ("auto", "1024x1024", "1536x1024", "1024x1536")
    fits = all(side % 16 == 0 for side in sides) and max(sides) <= 3 * min(sides)
    if server.plain or standard or (fits and not body["model"].startswith("gpt-image-1")):
        return None
    return server.refused(400, "invalid_value", f"Invalid value: '{body['size']}'.")


async def _image(server, request, charge, body):
    wants_data = body.get("response_format") == "b64_json" or not server.plain
    data = {"b64_json": base64.b64encode(_png()).decode()} if wants_data else {"url": str(request.url.origin())}
    if "url" in data:
        data["url"] += f"/files/{charge.id}.png"
    document = {"created": 1_760_000_000, "data": [data]}
    if not server.plain:
        more = {"background": "opaque", "output_format": "png", "quality": "low", "size": "1024x1024"}
        document |= {**more, "usage": _IMAGE_TOKENS}
    return await _json(server, request, charge, document)


def _png():
    return fake.answer(Request("POST", "/image", form={"text": "a cat", "options": '{"quality": "draft"}'})).body


async def file(request: web.Request) -> web.StreamResponse:
    return web.Response(body=_png(), content_type="image/png")


async def _form(server, request):
    """The fields of a form, and its files by their names."""
    fields = await request.post()
    texts = [(name, value) for name, value in fields.items() if isinstance(value, str)]
    files = {name: value for name, value in fields.items() if not isinstance(value, str)}
    noted_files = [(name, f"{value.filename} {value.content_type}") for name, value in files.items()]
    server.forms = [*(server.forms or []), [*texts, *noted_files]]
    return texts, files


async def edits(server: OpenAIServer, request: web.Request) -> web.StreamResponse:
    texts, files = await _form(server, request)
    body = dict(texts)
    known = "model prompt n size quality output_format input_fidelity background user stream"
    if refusal := _unknown(server, body, known) or _wrong_size(server, body):
        return refusal
    image = files.get("image") or files.get("image[]")
    if image is None or image.content_type not in ("image/png", "image/jpeg", "image/webp", "application/octet-stream"):
        return server.refused(400, "invalid_image_file", "Invalid image file or mode for image 1.")
    marked = f"{body['prompt']} {image.file.read().decode('latin-1')[-100:]}"
    answer, charge = await _interfered(server, request, "image_transform", body["model"], marked)
    return answer if answer is not None else await _image(server, request, charge, body)


async def speech(server: OpenAIServer, request: web.Request) -> web.StreamResponse:
    body = await request.json()
    if refusal := _unknown(server, body, "model input voice response_format speed instructions stream_format"):
        return refusal
    if not server.plain and len(body["input"]) > _LONGEST_SPOKEN:
        return server.refused(400, "string_above_max_length", "Expected a string with maximum length 4096.")
    if not server.plain and "voice" not in body:
        return server.refused(400, "missing_required_parameter", "Missing required parameter: 'voice'.")
    answer, charge = await _interfered(server, request, "speech", body["model"], body["input"])
    if answer is not None:
        return answer
    form = body.get("response_format", "wav" if server.plain else "mp3")
    wav = fake.answer(Request("POST", "/speech", form={"text": "hello"})).body
    audio = {"mp3": MP3, "wav": wav, "pcm": SAMPLES}[form]
    return await delivered(request, audio, _SPEECH_TYPES[form], charge.fault, server.headers)


async def transcriptions(server: OpenAIServer, request: web.Request) -> web.StreamResponse:
    texts, files = await _form(server, request)
    body = dict(texts)
    known = "model language prompt response_format temperature timestamp_granularities[] include[] stream"
    if refusal := _unknown(server, body, known):
        return refusal
    form, is_whisper = body.get("response_format", "json"), "whisper" in body["model"]
    if form not in ("json", "verbose_json") or (form == "verbose_json" and not is_whisper):
        return server.refused(400, "unsupported_value", f"response_format '{form}' is not compatible with the model.")
    heard = files["file"].file.read().decode("latin-1")
    answer, charge = await _interfered(server, request, "transcription", body["model"], heard[-100:])
    if answer is not None:
        return answer
    usage = {"type": "duration", "seconds": 9}
    if not is_whisper:
        usage = {"type": "tokens", **_TOKENS, "input_token_details": {"audio_tokens": 7, "text_tokens": 0}}
    document = {"text": "What was said.", **({} if server.plain else {"usage": usage})}
    if form == "verbose_json":
        asked = {value for name, value in texts if name == "timestamp_granularities[]"} or {"segment"}
        document |= _times(asked)
    return await _json(server, request, charge, document)


def _times(granularities):
    words = [(0.0, 0.5, "What"), (0.5, 1.0, "was"), (1.0, 1.5, "said.")]
    segment = {
        "id": 0,
        "seek": 0,
        "start": 0.0,
        "end": 1.5,
        "text": " What was said.",
        "tokens": [50364, 708],
        "temperature": 0.0,
        "avg_logprob": -0.3,
        "compression_ratio": 1.1,
        "no_speech_prob": 0.01,
    }
    known = {
        "segment": {"segments": [segment]},
        "word": {"words": [{"word": word, "start": start, "end": end} for start, end, word in words]},
    }
    told = {"task": "transcribe", "language": "english", "duration": 9.2}
    for granularity in granularities:
        told |= known[granularity]
    return told
