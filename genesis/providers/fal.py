"""fal: image, image transformation, speech and transcription through its queue, https://fal.ai.

A model is named by its path there, for example `fal:fal-ai/flux/dev`, and every path is passed on. The options are said
in the words of the defaults; models that use others take them from `provider_options`, which are laid over the input.

A request is taken with an id, then asked for until it is complete. Completed says nothing of success: a request that
failed answers with an error when its result is asked for. What is known of an accepted request is never lost, since the
handle is stored before the first poll. A submit whose answer is lost is in doubt, however: fal takes no idempotency key
and lists no requests, so that nobody can find it, and what follows is for `on_ambiguous` to say.

Facts: fal-client 1.0.3, fal's documentation of its queue and of its errors. fal tells the units that it bills, not their
price.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from genesis.domain.attempt import ProviderClass
from genesis.domain.quantity import Unit
from genesis.errors import ProviderAmbiguous, ProviderError, ProviderRejected
from genesis.net.exchange import Reply, Request
from genesis.providers.base import Done, OverAndFree, Pending, Provider, ProviderCall, Service
from genesis.providers.openai_format import transcription_result
from genesis.providers.options import Field, OptionTable, fields_of, same_names
from genesis.providers.queues import (
    count_of,
    counted,
    edit_prompt,
    file_result,
    files_in,
    primary_language,
    segments_in,
)
from genesis.providers.translation import (
    data_url,
    error_for_status,
    error_message,
    image_size,
    json_object_of,
    json_of,
    left_out,
    media_in,
    merged,
    message_in,
    prompt_in_style,
    succeeded,
    unreadable,
    usage_of,
    wait_asked,
)
from genesis.settings import Settings

_QUEUE_ORIGIN = "https://queue.fal.run"
"""The origin that fal names in its answers, whatever stands between it and its caller."""

_CHECK = "https://api.fal.ai/v1/models/pricing?endpoint_id=fal-ai/flux/dev"
"""What a model charges, which fal's platform tells for nothing, and to those with a valid key only."""

_MODEL_PATH = re.compile(r"[\w-][\w.-]*(/[\w-][\w.-]*)+", re.ASCII)
_QUEUE_PATH = re.compile(r"(/[\w-][\w.-]*)+", re.ASCII)
_REQUEST_URL = re.compile(r"(?P<result>.+/requests/[\w-]+)(?P<status>/status)?", re.ASCII)
_POLL_SECONDS = 1.0

_UNDER_WAY = ("IN_QUEUE", "IN_PROGRESS")
_COMPLETED = "COMPLETED"
_GIVEN_UP = ("FAILED", "ERROR", "CANCELLED", "CANCELED")
_RESULT_FIELDS = frozenset({"images", "image", "audio", "audio_url", "text"})
_TOO_EARLY = re.compile(r"still in progress", re.IGNORECASE)
_UNBILLED = frozenset(
    """
    request_timeout startup_timeout runner_scheduling_failure runner_connection_timeout runner_connection_refused
    runner_connection_error runner_disconnected runner_incomplete_response runner_server_error internal_error
    """.split()
)
"""Failures of fal's own machines, which answer with a 5xx and are not billed (fal's pages on reliability and on request
errors)."""
_GONE = (HTTPStatus.NOT_FOUND, HTTPStatus.GONE)

_HINTS = {
    401: "Check FAL_KEY, of the form id:secret; `genesis-server check` tries it.",
    402: "Add credit to the fal account.",
    403: "Check FAL_KEY, and whether the fal account has credit left.",
    404: "Check the model's path at https://fal.ai/models.",
}

_SIZE = "as pixels of width and height"
_IMAGE_OPTIONS: OptionTable = {
    "style": Field(note="named in the prompt"),
    "quality": Field(note=_SIZE),
    "aspect_ratio": Field(note=_SIZE),
    "negative_prompt": Field("negative_prompt", note="by models that are not of the FLUX family"),
    **same_names("seed"),
}
_TRANSFORM_OPTIONS: OptionTable = {
    "style": Field(note="named in the prompt"),
    "prompt": Field(note="with the style; made of the style alone where there is none"),
    "strength": Field("strength", note="by models whose path names `image-to-image`; those that edit have none"),
    "negative_prompt": Field("negative_prompt", note="by models that are not of the FLUX family"),
    **same_names("seed"),
}
_SPEECH_OPTIONS: OptionTable = same_names("voice speed")
_TRANSCRIPTION_OPTIONS: OptionTable = {"language": Field(note="without its region, as `language`")}

_SPEECH_TEXT_FIELDS = {"fal-ai/kokoro": "prompt", "fal-ai/gemini-tts": "prompt", "fal-ai/playai": "input"}
"""By the beginning of a model's path; all others take the text as `text`."""

_MARKED = "fal's safety check has marked the image; it may be black."

_ONLY_FOR = {
    "strength": re.compile(r"image-to-image"),
    "negative_prompt": re.compile(r"sdxl|stable-diffusion|qwen-image"),
}
"""Options that only some models have, by what their paths contain."""

_Input = Callable[[ProviderCall], dict[str, Any]]
_Result = Callable[[Reply, dict[str, Any]], Done]


def _image_input(call: ProviderCall) -> dict[str, Any]:
    width, height = image_size(call.options)
    return {
        "prompt": prompt_in_style(call.text, call.options.get("style")),
        "image_size": {"width": width, "height": height},
    }


def _transform_input(call: ProviderCall) -> dict[str, Any]:
    """Both fields for the image, since fal's models name it either way."""
    image = data_url(media_in(call.media))
    return {"image_url": image, "image_urls": [image], "prompt": edit_prompt(call.options)}


def _speech_input(call: ProviderCall) -> dict[str, Any]:
    named = (field for path, field in _SPEECH_TEXT_FIELDS.items() if call.model.startswith(path))
    return {next(named, "text"): call.text}


def _transcription_input(call: ProviderCall) -> dict[str, Any]:
    language = call.options.get("language")
    spoken = {"language": primary_language(language)} if language else {}
    return {"audio_url": data_url(media_in(call.media)), **spoken}


def _image_result(reply: Reply, document: dict[str, Any]) -> Done:
    done = _file_result(reply, document, "image", ("images", "image", "url"))
    made = document.get("images")
    images = [image for image in made if isinstance(image, dict)] if isinstance(made, list) else []
    sizes = [(count_of(image.get("width")), count_of(image.get("height"))) for image in images]
    pixels = [width * height for width, height in sizes if width and height]
    megapixels = sum(pixels, Decimal(0)) / 1_000_000 if pixels and len(pixels) == len(images) else None
    marked = document.get("has_nsfw_concepts")
    is_marked = isinstance(marked, list) and marked[:1] == [True]
    return replace(
        done,
        quantities=counted({Unit.IMAGES: len(images) or 1, Unit.MEGAPIXELS: megapixels}),
        warnings=(*left_out(len(images)), *((_MARKED,) if is_marked else ())),
    )


def _speech_result(reply: Reply, document: dict[str, Any]) -> Done:
    return _file_result(reply, document, "audio", ("audio", "audio_url", "url"))


def _file_result(reply: Reply, document: dict[str, Any], kind: str, names: tuple[str, ...]) -> Done:
    url = next(iter(files_in(document, names)), "")
    done = file_result(url, kind)
    if done is None:
        raise unreadable(reply)
    return done


def _transcription_result(reply: Reply, document: dict[str, Any]) -> Done:
    return replace(transcription_result(reply), segments=segments_in(document.get("chunks")))


class FalAdapter:
    """One capability over the queue.

    Args:
        options: how the capability's options are said, of all models together.
        make_input: what the model is given, without the options that have a field of their own.
        read_result: what it has made.
        base_url: of the queue; URLs of other servers in its answers are not asked.
    """

    def __init__(self, options: OptionTable, make_input: _Input, read_result: _Result, base_url: str) -> None:
        self.options = options
        self._make_input = make_input
        self._read_result = read_result
        self._base_url = base_url

    def options_of(self, model: str) -> OptionTable:
        """How a model is told the capability's options."""
        return {
            name: field
            for name, field in self.options.items()
            if name not in _ONLY_FOR or _ONLY_FOR[name].search(model)
        }

    def build_request(self, call: ProviderCall) -> Request:
        """The request that puts a call into the queue.

        Raises:
            ProviderRejected: the model's name is none, or an input is missing.
        """
        if not _MODEL_PATH.fullmatch(call.model):
            raise ProviderRejected(
                f"{call.model!r} is not a model's path.", hint="Write it as `fal:fal-ai/flux/dev`; see fal.ai/models."
            )
        body = {**self._make_input(call), **fields_of(self.options_of(call.model), call.options)}
        return Request("POST", f"/{call.model}", json=merged(body, call.provider_options))

    def parse_reply(self, reply: Reply) -> Done | Pending:
        """Where to ask for a request that was submitted."""
        if not succeeded(reply):
            raise error_for_status(reply, error_message(reply), retry_after=wait_asked(reply), hints=_HINTS)
        return self._read(reply, None)

    def parse_poll(self, poll: Request, reply: Reply) -> Done | Pending:
        """Where to ask next, or the result; errors in place of a result are the last word on the request."""
        asked = _REQUEST_URL.fullmatch(poll.url)
        if not succeeded(reply):
            return _failed(reply, asked)
        return self._read(reply, asked)

    def _read(self, reply: Reply, asked: re.Match[str] | None) -> Done | Pending:
        document = json_object_of(reply)
        if _is_queued(document):
            return self._next(document, asked)
        done = self._read_result(reply, document)
        units = counted({Unit.PROVIDER_UNITS: reply.headers.get("x-fal-billable-units")})
        return replace(done, quantities={**done.quantities, **units}, usage=usage_of(document.get("timings")))

    def _next(self, document: Mapping[str, Any], asked: re.Match[str] | None) -> Pending:
        """Where to ask next: the status until it is complete, then the result.

        Raises:
            OverAndFree: the request was given up by fal's own machines, which is not billed.
            ProviderRejected: it was given up after the queue had taken it; sent again, it could be charged twice.
            ProviderAmbiguous: nobody knows where it stands.
        """
        status = document.get("status", "IN_QUEUE")
        if status in _GIVEN_UP or (status == _COMPLETED and (document.get("error") or document.get("error_type"))):
            reason = message_in(document) or message_in(document.get("error_type")) or message_in(status)
            raise _over(reason, document.get("error_type"))
        if status != _COMPLETED and status not in _UNDER_WAY:
            raise ProviderAmbiguous(f"fal says of the queued request: {message_in(status) or 'nothing'}.")
        result = self._own(document.get("response_url")) or (asked["result"] if asked else None)
        if result is None:
            raise ProviderAmbiguous("fal took the request and named no address of its own to ask for the result.")
        if status == _COMPLETED:
            return Pending(Request("GET", result), wait_seconds=0)
        return _under_way(result, self._own(document.get("status_url")), self._own(document.get("cancel_url")))

    def _own(self, url: object) -> str | None:
        """What of a URL in an answer may be asked with the key: one of our own server, or fal's path below it."""
        try:
            parts, own = urlsplit(url if isinstance(url, str) else ""), urlsplit(self._base_url)
        except ValueError:
            return None
        if not _QUEUE_PATH.fullmatch(parts.path):
            return None
        if (parts.scheme, parts.netloc) == (own.scheme, own.netloc):
            return f"{parts.scheme}://{parts.netloc}{parts.path}"
        return parts.path if f"{parts.scheme}://{parts.netloc}" == _QUEUE_ORIGIN else None


def _under_way(result: str, status: str | None = None, cancel: str | None = None) -> Pending:
    """What to ask next of a request; its other addresses are made of that of its result where they are not told."""
    poll = Request("GET", status or f"{result}/status")
    return Pending(poll, _POLL_SECONDS, cancel=Request("PUT", cancel or f"{result}/cancel"))


def _is_queued(document: Mapping[str, Any]) -> bool:
    """Whether a reply tells how a queued request is doing, and not its result."""
    tells = "response_url" in document or isinstance(document.get("status"), str)
    return tells and _RESULT_FIELDS.isdisjoint(document)


def _error_type(reply: Reply) -> str:
    document = json_of(reply)
    named = document.get("error_type") if isinstance(document, dict) else None
    return reply.headers.get("x-fal-error-type") or (named if isinstance(named, str) else "")


def _tells_of_the_request(reply: Reply) -> bool:
    """Whether an error in place of a result is the last word on the request, and not that of a gateway on the way.

    fal says it by an error type for its own failures, and by a list of details for those of the model.
    """
    document = json_of(reply)
    fields = document if isinstance(document, dict) else {}
    return bool(
        "x-fal-error-type" in reply.headers or fields.get("error_type") or isinstance(fields.get("detail"), list)
    )


def _over(reason: str, error_type: object) -> ProviderError:
    """What a request has come to that fal has given up."""
    kind = OverAndFree if isinstance(error_type, str) and error_type in _UNBILLED else ProviderRejected
    return kind(f"fal gave the request up: {reason}" if reason else "fal gave the request up.")


def _failed(reply: Reply, asked: re.Match[str] | None) -> Pending:
    """What follows an error in place of a status or a result: only a request that is asked for too early goes on.

    Raises:
        ProviderError: what became of it otherwise.
    """
    message = error_message(reply)
    if asked is not None and asked["status"] is None:
        if reply.status == HTTPStatus.BAD_REQUEST and _TOO_EARLY.search(message):
            return _under_way(asked["result"])
        if _error_type(reply) in _UNBILLED or _tells_of_the_request(reply):
            raise _over(message, _error_type(reply))
    if reply.status in _GONE:
        raise ProviderAmbiguous(
            "fal does not know the request any more.", hint="Look for it at https://fal.ai/dashboard."
        )
    raise error_for_status(reply, message, retry_after=wait_asked(reply), hints=_HINTS)


def provider(settings: Settings) -> Provider:
    """The row of fal."""
    key, base_url = settings.fal_key, settings.fal_base_url.rstrip("/")
    image = FalAdapter(_IMAGE_OPTIONS, _image_input, _image_result, base_url)
    transform = FalAdapter(_TRANSFORM_OPTIONS, _transform_input, _image_result, base_url)
    speech = FalAdapter(_SPEECH_OPTIONS, _speech_input, _speech_result, base_url)
    transcription = FalAdapter(_TRANSCRIPTION_OPTIONS, _transcription_input, _transcription_result, base_url)
    return Provider(
        name="fal",
        base_url=base_url,
        headers={"Authorization": f"Key {key.get_secret_value().strip()}"} if key else {},
        missing="" if key else "FAL_KEY is not set",
        own_urls=frozenset({_CHECK}),
        key_variable="FAL_KEY",
        # Behind a base URL of one's own nobody knows of a free request.
        check=Request("GET", _CHECK) if settings.is_default("fal_base_url") else None,
        list_prices=settings.is_default("fal_base_url"),
        provider_class=ProviderClass.HANDLE,
        services={
            "image": _service(image, "fal-ai/flux/dev", "fal-ai/flux/schnell"),
            "image_transform": _service(transform, "fal-ai/flux/dev/image-to-image", "fal-ai/flux-2/klein/9b/edit"),
            "speech": _service(speech, "fal-ai/kokoro/american-english", "fal-ai/dia-tts"),
            "transcription": _service(transcription, "fal-ai/whisper"),
        },
    )


def _service(adapter: FalAdapter, *models: str) -> Service:
    return Service(adapter, models=models, any_model=True)
