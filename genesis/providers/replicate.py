"""Replicate: text, image, image transformation, speech and transcription, https://replicate.com.

Models are named as there: `replicate:owner/name` for those that Replicate itself keeps running ("official"), and
`replicate:owner/name:version` or a version's 64 hexadecimal digits for all others. Every name is passed on. The options
are said in the words of the defaults; models that use others take them from `provider_options`, which are laid over the
`input`.

A prediction is created and then asked for by its id. `Prefer: wait`, which keeps the creating request open for up to a
minute, is not used: until its answer arrives nobody knows the id, so that a lost connection or a killed worker would leave
a paid prediction in doubt for all that time. Without it the id is here, and stored, within the time of one exchange, and
everything after that can be asked again. A create whose answer is lost all the same stays in doubt, as `on_ambiguous`
decides: Replicate takes no idempotency key, and its list of predictions (`GET /v1/predictions`) proves nothing, since two
jobs may send the same input, no field of a prediction is ours to mark, and one that is missing may only be late.

Facts: replicate 1.0.7, Replicate's documentation of predictions, cog 0.23 for results. Replicate tells the seconds that a
model has run, not their price. Results stay with it for an hour.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from enum import Enum
from http import HTTPStatus
from typing import Any

from genesis.domain.attempt import ProviderClass
from genesis.domain.quantity import Unit
from genesis.errors import (
    NothingSaid,
    ProviderAmbiguous,
    ProviderError,
    ProviderRejected,
    ResultLost,
)
from genesis.net.exchange import FormFile, Reply, Request
from genesis.net.media import extension
from genesis.providers.base import Done, OverAndFree, Pending, Provider, ProviderCall, Service
from genesis.providers.options import Field, OptionTable, fields_of, same_names
from genesis.providers.queues import counted, edit_prompt, file_result, files_in, primary_language, segments_in
from genesis.providers.translation import (
    clean_text,
    data_url,
    error_for_status,
    error_message,
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


class State(Enum):
    """What a prediction's status means for its call."""

    UNDER_WAY = "under way"
    DONE = "done"
    GIVEN_UP = "given up"  # it may have run, and may be charged
    NEVER_BEGAN = "never began"  # it is not charged


STATES: Mapping[str, State] = {
    "starting": State.UNDER_WAY,
    "processing": State.UNDER_WAY,
    "succeeded": State.DONE,
    "failed": State.GIVEN_UP,
    "canceled": State.GIVEN_UP,
    "aborted": State.NEVER_BEGAN,
}
"""By the status of a prediction; any other leaves the call in doubt."""

_VERSION = re.compile(r"([\w.-]+/[\w.-]+:)?[0-9a-f]{64}|[\w.-]+/[\w.-]+:[\w.-]+", re.ASCII)
_OFFICIAL = re.compile(r"[\w-][\w.-]*/[\w-][\w.-]*", re.ASCII)
_ID = re.compile(r"[\w-]{1,64}", re.ASCII)
_POLL_SECONDS = 1.0
_LONGEST_DATA_URL = 256 * 1024
_GONE = (HTTPStatus.NOT_FOUND, HTTPStatus.GONE)

_HINTS = {
    401: "Check REPLICATE_API_TOKEN; `genesis-server check` tries it.",
    402: "Add credit to the Replicate account.",
    403: "Check what REPLICATE_API_TOKEN is allowed to use.",
    404: "Check the model's name at https://replicate.com/explore; one that is not official needs its version behind a colon.",
}

_METRICS = {
    "predict_time": Unit.COMPUTE_SECONDS,
    "image_count": Unit.IMAGES,
    "input_token_count": Unit.INPUT_TOKENS,
    "output_token_count": Unit.OUTPUT_TOKENS,
}

_TEXT_OPTIONS: OptionTable = {
    "system": Field("system_prompt"),
    "stop": Field(note="as `stop_sequences`, with commas between them"),
    **same_names("temperature top_p max_tokens seed"),
}
_IMAGE_OPTIONS: OptionTable = {
    "style": Field(note="named in the prompt"),
    "quality": Field(
        "megapixels", {"draft": "0.25", "standard": "1", "high": "1"}, near={"high": "standard, one megapixel"}
    ),
    **same_names("aspect_ratio seed"),
}
_TRANSFORM_OPTIONS: OptionTable = {
    "style": Field(note="named in the prompt"),
    "prompt": Field(note="with the style; made of the style alone where there is none"),
    **same_names("seed"),
}
_LANGUAGES = dict(
    part.split(":")
    for part in """
    ar:Arabic cs:Czech de:German el:Greek en:English es:Spanish fi:Finnish fr:French hi:Hindi id:Indonesian it:Italian
    ja:Japanese ko:Korean nl:Dutch pl:Polish pt:Portuguese ro:Romanian ru:Russian th:Thai tr:Turkish uk:Ukrainian
    vi:Vietnamese zh:Chinese
    """.split()
)
_SPEECH_OPTIONS: OptionTable = {
    "voice": Field("voice_id"),
    "language": Field("language_boost", _LANGUAGES),
    **same_names("speed"),
}
_TRANSCRIPTION_OPTIONS: OptionTable = {"language": Field(note="without its region, as `language`")}

_IMAGE_FIELDS = {
    "kontext": ("input_image", False),
    "nano-banana": ("image_input", True),
    "flux-2": ("input_images", True),
}
"""By a part of a model's name: how it calls the image that it transforms, and whether it takes a list of them."""

_FILE_FIELDS = ("image", "images", "audio", "audio_out", "output", "url", "file")
_TEXT_FIELDS = ("text", "transcription", "output")
_SEGMENT_FIELDS = ("segments", "chunks")

_Input = Callable[[ProviderCall], dict[str, Any]]
_Result = Callable[[object], Done | None]


def _text_input(call: ProviderCall) -> dict[str, Any]:
    stop = call.options.get("stop")
    if stop and any("," in text for text in stop):
        raise ProviderRejected("Replicate takes no comma in a text of `stop`.", hint="Write it without one.")
    return {"prompt": call.text, **({"stop_sequences": ",".join(stop)} if stop else {})}


def _image_input(call: ProviderCall) -> dict[str, Any]:
    return {"prompt": prompt_in_style(call.text, call.options.get("style"))}


def _transform_input(call: ProviderCall) -> dict[str, Any]:
    named = (field for part, field in _IMAGE_FIELDS.items() if part in call.model)
    name, is_list = next(named, ("image", False))
    image = _file(call)
    return {name: [image] if is_list else image, "prompt": edit_prompt(call.options)}


def _speech_input(call: ProviderCall) -> dict[str, Any]:
    return {"text": call.text}


def _transcription_input(call: ProviderCall) -> dict[str, Any]:
    language = call.options.get("language")
    return {"audio": _file(call), **({"language": primary_language(language)} if language else {})}


def _file(call: ProviderCall) -> str:
    return call.media_url or data_url(media_in(call.media))


def _text_result(output: object) -> Done:
    text = clean_text(_text_in(output))
    if not text.strip():
        raise ProviderAmbiguous("The model answered with no text.")
    return Done(text=text)


def _transcription_result(output: object) -> Done | None:
    fields = output if isinstance(output, dict) else {}
    if not isinstance(output, str | list) and not any(isinstance(fields.get(name), str) for name in _TEXT_FIELDS):
        return None
    text = clean_text(_text_in(output)).strip()
    if not text:
        raise NothingSaid("No speech was recognized in the audio.", hint="Check that the recording has speech.")
    parts = next((fields[name] for name in _SEGMENT_FIELDS if name in fields), None)
    return Done(text=text, segments=segments_in(parts))


def _text_in(output: object) -> str:
    """The text of a model's output: whole, as a list of tokens, or in a field of an object."""
    if isinstance(output, dict):
        output = next((output[name] for name in _TEXT_FIELDS if output.get(name)), "")
    if isinstance(output, list):
        return "".join(token for token in output if isinstance(token, str))
    return output if isinstance(output, str) else ""


def _image_result(output: object) -> Done | None:
    urls = files_in(output, _FILE_FIELDS)
    done = file_result(urls[0], "image") if urls else None
    return done and replace(done, quantities=counted({Unit.IMAGES: len(urls)}), warnings=left_out(len(urls)))


def _speech_result(output: object) -> Done | None:
    urls = files_in(output, _FILE_FIELDS)
    return file_result(urls[0], "audio") if urls else None


class ReplicateAdapter:
    """One capability over predictions.

    Args:
        options: how the capability's options are said.
        make_input: what the model is given, without the options that have a field of their own.
        read_result: what it has made, of a prediction's `output`; None where that holds nothing of the kind.
    """

    def __init__(self, options: OptionTable, make_input: _Input, read_result: _Result) -> None:
        self.options = options
        self._make_input = make_input
        self._read_result = read_result

    def build_upload(self, call: ProviderCall) -> Request | None:
        """The request that uploads the call's file, where it is too large for a data URL."""
        if call.media is None or len(data_url(call.media)) <= _LONGEST_DATA_URL:
            return None
        name = f"input.{extension(call.media.media_type)}"
        return Request("POST", "/v1/files", form={"content": FormFile(name, call.media.media_type, call.media.data)})

    def parse_upload(self, reply: Reply) -> str:
        """Where Replicate's models find the file."""
        if not succeeded(reply):
            raise _error(reply)
        urls = json_object_of(reply).get("urls")
        url = urls.get("get") if isinstance(urls, dict) else None
        if not isinstance(url, str) or not url.startswith(("https://", "http://")):
            raise unreadable(reply)
        return url

    def build_request(self, call: ProviderCall) -> Request:
        """The request that creates a prediction.

        Raises:
            ProviderRejected: the model's name is none, or an input is missing or cannot be said.
        """
        values = {**self._make_input(call), **fields_of(self.options, call.options)}
        body = {"input": merged(values, call.provider_options)}
        if _VERSION.fullmatch(call.model):
            return Request("POST", "/v1/predictions", json={"version": call.model, **body})
        if _OFFICIAL.fullmatch(call.model):
            return Request("POST", f"/v1/models/{call.model}/predictions", json=body)
        raise ProviderRejected(
            f"{call.model!r} is not a model's name.",
            hint="Write `replicate:owner/name` or `replicate:owner/name:version`.",
        )

    def parse_reply(self, reply: Reply) -> Done | Pending:
        """Where to ask next, or the result."""
        if not succeeded(reply):
            raise _error(reply)
        prediction = json_object_of(reply)
        match STATES.get(message_in(prediction.get("status"))):
            case State.UNDER_WAY:
                return _under_way(reply, prediction)
            case State.DONE:
                return self._done(reply, prediction)
            case State.GIVEN_UP:
                raise ProviderRejected(_ending(prediction))
            case State.NEVER_BEGAN:
                raise OverAndFree(_ending(prediction))
            case None:
                raise unreadable(reply)

    def parse_poll(self, poll: Request, reply: Reply) -> Done | Pending:
        """As `parse_reply`; a prediction that is not known any more is in doubt, and no model that there is not."""
        if reply.status in _GONE:
            raise ProviderAmbiguous(
                f"Replicate does not know {poll.url} any more.",
                hint="Look for it at https://replicate.com/predictions.",
            )
        return self.parse_reply(reply)

    def _done(self, reply: Reply, prediction: Mapping[str, Any]) -> Done:
        if prediction.get("output") is None and prediction.get("data_removed"):
            raise ResultLost("Replicate has made the result and removed it since; it keeps results for an hour.")
        done = self._read_result(prediction.get("output"))
        if done is None:
            raise unreadable(reply)
        metrics = prediction.get("metrics")
        fields = metrics if isinstance(metrics, dict) else {}
        told = counted({unit: fields.get(name) for name, unit in _METRICS.items()})
        return replace(done, usage=usage_of(metrics), quantities={**done.quantities, **told})


def _under_way(reply: Reply, prediction: Mapping[str, Any]) -> Pending:
    """By the id alone: what other URLs the answer names is of no account.

    Raises:
        ProviderAmbiguous: there is none.
    """
    prediction_id = prediction.get("id")
    if not isinstance(prediction_id, str) or not _ID.fullmatch(prediction_id):
        raise unreadable(reply)
    path = f"/v1/predictions/{prediction_id}"
    return Pending(Request("GET", path), _POLL_SECONDS, cancel=Request("POST", f"{path}/cancel"))


def _ending(prediction: Mapping[str, Any]) -> str:
    status, reason = message_in(prediction.get("status")), message_in(prediction.get("error"))
    return f"The prediction was {status}: {reason}" if reason else f"The prediction was {status}."


def _error(reply: Reply) -> ProviderError:
    document = json_of(reply)
    asked = document.get("retry_after") if isinstance(document, dict) else None
    return error_for_status(reply, error_message(reply), retry_after=wait_asked(reply, asked), hints=_HINTS)


def provider(settings: Settings) -> Provider:
    """The row of Replicate."""
    token = settings.replicate_api_token
    return Provider(
        name="replicate",
        base_url=settings.replicate_base_url.rstrip("/"),
        headers={"Authorization": f"Bearer {token.get_secret_value().strip()}"} if token else {},
        missing="" if token else "REPLICATE_API_TOKEN is not set",
        key_variable="REPLICATE_API_TOKEN",
        list_prices=settings.is_default("replicate_base_url"),
        check=Request("GET", "/v1/account"),
        provider_class=ProviderClass.HANDLE,
        services={
            "text": _service(
                ReplicateAdapter(_TEXT_OPTIONS, _text_input, _text_result),
                "meta/meta-llama-3-8b-instruct",
                "meta/meta-llama-3-70b-instruct",
            ),
            "image": _service(
                ReplicateAdapter(_IMAGE_OPTIONS, _image_input, _image_result),
                "black-forest-labs/flux-schnell",
                "black-forest-labs/flux-dev",
            ),
            "image_transform": _service(
                ReplicateAdapter(_TRANSFORM_OPTIONS, _transform_input, _image_result),
                "black-forest-labs/flux-kontext-pro",
                "black-forest-labs/flux-kontext-dev",
            ),
            "speech": _service(
                ReplicateAdapter(_SPEECH_OPTIONS, _speech_input, _speech_result),
                "minimax/speech-02-turbo",
                "minimax/speech-02-hd",
            ),
            "transcription": _service(
                ReplicateAdapter(_TRANSCRIPTION_OPTIONS, _transcription_input, _transcription_result),
                "openai/whisper:8099696689d249cf8b122d833c36ac3f75505c666a395ca40ef26f68e7d3d16e",
            ),
        },
    )


def _service(adapter: ReplicateAdapter, *models: str) -> Service:
    return Service(adapter, models=models, any_model=True)
