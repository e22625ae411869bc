"""A provider for tests and trials, which answers in process, at once and always alike, with made-up results.

Its base URL is `fake:`; whoever would send a request to it calls `answer` instead. Text is an echo, images are color
gradients of the asked size, speech is a tone of a second for four words, and it is all free. Text comes word by word
where it is streamed. A text that contains one of these marks gets:

* `[fail-safe]`     503: may be retried
* `[fail-final]`    400: may not be retried
* `[rate-limited]`  429 with `Retry-After: 1`
* `[ambiguous]`     504: nobody knows whether it did the work
* `[empty]`         an answer without content
"""

import hashlib
import io
import json
import re
import struct
import wave
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache, lru_cache

from genesis.capabilities.catalog import CAPABILITIES
from genesis.domain.attempt import ProviderClass
from genesis.domain.money import Money
from genesis.errors import ProviderUnavailable
from genesis.net.events import MEDIA_TYPE
from genesis.net.exchange import FormFile, Reply, Request
from genesis.providers.base import Chunk, Done, Provider, ProviderCall, Service
from genesis.providers.openai_format import chat_chunk, chat_event
from genesis.providers.options import OptionTable, same_names
from genesis.providers.translation import image_size, json_object_of, media_of, raise_for_status, unreadable, usage_of

BASE_URL = "fake:"

_FAILURES: Mapping[str, tuple[int, Mapping[str, str]]] = {
    "[fail-safe]": (503, {}),
    "[fail-final]": (400, {}),
    "[rate-limited]": (429, {"retry-after": "1"}),
    "[ambiguous]": (504, {}),
}
_EMPTY = "[empty]"
_WORD = re.compile(r"\s*\S+\s*")
_SAMPLE_RATE = 16_000
_TONE_PERIOD = 40  # samples: 400 Hz
_TRANSFORMED_SIZE = (512, 512)


class FakeAdapter:
    """Any capability: the input and all its options in a form, a JSON text or a file back."""

    def __init__(self, capability: str) -> None:
        self._capability = capability
        self._answers_text = CAPABILITIES[capability].output_kind == "text"
        self._media_kind = "audio" if capability == "speech" else "image"

    @property
    def options(self) -> OptionTable:
        """All options of the capability: they color the result."""
        return same_names(CAPABILITIES[self._capability].options.model_fields.keys() - {"model", "provider_options"})

    def build_request(self, call: ProviderCall) -> Request:
        """The request for a call."""
        options = json.dumps({**call.options, **call.provider_options}, sort_keys=True)
        form: dict[str, str | FormFile] = {"model": call.model, "text": call.text, "options": options}
        if call.media:
            form["file"] = FormFile("input", call.media.media_type, call.media.data)
        return Request("POST", f"/{self._capability}", form=form)

    def parse_reply(self, reply: Reply) -> Done:
        """The result."""
        raise_for_status(reply)
        if not reply.body:
            raise ProviderUnavailable("The model answered with nothing.")
        if not self._answers_text:
            media = media_of(reply.body, self._media_kind)
            if media is None:
                raise unreadable(reply)
            return Done(media=media, cost=Money(0))
        document = json_object_of(reply)
        text = document.get("text")
        if not isinstance(text, str):
            raise unreadable(reply)
        if not text.strip():
            raise ProviderUnavailable("The model answered with no text.")
        return Done(text=text, cost=Money(0), usage=usage_of(document.get("usage")))


class FakeText(FakeAdapter):
    """Text, also word by word."""

    def __init__(self) -> None:
        super().__init__("text")

    def build_stream(self, call: ProviderCall) -> Request:
        """The request for a call whose answer is streamed."""
        request = self.build_request(call)
        return replace(request, form={**(request.form or {}), "stream": "true"})

    def parse_chunk(self, event: bytes) -> Chunk:
        """A word."""
        return chat_chunk(chat_event(event))

    def assemble(self, whole: Chunk) -> Done:
        """All words."""
        if not whole.text.strip():
            raise ProviderUnavailable("The model answered with no text.")
        return Done(text=whole.text, cost=Money(0), usage=usage_of(whole.usage))


@dataclass(frozen=True, slots=True)
class _Asked:
    """A request, read. `options` are JSON."""

    text: str
    options: str
    file: FormFile
    stream: bool

    @property
    def empty(self) -> bool:
        return _EMPTY in self.text


def answer(request: Request) -> Reply:
    """What the fake provider replies to a request that `FakeAdapter` built; its URL may carry the base URL."""
    capability = request.url.rpartition("/")[2]
    form = request.form or {}
    file = form.get("file")
    asked = _Asked(
        text=str(form.get("text", "")),
        options=str(form.get("options", "{}")),
        file=file if isinstance(file, FormFile) else FormFile("none", "nothing", b""),
        stream="stream" in form,
    )
    if capability not in _ANSWERS:
        return _json(404, {"error": {"message": f"There is no capability {capability}."}})
    for mark, (status, headers) in _FAILURES.items():
        if mark in asked.text:
            return _json(status, {"error": {"message": f"The text contains {mark}."}}, headers)
    return _ANSWERS[capability](asked)


def _text(asked: _Asked) -> Reply:
    said = "" if asked.empty else f"fake: {asked.text}"
    usage = {"characters": len(asked.text) + len(said)}
    return _streamed(said, usage) if asked.stream else _json(200, {"text": said, "usage": usage})


def _streamed(said: str, usage: Mapping[str, int]) -> Reply:
    words = [{"choices": [{"delta": {"content": word}}]} for word in _WORD.findall(said)]
    end = {"choices": [{"delta": {}, "finish_reason": "stop"}], "usage": usage}
    events = [*map(json.dumps, (*words, end)), "[DONE]"]
    return Reply(200, {"content-type": MEDIA_TYPE}, "".join(f"data: {event}\n\n" for event in events).encode())


def _transcription(asked: _Asked) -> Reply:
    size = len(asked.file.data)
    return _json(200, {"text": f"fake: {size} bytes of {asked.file.media_type}", "usage": {"bytes": size}})


def _image(asked: _Asked) -> Reply:
    try:
        width, height = image_size(json.loads(asked.options))
    except ValueError as error:
        return _json(400, {"error": {"message": str(error)}})
    return _file("image/png", b"" if asked.empty else _png(width, height, _color(asked.text, asked.options)))


def _image_transform(asked: _Asked) -> Reply:
    color = _color(hashlib.sha256(asked.file.data).hexdigest(), asked.options)
    return _file("image/png", _png(*_TRANSFORMED_SIZE, color))


def _speech(asked: _Asked) -> Reply:
    seconds = min(max(len(asked.text.split()) // 4, 1), 10)
    return _file("audio/wav", b"" if asked.empty else _tone(seconds))


_ANSWERS: Mapping[str, Callable[[_Asked], Reply]] = {
    "text": _text,
    "image": _image,
    "transcription": _transcription,
    "speech": _speech,
    "image_transform": _image_transform,
}


def _file(media_type: str, content: bytes) -> Reply:
    return Reply(200, {"content-type": media_type}, content)


def _json(status: int, document: object, headers: Mapping[str, str] | None = None) -> Reply:
    body = json.dumps(document).encode()
    return Reply(status, {"content-type": "application/json", **(headers or {})}, body)


def _color(*seeds: str) -> tuple[int, int, int]:
    red, green, blue = hashlib.sha256("\0".join(seeds).encode("utf-8", "replace")).digest()[:3]
    return red, green, blue


@lru_cache(maxsize=16)
def _png(width: int, height: int, color: tuple[int, int, int]) -> bytes:
    """A PNG of eight-bit palette colors that fades from the color at its top to black at its bottom."""
    palette = bytes(part * (255 - shade) // 255 for shade in range(256) for part in color)
    rows = b"".join(b"\0" + bytes([row * 255 // height]) * width for row in range(height))
    header = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"PLTE", palette), (b"IDAT", zlib.compress(rows, 1)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, data) for name, data in chunks)


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


@cache
def _tone(seconds: int) -> bytes:
    """A WAV file of a tone of 400 Hz, 16-bit mono."""
    half = _TONE_PERIOD // 2
    period = [800 * (step if step < half else _TONE_PERIOD - step) - 8000 for step in range(_TONE_PERIOD)]
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(_SAMPLE_RATE)
        writer.writeframes(struct.pack(f"<{_TONE_PERIOD}h", *period) * (seconds * _SAMPLE_RATE // _TONE_PERIOD))
    return file.getvalue()


def provider() -> Provider:
    """The row of the fake provider."""
    return Provider(
        name="fake",
        base_url=BASE_URL,
        provider_class=ProviderClass.REPEATABLE,
        services={
            name: Service(FakeText() if name == "text" else FakeAdapter(name), models=("made-up",))
            for name in CAPABILITIES
        },
    )
