"""A fake of ElevenLabs: speech, transcription, the history of speech, and the free question for the account.

True to the sources of ElevenLabs' SDK and to its help pages on errors. Beside the faults of all fake providers: `quota`
(credit that is used up, with 401), `busy` (429 with another meaning) and `unkept` (as `truncated`, and the account keeps
no history).
"""

import json
from dataclasses import dataclass, field

from aiohttp import web

from tests.support.providers.base import FakeProvider, delivered, interfere, noted
from tests.support.providers.huggingface import SPOKEN
from tests.support.providers.huggingface_forms import a_wav

KEY = "sk_key_of_the_fake_voices"
VOICES = ("JBFqnCBsd6RMkjVDRZzb", "EXAVITQu4vr4xnSDxMaL")
_STATUSES = {
    400: "invalid_request",
    401: "invalid_api_key",
    404: "voice_not_found",
    429: "too_many_concurrent_requests",
    500: "internal_server_error",
    503: "service_unavailable",
}


@dataclass
class FakeVoices(FakeProvider):
    """What the server knows beside its journal.

    Attributes:
        forms: of transcriptions, without their files.
    """

    key: str = KEY
    forms: list[dict[str, str]] = field(default_factory=list)


def app_of(provider: FakeVoices) -> web.Application:
    """The server."""
    app = web.Application(middlewares=[noted(provider), _keyed(provider)], client_max_size=2**26)
    routes = _Routes(provider)
    app.router.add_get("/v1/user", routes.user)
    app.router.add_post("/v1/text-to-speech/{voice}", routes.speech)
    app.router.add_get("/v1/history/{id}/audio", routes.history)
    app.router.add_post("/v1/speech-to-text", routes.transcription)
    app.router.add_get("/files/input.wav", routes.file)
    return app


def _keyed(provider):
    @web.middleware
    async def check(request, handler):
        if request.path.startswith("/files/") or request.headers.get("xi-api-key") == provider.key:
            return await handler(request)
        return _refuse(401)

    return check


def _refuse(status, name=""):
    name = name or _STATUSES[status]
    return web.json_response({"detail": {"status": name, "message": f"refused: {name}"}}, status=status)


class _Routes:
    def __init__(self, provider: FakeVoices) -> None:
        self._provider = provider

    async def user(self, request):
        return web.json_response({"user_id": "u1", "subscription": {"tier": "free"}})

    async def file(self, request):
        mark = f"[fault:{request.query['fault']}]".encode() if "fault" in request.query else b""
        return web.Response(body=a_wav() + mark, content_type="audio/wav")

    async def speech(self, request):
        body = await request.json()
        if request.match_info["voice"] not in VOICES:
            return _refuse(404)
        speed = body.get("voice_settings", {}).get("speed", 1.0)
        if not 0.7 <= speed <= 1.2:
            error = {"loc": ["body", "voice_settings", "speed"], "msg": "out of range", "type": "value_error"}
            return web.json_response({"detail": [error]}, status=422)
        return await self._work(request, "speech", body["text"])

    async def transcription(self, request):
        form = await request.post()
        with form["file"].file as file:
            audio = file.read()
        self._provider.forms.append({name: value for name, value in form.items() if name != "file"})
        return await self._work(request, "transcription", audio)

    async def _work(self, request, capability, prompt):
        fault = self._provider.fault(prompt)
        if fault in ("quota", "busy"):
            return _refuse(*((401, "quota_exceeded") if fault == "quota" else (429, "system_busy")))

        def charge():
            return self._provider.charge(capability, prompt if isinstance(prompt, str) else "", fault)

        interfered = await interfere(request, fault, charge, _refuse)
        if interfered is not None:
            return interfered
        name = charge().id
        headers = {"request-id": f"r-{name}", "character-cost": str(len(prompt) if capability == "speech" else 7)}
        if capability == "transcription":
            return await delivered(request, _transcript(), "application/json", fault, headers)
        if fault != "unkept":
            headers["history-item-id"] = name
        shortened = "truncated" if fault == "unkept" else fault
        return await delivered(request, a_wav(), "audio/wav", shortened, headers)

    async def history(self, request):
        if request.match_info["id"] not in {charge.id for charge in self._provider.charges}:
            return _refuse(404, "history_item_not_found")
        return web.Response(body=a_wav(), content_type="audio/mpeg")


def _transcript():
    words = [
        {"text": word, "start": place, "end": place + 1, "type": "word"} for place, word in enumerate(SPOKEN.split())
    ]
    return json.dumps({"language_code": "eng", "text": SPOKEN, "words": words, "audio_duration_secs": 3.5}).encode()
