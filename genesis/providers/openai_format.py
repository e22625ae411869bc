"""The OpenAI wire format, which many providers and the offline server speak: chat, images, speech, forms."""

import json
import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from genesis.domain.money import Money
from genesis.domain.quantity import Unit
from genesis.domain.transcript import Segment
from genesis.errors import NothingSaid, ProviderAmbiguous, ProviderError, ProviderRejected
from genesis.net.exchange import Reply
from genesis.providers.audio import audio_of
from genesis.providers.base import Chunk, Done, ProviderCall
from genesis.providers.openai_errors import header_cost
from genesis.providers.options import Field, OptionTable, same_names
from genesis.providers.translation import (
    clean_text,
    json_object_of,
    left_out,
    media_of_base64,
    merged,
    message_in,
    reported_cost,
    unreadable,
    usage_of,
)

_SAME_NAME = ("temperature", "top_p", "stop", "seed")
CHAT_OPTIONS: OptionTable = {
    "system": Field("messages", note="as the first message"),
    "examples": Field("messages", note="as an earlier conversation"),
    "max_tokens": Field("max_completion_tokens", note="`max_tokens` at servers that know only the older name"),
    **same_names(_SAME_NAME),
}
"""The options of the capability `text` that a chat request can carry."""

_QUANTITY_FIELDS = {
    "prompt_tokens": Unit.INPUT_TOKENS,
    "input_tokens": Unit.INPUT_TOKENS,
    "completion_tokens": Unit.OUTPUT_TOKENS,
    "output_tokens": Unit.OUTPUT_TOKENS,
    "seconds": Unit.AUDIO_SECONDS,
}
_USUAL_TIERS = ("default", "auto", "standard", "on_demand")
"""What OpenAI and others say of a call that was charged by the usual prices; others (`flex`, `priority`) cost less or more."""
_HIGHEST_COUNT = 10**12
_FORM_NAME = re.compile(r"[\w.-]+(\[[\w.-]*\])*", re.ASCII)


def chat_body(call: ProviderCall, *, max_tokens_field: str, stream: bool = False) -> dict[str, Any]:
    """The body of a chat completion request.

    Args:
        max_tokens_field: `max_completion_tokens`, or `max_tokens` for servers that know only the older name.
        stream: whether the answer is to come as events.

    Raises:
        ProviderRejected: the provider options ask for a stream, for several answers or for another model.
    """
    refuse_other_model(call)
    options = call.options
    body: dict[str, Any] = {"model": call.model, "messages": _messages(call)}
    body |= {name: options[name] for name in _SAME_NAME if name in options}
    if "max_tokens" in options:
        body[max_tokens_field] = options["max_tokens"]
    body = merged(body, call.provider_options)
    if body.get("stream"):
        raise ProviderRejected("Whether to stream is not for options.", hint="Remove `stream` from provider_options.")
    if body.get("n", 1) not in (1, None):
        raise ProviderRejected("A job makes one answer.", hint="Remove `n` from provider_options.")
    return {**body, "stream": True} if stream else body


def refuse_other_model(call: ProviderCall) -> None:
    """What is asked, priced and shown is the model of the call.

    Raises:
        ProviderRejected: the provider options name another one.
    """
    if call.provider_options.get("model", call.model) != call.model:
        raise ProviderRejected(
            "The model is not for provider_options.", hint="Name it in options.model, as provider:name."
        )


def _messages(call: ProviderCall) -> list[dict[str, str]]:
    """The examples stand as an earlier conversation, which also small models follow."""
    system = [{"role": "system", "content": call.options["system"]}] if "system" in call.options else []
    earlier = [
        message
        for example in call.options.get("examples", ())
        for message in (
            {"role": "user", "content": example["text"]},
            {"role": "assistant", "content": example["answer"]},
        )
    ]
    return [*system, *earlier, {"role": "user", "content": call.text}]


def chat_result(reply: Reply, document: Mapping[str, Any]) -> Done:
    """The first choice of a chat completion.

    Raises:
        ProviderRejected: it holds no text, and would hold none another time.
        ProviderAmbiguous: it holds no text; the model ran all the same and may be charged for.
    """
    choices = document.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices else None
    if not isinstance(choice, dict):
        raise unreadable(reply)
    message = choice.get("message")
    text = _content(message.get("content")) if isinstance(message, dict) else ""
    finish_reason = choice.get("finish_reason")
    cost = reported_cost(document)
    if finish_reason == "error":
        raise ProviderAmbiguous(f"The model failed. {message_in(choice)}".strip(), cost=cost)
    if not text.strip():
        raise _no_text(message, finish_reason, cost)
    model = document.get("model")
    tier = document.get("service_tier")
    is_special = isinstance(tier, str) and tier not in _USUAL_TIERS and cost is None and header_cost(reply) is None
    return Done(
        text=text,
        cost=cost,
        usage=usage_of(document.get("usage")),
        quantities={} if is_special else quantities_of(document.get("usage")),
        model=clean_text(model) if isinstance(model, str) and model.strip() else None,
        finish_reason=finish_reason if isinstance(finish_reason, str) else "",
        warnings=(f"It was served in the tier `{message_in(tier)}`, whose prices are not known.",)
        if is_special
        else (),
    )


def chat_event(event: bytes) -> dict[str, Any] | None:
    """The JSON object of one event of a streamed chat completion; None for `[DONE]`, which ends it.

    Raises:
        ProviderAmbiguous: it is something else.
    """
    if event.strip() == b"[DONE]":
        return None
    try:
        document = json.loads(event, parse_float=Decimal, parse_constant=lambda _: None)
    except (ValueError, RecursionError, InvalidOperation):
        document = None
    if not isinstance(document, dict):
        raise ProviderAmbiguous("The provider streams something that is not a chat completion.")
    return document


def chat_chunk(document: Mapping[str, Any] | None) -> Chunk:
    """What a `chat.completion.chunk` says; None stands for the end of the stream."""
    if document is None:
        return Chunk(last=True)
    choices = document.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices else None
    choice = choice if isinstance(choice, dict) else {}
    delta = choice.get("delta")
    delta = delta if isinstance(delta, dict) else {}
    finish_reason, model, tier = choice.get("finish_reason"), document.get("model"), document.get("service_tier")
    return Chunk(
        text=_content(delta.get("content")),
        finish_reason=finish_reason if isinstance(finish_reason, str) else None,
        usage=document.get("usage"),
        model=model if isinstance(model, str) else None,
        tier=tier if isinstance(tier, str) else None,
        refusal=_content(delta.get("refusal")),
    )


def chat_assembled(whole: Chunk) -> Done:
    """The result of a streamed chat completion.

    Raises:
        ProviderError: as `chat_result`.
    """
    message = {"content": whole.text, "refusal": whole.refusal}
    choice = {"message": message, "finish_reason": whole.finish_reason}
    told = {"model": whole.model, "usage": whole.usage, "service_tier": whole.tier}
    return chat_result(Reply(200, {}, b""), {"choices": [choice], **told})


def _content(content: object) -> str:
    """A message's text; some servers send it as a list of parts."""
    if isinstance(content, list):
        content = "".join(
            part["text"] for part in content if isinstance(part, dict) and isinstance(part.get("text"), str)
        )
    return clean_text(content) if isinstance(content, str) else ""


def _no_text(message: object, finish_reason: object, cost: Money | None) -> ProviderError:
    refusal = _content(message.get("refusal")) if isinstance(message, dict) else ""
    if refusal.strip() or finish_reason == "content_filter":
        text = f"The model refused. {message_in(refusal)}".strip()
        return ProviderRejected(text, hint="Change the prompt.", cost=cost)
    if finish_reason == "length":
        return ProviderRejected("The answer had no room for any text.", hint="Raise options.max_tokens.", cost=cost)
    return ProviderAmbiguous("The model answered with no text.", cost=cost)


def transcription_result(reply: Reply) -> Done:
    """The text of a transcription, `{"text": …}`, with its times where the model tells them.

    Raises:
        NothingSaid: there was no speech.
        ProviderAmbiguous: it is not a transcription.
    """
    document = json_object_of(reply)
    text = document.get("text")
    if not isinstance(text, str):
        raise unreadable(reply)
    text, cost = clean_text(text).strip(), reported_cost(document)
    if not text:
        raise NothingSaid(
            "No speech was recognized in the audio.", hint="Check that the recording has speech.", cost=cost
        )
    usage = document.get("usage")
    return Done(
        text=text,
        cost=cost,
        usage=usage_of(usage),
        quantities=quantities_of({"seconds": document.get("duration")}) | quantities_of(usage),
        segments=_timed(document.get("segments"), "text"),
        words=_timed(document.get("words"), "word"),
    )


def _timed(parts: object, text_field: str) -> tuple[Segment, ...]:
    """The parts of a transcription that have times and text."""
    found = []
    for part in parts if isinstance(parts, list) else ():
        fields = part if isinstance(part, dict) else {}
        start, end, text = _count(fields.get("start")), _count(fields.get("end")), fields.get(text_field)
        if start is not None and end is not None and isinstance(text, str) and clean_text(text).strip():
            found.append(Segment(float(start), float(max(start, end)), clean_text(text).strip()))
    return tuple(found)


def speech_result(reply: Reply) -> Done:
    """The file that a speech reply is; bare samples get the header of a WAV file.

    Raises:
        ProviderAmbiguous: it holds no audio.
    """
    media = audio_of(reply)
    if media is None:
        raise unreadable(reply)
    return Done(media=media)


def image_result(reply: Reply) -> Done:
    """The first image of `{"data": [{"b64_json": …}]}`, or where it is, `{"data": [{"url": …}]}`.

    Raises:
        ProviderAmbiguous: it holds no image.
    """
    document = json_object_of(reply)
    data = document.get("data")
    files = data if isinstance(data, list) else []
    file = files[0] if files and isinstance(files[0], dict) else {}
    usage = document.get("usage")
    url = file.get("url")
    media = media_of_base64(file.get("b64_json") or url, "image")
    is_url = isinstance(url, str) and url.startswith(("https://", "http://"))
    if media is None and not is_url:
        raise unreadable(reply)
    return Done(
        media=media,
        media_url=None if media else url,
        cost=reported_cost(document),
        usage=usage_of(usage),
        quantities={Unit.IMAGES: Decimal(len(files))} | quantities_of(usage),
        warnings=left_out(len(files)),
    )


def quantities_of(usage: object) -> dict[Unit, Decimal]:
    """The tokens and the seconds of audio that a usage record counts, under any of their names."""
    counts: dict[str, Any] = usage if isinstance(usage, dict) else {}
    found: dict[Unit, Decimal] = {}
    for name, unit in _QUANTITY_FIELDS.items():
        if (count := _count(counts.get(name))) is not None:
            found[unit] = max(count, found.get(unit, count))
    # Proxies write zeros for what they were not told, and for names that they do not use.
    return found if any(found.values()) else {}


def _count(value: object) -> Decimal | None:
    """A number that counts something; None for what cannot be one."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return None
    return Decimal(value) if 0 <= value <= _HIGHEST_COUNT else None


def form_fields(body: Mapping[str, Any]) -> dict[str, str | tuple[str, ...]]:
    """The fields of a body as a multipart form writes them: `name[]` for each of a list, `name[key]` for objects.

    Raises:
        ProviderRejected: a name is none that a form can carry.
    """
    form: dict[str, str | tuple[str, ...]] = {}
    for name, value in body.items():
        if not _FORM_NAME.fullmatch(name):
            raise ProviderRejected(
                f"A form cannot carry a field named {message_in(name) or 'nothing'}.",
                hint="Write names in provider_options with letters, digits and underscores.",
            )
        if isinstance(value, Mapping):
            form |= form_fields({f"{name}[{key}]": part for key, part in value.items()})
        elif isinstance(value, list | tuple):
            form[f"{name}[]"] = tuple(_written(part) for part in value)
        elif value is not None:
            form[name] = _written(value)
    return form


def _written(value: object) -> str:
    """Text as it is, everything else as JSON; without lone surrogates, which only JSON can carry."""
    text = value if isinstance(value, str) else json.dumps(value)
    return text.encode("utf-8", "replace").decode("utf-8")
