"""What adapters of providers with queues share: prompts of edits, files in results of many forms, and counts."""

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from genesis.domain.quantity import Unit
from genesis.domain.transcript import Segment
from genesis.errors import ProviderRejected
from genesis.providers.base import Done
from genesis.providers.translation import clean_text, media_of_base64, prompt_in_style

_HTTP = ("https://", "http://")
_DEEPEST = 4
_MOST = 100_000
_HIGHEST_COUNT = Decimal(10**12)
_NUMBER = re.compile(r"\d{1,15}(\.\d{1,30})?", re.ASCII)


def edit_prompt(options: Mapping[str, Any]) -> str:
    """What a model that follows words shall make of an image.

    Raises:
        ProviderRejected: the options name neither a prompt nor a style.
    """
    prompt, style = options.get("prompt"), options.get("style")
    if prompt:
        return prompt_in_style(prompt, style)
    if style:
        return f"Redraw this image in {style} style. Keep its subject and composition."
    raise ProviderRejected("The model must be told what to change.", hint="Set options.style or options.prompt.")


def primary_language(tag: str) -> str:
    """The language of a tag without its region: `pt` of `pt-BR`."""
    return tag.partition("-")[0]


def files_in(value: object, names: Iterable[str], depth: int = 0) -> list[str]:
    """All URLs in a result, in their order: in strings, lists, and objects.

    Args:
        names: fields of objects that are looked into, the likeliest first.
    """
    if isinstance(value, str):
        return [value] if value.startswith((*_HTTP, "data:")) else []
    if depth > _DEEPEST:
        return []
    if isinstance(value, list):
        parts = value[:_MOST]
    elif isinstance(value, dict):
        parts = [value[name] for name in names if name in value]
    else:
        return []
    return [url for part in parts for url in files_in(part, names, depth + 1)]


def file_result(url: str, kind: str) -> Done | None:
    """The result that a URL stands for; None where it holds something else.

    Args:
        url: over HTTP, or a `data:` URL.
        kind: `image` or `audio`.
    """
    if url.startswith(_HTTP):
        return Done(media_url=url)
    media = media_of_base64(url, kind)
    return Done(media=media) if media else None


def count_of(value: object) -> Decimal | None:
    """A number out of JSON or a header; None when there is none that can be a count."""
    if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        value = Decimal(value.strip())
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return None
    try:
        number = Decimal(value)
    except InvalidOperation:
        return None
    return number if number.is_finite() and 0 <= number <= _HIGHEST_COUNT else None


def counted(counts: Mapping[Unit, object]) -> dict[Unit, Decimal]:
    """Those counts that are there and can be true."""
    read = ((unit, count_of(value)) for unit, value in counts.items())
    return {unit: count for unit, count in read if count is not None}


def segments_in(parts: object) -> tuple[Segment, ...]:
    """The segments of a transcription: objects with `text`, and `start` and `end` or a pair `timestamp`.

    None at all where one of them cannot be read, since subtitles with gaps are worse than none.
    """
    if not isinstance(parts, list):
        return ()
    read = [_segment(part) for part in parts[:_MOST]]
    known = tuple(segment for segment in read if segment is not None)
    return known if len(known) == len(read) else ()


def _segment(part: object) -> Segment | None:
    if not isinstance(part, dict) or not isinstance(text := part.get("text"), str):
        return None
    stamp = part.get("timestamp")
    pair = stamp if isinstance(stamp, list) and len(stamp) == 2 else (part.get("start"), part.get("end"))
    start, end = (count_of(moment) for moment in pair)
    if start is None:
        return None
    return Segment(float(start), float(max(start, end or start)), clean_text(text).strip())
