"""What a call that has not been made is assumed to use: documented guesses, rather too high than too low.

Sources: OpenAI's documentation says that a token of English is about four characters, and how many tokens an image of each
quality has; a byte-level tokenizer never makes more tokens than there are bytes. Speech of 15 characters in a second is a
usual pace (150 words in a minute).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import ROUND_UP, Decimal
from typing import Any, Self

from genesis.capabilities.image import AspectRatio, Quality, dimensions
from genesis.domain.quantity import Quantities, Unit

BYTES_PER_TOKEN = 3
MESSAGE_TOKENS = 8
"""What a chat model adds to each message."""
OUTPUT_TOKENS = 1_000
CHARACTERS_PER_TOKEN = 4
CHARACTERS_PER_SECOND = 15
RECORDING_SECONDS = 60
LONGEST_TRANSCRIPT = 1_000_000
"""Characters: what a call's text is cut to."""
SPEECH_TOKENS_PER_SECOND = 21
COMPUTE_SECONDS = 10
IMAGE_TOKENS: Mapping[Quality, int] = {Quality.DRAFT: 272, Quality.STANDARD: 1_056, Quality.HIGH: 4_160}
INPUT_IMAGE_TOKENS = 1_056
_MEGA = Decimal(1_000_000)
_OF_INPUT = frozenset({Unit.INPUT_TOKENS, Unit.CHARACTERS, Unit.AUDIO_SECONDS})
BYTES_PER_SECOND: Mapping[str, int] = {"audio/wav": 32_000, "audio/flac": 16_000}
"""Of recordings that were not examined yet: 16-bit samples at 16 kHz, bare or packed without loss."""
PACKED_BYTES_PER_SECOND = 8_000
"""Of all others: 64 kbit/s, which is little for speech."""


@dataclass(frozen=True, slots=True)
class Recording:
    """How long a recording lasts.

    Attributes:
        is_known: whether it was found in it; else it is guessed by the size of its file.
    """

    seconds: Decimal
    is_known: bool = True

    @classmethod
    def of_size(cls, size: int, media_type: str) -> Self:
        """By the size of a file in bytes."""
        rate = BYTES_PER_SECOND.get(media_type, PACKED_BYTES_PER_SECOND)
        return cls(max(Decimal(1), (Decimal(size) / rate).quantize(Decimal(1), ROUND_UP)), is_known=False)


@dataclass(frozen=True, slots=True)
class Assumed:
    """What a call is assumed to use.

    Attributes:
        at_most: quantities that it surely does not exceed; units without a bound are missing.
        notes: sentences about what was guessed.
    """

    quantities: Quantities
    at_most: Quantities
    notes: tuple[str, ...] = field(default=())


def assumed_use(
    capability: str,
    call_input: Mapping[str, Any],
    options: Mapping[str, Any],
    recorded: Decimal | None = None,
    *,
    is_guessed: bool = False,
) -> Assumed:
    """What a call of a capability with this input is assumed to use.

    Args:
        recorded: seconds of the recording that is its input, where that is known.
        is_guessed: whether the input is assumed itself, so that its length bounds nothing.
    """
    assumed = _assumed(capability, call_input, options, recorded)
    if is_guessed:
        bounded = {unit: most for unit, most in assumed.at_most.items() if unit not in _OF_INPUT}
        assumed = replace(assumed, at_most=bounded)
    if options.get("provider_options"):
        return replace(assumed, at_most={}, notes=(*assumed.notes, "What provider_options change is not known."))
    return assumed


def _assumed(
    capability: str, call_input: Mapping[str, Any], options: Mapping[str, Any], recorded: Decimal | None
) -> Assumed:
    match capability:
        case "text":
            return _text(call_input, options)
        case "image":
            return _image(call_input, options)
        case "image_transform":
            return _image_transform(options)
        case "speech":
            return _speech(call_input, options)
        case "transcription":
            return _transcription(recorded)
    return Assumed({}, {}, (f"Nothing is known about the use of {capability}.",))


def assumed_text(capability: str, options: Mapping[str, Any], recorded: Decimal | None = None) -> str:
    """A text of the length that a call of a capability is assumed to write.

    Args:
        recorded: as for `assumed_use`.
    """
    if capability == "transcription":
        seconds = RECORDING_SECONDS if recorded is None else recorded
        return "x" * max(1, min(int(seconds * CHARACTERS_PER_SECOND), LONGEST_TRANSCRIPT))
    return "x" * (CHARACTERS_PER_TOKEN * int(options.get("max_tokens") or OUTPUT_TOKENS))


def _text(call_input: Mapping[str, Any], options: Mapping[str, Any]) -> Assumed:
    examples = [text for example in options.get("examples") or () for text in (example["text"], example["answer"])]
    texts = [str(call_input.get("text", "")), *([options["system"]] if options.get("system") else []), *examples]
    size = sum(len(text.encode("utf-8", "replace")) for text in texts)
    added = MESSAGE_TOKENS * len(texts)
    longest = options.get("max_tokens")
    tokens = {Unit.INPUT_TOKENS: Decimal(-(-size // BYTES_PER_TOKEN) + added), **_compute()}
    most = {Unit.INPUT_TOKENS: Decimal(size + added)}
    if longest is not None:
        bound = Decimal(longest)
        return Assumed(tokens | {Unit.OUTPUT_TOKENS: bound}, most | {Unit.OUTPUT_TOKENS: bound})
    note = f"Without max_tokens, an answer of {OUTPUT_TOKENS:,} tokens is assumed."
    return Assumed(tokens | {Unit.OUTPUT_TOKENS: Decimal(OUTPUT_TOKENS)}, most, (note,))


def _image(call_input: Mapping[str, Any], options: Mapping[str, Any]) -> Assumed:
    quality = Quality(options.get("quality") or Quality.STANDARD)
    ratio = options.get("aspect_ratio")
    width, height = dimensions(AspectRatio(ratio) if ratio else None, quality)
    size = len(str(call_input.get("prompt", "")).encode("utf-8", "replace"))
    quantities = {
        Unit.IMAGES: Decimal(1),
        Unit.MEGAPIXELS: width * height / _MEGA,
        Unit.INPUT_TOKENS: Decimal(-(-size // BYTES_PER_TOKEN) + MESSAGE_TOKENS),
        Unit.OUTPUT_TOKENS: Decimal(IMAGE_TOKENS[quality]),
        **_compute(),
    }
    return Assumed(quantities, {Unit.IMAGES: Decimal(1)})


def _image_transform(options: Mapping[str, Any]) -> Assumed:
    width, height = dimensions(None, None)
    size = len(str(options.get("prompt") or options.get("style") or "").encode("utf-8", "replace"))
    quantities = {
        Unit.IMAGES: Decimal(1),
        Unit.MEGAPIXELS: width * height / _MEGA,
        Unit.INPUT_TOKENS: Decimal(-(-size // BYTES_PER_TOKEN) + MESSAGE_TOKENS + INPUT_IMAGE_TOKENS),
        Unit.OUTPUT_TOKENS: Decimal(IMAGE_TOKENS[Quality.HIGH]),
        **_compute(),
    }
    note = f"The image's size is not known yet; {width} by {height} pixels are assumed."
    return Assumed(quantities, {Unit.IMAGES: Decimal(1)}, (note,))


def _speech(call_input: Mapping[str, Any], options: Mapping[str, Any]) -> Assumed:
    text = str(call_input.get("text", ""))
    pace = CHARACTERS_PER_SECOND * Decimal(str(options.get("speed") or 1))
    seconds = max(Decimal(1), (len(text) / pace).quantize(Decimal("0.1")))
    quantities = {
        Unit.CHARACTERS: Decimal(len(text)),
        Unit.AUDIO_SECONDS: seconds,
        Unit.INPUT_TOKENS: Decimal(-(-len(text.encode("utf-8", "replace")) // BYTES_PER_TOKEN)),
        Unit.OUTPUT_TOKENS: (seconds * SPEECH_TOKENS_PER_SECOND).quantize(Decimal(1)),
        **_compute(),
    }
    return Assumed(quantities, {Unit.CHARACTERS: Decimal(len(text))})


def _transcription(recorded: Decimal | None) -> Assumed:
    seconds = Decimal(RECORDING_SECONDS) if recorded is None else recorded
    quantities = {
        Unit.AUDIO_SECONDS: seconds,
        Unit.INPUT_TOKENS: (seconds * SPEECH_TOKENS_PER_SECOND).quantize(Decimal(1), ROUND_UP),
        Unit.OUTPUT_TOKENS: (seconds * CHARACTERS_PER_SECOND / BYTES_PER_TOKEN).quantize(Decimal(1), ROUND_UP),
        **_compute(),
    }
    if recorded is not None:
        return Assumed(quantities, {Unit.AUDIO_SECONDS: seconds})
    return Assumed(
        quantities, {}, (f"The recording's length is not known yet; {RECORDING_SECONDS} seconds are assumed.",)
    )


def _compute() -> Quantities:
    return {Unit.COMPUTE_SECONDS: Decimal(COMPUTE_SECONDS), Unit.PROVIDER_UNITS: Decimal(1)}
