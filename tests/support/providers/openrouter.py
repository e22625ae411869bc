"""A server that speaks OpenRouter's API: chat, images, speech, transcriptions, and the records of its generations.

Beside the faults that all servers share, a prompt may ask for:

    no-cost          the reply does not tell its cost         error-in-200    charged, an error in a 200
    failing          charged, a stream ends with an error     moderated       403 with the reasons
    edge-timeout     charged, then 524                        overloaded      529, nothing is charged
    no-credit        402                                      failed          a failed image: 502, nothing is charged
    cancelled        as `truncated`, and OpenRouter stops the model for it
    trailing         a stream is cut off between its text and its end
    stalled          charged, the headers come, and the body never does
    named-error      charged, then 500 with the name of its generation
    own-key          the model's maker is paid directly     own-key-untold   the same, and nobody tells what

A record is found after `missing` requests for it; texts are given out again while `keeps_texts`.
"""

import asyncio
import base64
import json
import re
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial

from aiohttp import web

from genesis.net.exchange import Request
from genesis.providers import fake
from tests.support.providers.base import HOLD_SECONDS, Charge, FakeProvider, delivered, interfere, noted, reset

COSTS = {"text": 0.001, "image": 0.04, "image_transform": 0.05, "speech": 0.002, "transcription": 0.0005}
MODEL = "made-up/model-that-served"
MP3 = (b"\xff\xfb\x90\x00" + bytes(413)) * 4  # silent frames of MPEG 1, layer III, 128 kbit/s, 44.1 kHz
PCM = bytes(range(240)) * 20
_API_TYPES = {"text": "completions", "speech": "tts", "transcription": "stt"}
_ERRORS = {
    "moderated": (403, {"reasons": ["violence"], "flagged_input": "…", "provider_name": "OpenAI", "model_slug": "m"}),
    "overloaded": (529, {"error_type": "provider_overloaded"}),
    "no-credit": (402, {"limit_source": "openrouter_credits"}),
    "failed": (502, {"provider_name": "Google"}),
    "edge-timeout": (524, {}),
}
_CUT = ("truncated", "cancelled")
UPSTREAM_COST = 0.07


@dataclass
class OpenRouterServer(FakeProvider):
    """What the server knows beside its charges.

    Attributes:
        missing: requests for a record that are answered with 404 before it is found.
        keeps_texts: whether the account keeps prompts and texts.
        polls: of each record, by its id.
    """

    missing: int = 0
    keeps_texts: bool = True
    polls: Counter[str] = field(default_factory=Counter)

    def record(self, identifier: str) -> Charge | None:
        return next((charge for charge in self.charges if charge.id == identifier), None)


def app_of(server: OpenRouterServer) -> web.Application:
    """The server, under `/api/v1`."""
    app = web.Application(client_max_size=64 * 1024 * 1024, middlewares=[noted(server), _guarded(server)])
    api = "/api/v1"
    app.router.add_post(f"{api}/chat/completions", partial(chat, server))
    app.router.add_post(f"{api}/images", partial(images, server))
    app.router.add_post(f"{api}/audio/speech", partial(speech, server))
    app.router.add_post(f"{api}/audio/transcriptions", partial(transcriptions, server))
    app.router.add_get(f"{api}/generation", partial(generation, server))
    app.router.add_get(f"{api}/generation/content", partial(content, server))
    app.router.add_get(f"{api}/key", key)
    return app


def _guarded(server):
    @web.middleware
    async def guarded(request, handler):
        if request.headers.get("Authorization") != f"Bearer {server.key}":
            return refused(401, "User not found.")
        return await handler(request)

    return guarded


def refused(status: int, message: str = "", **metadata: object) -> web.Response:
    """OpenRouter's form of an error."""
    error = {"code": status, "message": message or f"fault {status}", **({"metadata": metadata} if metadata else {})}
    headers = {"Retry-After": "1"} if status == 429 else {}
    return web.json_response({"error": error}, status=status, headers=headers)


async def _interfered(server, request, capability, prompt, fault):
    """As `interfere`, with the faults that are OpenRouter's own."""
    if fault == "edge-timeout":
        server.charge(capability, prompt, fault)
    if fault in _ERRORS:
        status, metadata = _ERRORS[fault]
        return refused(status, **metadata)
    if fault == "inner-error":
        server.charge(capability, prompt, fault)
        error = {"code": 502, "message": "The model broke.", "metadata": {"error_type": "server"}}
        return web.json_response({"error": error, "usage": {"cost": COSTS[capability]}})
    if fault == "named-error":
        answer = refused(500, "The model broke.")
        answer.headers["X-Generation-Id"] = server.charge(capability, prompt, fault).id
        return answer
    if fault == "stalled":
        await _stalled(request, server.charge(capability, prompt, fault))
    return await interfere(request, fault, lambda: server.charge(capability, prompt, fault), refused)


async def _stalled(request, charge):
    streams = charge.capability == "text" and (await request.json()).get("stream")
    media_type = "text/event-stream" if streams else "application/json"
    response = web.StreamResponse(headers={"Content-Type": media_type, "X-Generation-Id": charge.id})
    await response.prepare(request)
    await response.write(b": OPENROUTER PROCESSING\n\n" if streams else b"\n")
    await asyncio.sleep(HOLD_SECONDS)


def _usage(capability: str, fault: str, **counts: float) -> dict[str, object]:
    if fault in ("own-key", "own-key-untold"):
        upstream = UPSTREAM_COST if fault == "own-key" else None
        return {**counts, "cost": 0, "is_byok": True, "cost_details": {"upstream_inference_cost": upstream}}
    return {**counts, "cost": None if fault == "no-cost" else COSTS[capability]}


def _tokens(prompt: str, answer: str) -> dict[str, int]:
    given, written = len(prompt.split()), len(answer.split())
    return {"prompt_tokens": given, "completion_tokens": written, "total_tokens": given + written}


def answer_to(prompt: str) -> str:
    """What the model says."""
    return f"This is the answer to: {prompt}"


async def chat(server: OpenRouterServer, request: web.Request) -> web.StreamResponse:
    body = await request.json()
    prompt = body["messages"][-1]["content"]
    fault = server.fault(prompt)
    if answer := await _interfered(server, request, "text", prompt, fault):
        return answer
    charge = server.charge("text", prompt, fault)
    if body.get("stream"):
        return await _streamed(request, charge)
    choice = {
        "index": 0,
        "finish_reason": "stop",
        "native_finish_reason": "stop",
        "message": {"role": "assistant", "content": answer_to(prompt), "refusal": None, "reasoning": None},
    }
    document = {
        "id": charge.id,
        "object": "chat.completion",
        "created": 1_760_000_000,
        "model": MODEL,
        "provider": "OpenAI",
        "system_fingerprint": None,
        "choices": [choice],
        "usage": _usage("text", fault, **_tokens(prompt, answer_to(prompt))),
    }
    return await _delivered(request, charge, json.dumps(document).encode(), "application/json")


async def _delivered(request, charge, body, media_type):
    fault = "truncated" if charge.fault in _CUT else ""
    return await delivered(request, body, media_type, fault, {"X-Generation-Id": charge.id})


async def _streamed(request: web.Request, charge: Charge) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "X-Generation-Id": charge.id})
    await response.prepare(request)
    await response.write(b": OPENROUTER PROCESSING\n\n")
    text = answer_to(charge.prompt)
    words = re.findall(r"\S+\s*", text)
    for number, word in enumerate(words):
        if number == len(words) // 2 and charge.fault in _CUT:
            await asyncio.sleep(0.05)  # lets it be read before the connection is lost
            return reset(request)
        if number == len(words) // 2 and charge.fault == "failing":
            error = {"code": 502, "message": "Provider disconnected", "metadata": {"error_type": "server"}}
            await _event(response, charge, {"content": ""}, "error", error=error)
            return response
        await _event(response, charge, {"role": "assistant", "content": word}, None)
    if charge.fault == "trailing":
        return reset(request)
    usage = _usage("text", charge.fault, **_tokens(charge.prompt, text))
    await _event(response, charge, {"content": ""}, "stop", usage=usage)
    await response.write(b"data: [DONE]\n\n")
    return response


async def _event(response, charge, delta, finish_reason, **more):
    chunk = {
        "id": charge.id,
        "object": "chat.completion.chunk",
        "created": 1_760_000_000,
        "model": MODEL,
        "provider": "OpenAI",
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish_reason}],
        **more,
    }
    await response.write(f"data: {json.dumps(chunk)}\n\n".encode())


async def images(server: OpenRouterServer, request: web.Request) -> web.StreamResponse:
    body = await request.json()
    prompt = body["prompt"]
    capability = "image_transform" if body.get("input_references") else "image"
    if any(reference["type"] != "image_url" for reference in body.get("input_references", ())):
        return refused(400, "Invalid input_references", error_type="invalid_request")
    fault = server.fault(prompt)
    if answer := await _interfered(server, request, capability, prompt, fault):
        return answer
    charge = server.charge(capability, prompt, fault)
    form = {"text": charge.id, "options": '{"quality": "draft"}'}
    file = base64.b64encode(fake.answer(Request("POST", "/image", form=form)).body).decode()
    document = {
        "created": 1_760_000_000,
        "data": [{"b64_json": file, "media_type": "image/png"}] * body.get("n", 1),
        "usage": _usage(capability, fault, prompt_tokens=7, completion_tokens=4175, total_tokens=4182),
    }
    return await _delivered(request, charge, json.dumps(document).encode(), "application/json")


async def speech(server: OpenRouterServer, request: web.Request) -> web.StreamResponse:
    body = await request.json()
    form = body.get("response_format", "pcm")
    if form not in ("mp3", "pcm"):
        return refused(400, f"Unknown response_format {form}", error_type="invalid_request")
    fault = server.fault(body["input"])
    if answer := await _interfered(server, request, "speech", body["input"], fault):
        return answer
    charge = server.charge("speech", body["input"], fault)
    file, media_type = (MP3, "audio/mpeg") if form == "mp3" else (PCM, "audio/pcm;rate=16000;channels=1")
    return await _delivered(request, charge, file, media_type)


async def transcriptions(server: OpenRouterServer, request: web.Request) -> web.StreamResponse:
    if request.content_type == "application/json":
        body = await request.json()
        audio = base64.b64decode(body["input_audio"]["data"], validate=True)
    else:
        body = dict(await request.post())
        audio = body["file"].file.read()
    prompt = audio[-100:].decode("latin-1")
    fault = server.fault(prompt)
    if answer := await _interfered(server, request, "transcription", prompt, fault):
        return answer
    charge = server.charge("transcription", prompt, fault)
    text = "What was said."
    usage = _usage("transcription", fault, seconds=9.2, input_tokens=83, output_tokens=30, total_tokens=113)
    document = {"text": text, "usage": usage}
    if fault == "no-cost":
        del document["usage"]
    if body.get("response_format") == "verbose_json":
        parts = [(0.0, 0.5, "What"), (0.5, 1.0, "was"), (1.0, 1.5, "said.")]
        document |= {
            "task": "transcribe",
            "language": "english",
            "duration": 9.2,
            "segments": [{"id": 0, "start": 0.0, "end": 1.5, "text": f" {text}"}],
            "words": [{"start": start, "end": end, "word": word} for start, end, word in parts],
        }
    return await _delivered(request, charge, json.dumps(document).encode(), "application/json")


async def generation(server: OpenRouterServer, request: web.Request) -> web.StreamResponse:
    identifier = request.query["id"]
    charge = server.record(identifier)
    server.polls[identifier] += 1
    if charge is None or server.polls[identifier] <= server.missing:
        return refused(404, f"Generation {identifier} not found")
    return web.json_response({"data": _record(charge)})


def _record(charge: Charge) -> dict[str, object]:
    cancelled, own_key = charge.fault == "cancelled", charge.fault in ("own-key", "own-key-untold")
    cost = 0 if own_key else COSTS[charge.capability]
    is_text = charge.capability == "text"
    tokens = _tokens(charge.prompt, answer_to(charge.prompt)) if is_text else {}
    known = {
        "id": charge.id,
        "api_type": _API_TYPES.get(charge.capability, "image"),
        "total_cost": cost,
        "usage": cost,
        "model": MODEL,
        "cancelled": cancelled,
        "created_at": datetime.now(UTC).isoformat(),
        "finish_reason": _ENDS.get(charge.fault, "stop") if is_text and not cancelled else None,
        "tokens_prompt": tokens.get("prompt_tokens"),
        "tokens_completion": tokens.get("completion_tokens"),
        "provider_name": "OpenAI",
        "is_byok": own_key,
        "upstream_inference_cost": UPSTREAM_COST if charge.fault == "own-key" else None,
        "data_region": "global",
        "origin": "https://openrouter.ai/",
    }
    return {**dict.fromkeys(_UNTOLD), **known}


_ENDS = {"failing": "error", "named-error": "error"}
_UNTOLD = """
    app_id cache_discount external_user generation_time http_referer latency moderation_latency native_finish_reason
    native_tokens_cached native_tokens_completion native_tokens_completion_images native_tokens_prompt
    native_tokens_reasoning num_fetches num_input_audio_prompt num_media_completion num_media_prompt num_search_results
    preset_id provider_responses router service_tier streamed upstream_id upstream_inference_cost user_agent
    web_search_engine workspace_id
""".split()


async def content(server: OpenRouterServer, request: web.Request) -> web.StreamResponse:
    charge = server.record(request.query["id"])
    if charge is None or not server.keeps_texts or charge.capability != "text":
        return refused(404, "No stored content for this generation")
    failed = charge.fault in _ENDS
    text = answer_to(charge.prompt)
    output = {"completion": text[: len(text) // 2] if failed else text, "reasoning": None}
    messages = {"messages": [{"role": "user", "content": charge.prompt}]}
    error = {"message": "Provider disconnected", "status": 502} if failed else None
    return web.json_response({"data": {"error": error, "input": messages, "output": output}})


async def key(request: web.Request) -> web.StreamResponse:
    amounts = "byok_usage byok_usage_daily byok_usage_monthly byok_usage_weekly usage usage_daily usage_monthly"
    known = {
        **dict.fromkeys([*amounts.split(), "usage_weekly"], 0.5),
        **dict.fromkeys(("creator_user_id", "effective_budget", "limit_reset", "organization_id", "workspace_id")),
        "allowed_data_regions": ["global"],
        "budgets": [],
        "free_model_daily_requests": {"limit": 50, "remaining": 50, "used": 0},
        "include_byok_in_limit": False,
        "is_free_tier": False,
        "is_management_key": False,
        "is_provisioning_key": False,
        "label": "sk-or-v1-0a…cdef",
        "limit": 10.0,
        "limit_remaining": 9.5,
        "rate_limit": {"interval": "10s", "note": "deprecated", "requests": -1},
    }
    return web.json_response({"data": known})
