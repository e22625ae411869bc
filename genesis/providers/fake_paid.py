"""Providers for tests and trials that seem to charge: `fake-keyed`, `fake-handle` and `fake-opaque`, one of each class.

They all live on one server, whose address is a setting. It speaks the OpenAI wire format, and for `fake-handle` puts a
queue before it: a request is taken with an id, by which it is asked for and given up. Each request carries its call key:
`fake-keyed` charges once for a key, the others only write it down.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

from genesis.domain.attempt import ProviderClass
from genesis.errors import ProviderAmbiguous, ProviderRejected
from genesis.net.exchange import Reply, Request
from genesis.providers.base import Adapter, Chunk, Done, Pending, Provider, ProviderCall, Service
from genesis.providers.openai_format import (
    CHAT_OPTIONS,
    chat_assembled,
    chat_body,
    chat_chunk,
    chat_event,
    chat_result,
    image_result,
)
from genesis.providers.options import Field, OptionTable
from genesis.providers.translation import (
    image_size,
    json_object_of,
    merged,
    message_in,
    raise_for_status,
    reported_cost,
    unreadable,
)

_PATHS = {"text": "/chat/completions", "image": "/images/generations"}
_KEY_HEADERS = {ProviderClass.KEYED: "Idempotency-Key"}
_NOTED_KEY_HEADER = "X-Call-Key"
_JOB_ID = re.compile(r"[A-Za-z0-9-]{1,64}", re.ASCII)
_UNDER_WAY = ("queued", "running")
_LONGEST_WAIT_SECONDS = 60.0


class FakePaidText:
    """Text of a provider that answers at once, or as a stream."""

    options = CHAT_OPTIONS

    def __init__(self, provider_class: ProviderClass) -> None:
        self._key_header = _KEY_HEADERS.get(provider_class, _NOTED_KEY_HEADER)

    def build_request(self, call: ProviderCall) -> Request:
        """The request for a call."""
        return self._request(call, chat_body(call, max_tokens_field="max_tokens"))

    def parse_reply(self, reply: Reply) -> Done:
        """The answer."""
        raise_for_status(reply)
        return chat_result(reply, json_object_of(reply))

    def build_stream(self, call: ProviderCall) -> Request:
        """The request for a call whose answer is streamed."""
        return self._request(call, chat_body(call, max_tokens_field="max_tokens", stream=True))

    def parse_chunk(self, event: bytes) -> Chunk:
        """A piece of the answer; an error ends the stream."""
        document = chat_event(event)
        if document is not None and (error := document.get("error")):
            raise ProviderAmbiguous(f"The provider failed: {message_in(error)}")
        return chat_chunk(document)

    def assemble(self, whole: Chunk) -> Done:
        """The answer, whole."""
        return chat_assembled(whole)

    def _request(self, call: ProviderCall, body: dict[str, Any]) -> Request:
        return Request("POST", _PATHS["text"], {self._key_header: call.call_key}, json=body)


class FakePaidImage:
    """Images of a provider that answers at once."""

    options: ClassVar[OptionTable] = {
        "aspect_ratio": Field("size", note="as pixels, together with the quality"),
        "quality": Field("size", note="as pixels, together with the aspect ratio"),
    }

    def __init__(self, provider_class: ProviderClass) -> None:
        self._key_header = _KEY_HEADERS.get(provider_class, _NOTED_KEY_HEADER)

    def build_request(self, call: ProviderCall) -> Request:
        """The request for a call."""
        width, height = image_size(call.options)
        body = merged({"model": call.model, "prompt": call.text, "size": f"{width}x{height}"}, call.provider_options)
        return Request("POST", _PATHS["image"], {self._key_header: call.call_key}, json=body)

    def parse_reply(self, reply: Reply) -> Done:
        """The image."""
        raise_for_status(reply)
        return replace(image_result(reply), cost=reported_cost(json_object_of(reply)))


class FakeQueued:
    """A capability behind a queue: the request is taken with an id, and its result has to be asked for.

    Args:
        adapter: of the same capability without a queue.
    """

    def __init__(self, adapter: FakePaidText | FakePaidImage) -> None:
        self._adapter = adapter

    @property
    def options(self) -> OptionTable:
        """The options that it can honor."""
        return self._adapter.options

    def build_request(self, call: ProviderCall) -> Request:
        """The request that puts a call into the queue."""
        request = self._adapter.build_request(call)
        return replace(request, url=f"/queue{request.url}")

    def parse_reply(self, reply: Reply) -> Done | Pending:
        """Where to ask next, or the result."""
        raise_for_status(reply)
        job = json_object_of(reply)
        status = job.get("status")
        if status == "done":
            return self._adapter.parse_reply(replace(reply, body=json.dumps(job.get("result"), default=float).encode()))
        if status in ("failed", "canceled"):
            raise ProviderRejected(f"The provider gave the request up: {message_in(job) or status}")
        job_id = job.get("id")
        if status not in _UNDER_WAY or not isinstance(job_id, str) or not _JOB_ID.fullmatch(job_id):
            raise unreadable(reply)
        path = f"/queue/jobs/{job_id}"
        return Pending(Request("GET", path), _wait_seconds(job), cancel=Request("DELETE", path))


def _wait_seconds(job: Mapping[str, Any]) -> float:
    try:
        return min(max(float(job.get("wait_seconds", 1.0)), 0.0), _LONGEST_WAIT_SECONDS)
    except (TypeError, ValueError, OverflowError):
        return 1.0


def provider(provider_class: ProviderClass, url: str) -> Provider:
    """The row of one of them.

    Args:
        url: of the test server.
    """
    text: Adapter = FakePaidText(provider_class)
    image: Adapter = FakePaidImage(provider_class)
    if provider_class is ProviderClass.HANDLE:
        text, image = FakeQueued(FakePaidText(provider_class)), FakeQueued(FakePaidImage(provider_class))
    return Provider(
        name=f"fake-{provider_class}",
        base_url=f"{url.rstrip('/')}/{provider_class}",
        headers={"Authorization": "Bearer fake-key"},
        provider_class=provider_class,
        services={"text": Service(text, models=("made-up",)), "image": Service(image, models=("made-up",))},
    )
