"""What adapters share: merging provider options, and reading statuses, JSON, messages and media out of replies."""

import base64
import json
import math
import re
import time
from collections.abc import Callable, Mapping
from datetime import UTC
from decimal import Decimal, InvalidOperation
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any

from genesis.capabilities.image import AspectRatio, Quality, dimensions
from genesis.domain.money import Money
from genesis.errors import (
    ModelUnavailable,
    ProviderAmbiguous,
    ProviderError,
    ProviderMisconfigured,
    ProviderRateLimited,
    ProviderRejected,
    ProviderUnavailable,
)
from genesis.net.exchange import Reply
from genesis.net.media import family_of, sniff
from genesis.providers.base import Media

_LONGEST_MESSAGE = 500
_LONGEST_WAIT_SECONDS = 3600
_HIGHEST_COST_DOLLARS = 1_000_000
_DEEPEST = 6
_LARGEST_USAGE = 16 * 1024
"""Characters; it is stored with the attempt, and shown with the job."""

_ERROR_BY_STATUS: Mapping[int, type[ProviderError]] = {
    401: ProviderMisconfigured,
    402: ProviderMisconfigured,
    403: ProviderMisconfigured,
    404: ModelUnavailable,
    410: ModelUnavailable,
    407: ProviderMisconfigured,
    408: ProviderAmbiguous,
    425: ProviderUnavailable,
    429: ProviderRateLimited,
    503: ProviderUnavailable,
    529: ProviderUnavailable,  # overloaded, at providers that have a status for it
}

_REDIRECTED = "Check the provider's base URL: its server sends requests elsewhere, and they are not sent there."
_OVERLOADED = (503, 529)
_ERROR_BY_HUNDRED: Mapping[int, type[ProviderError]] = {
    3: ProviderMisconfigured,  # no provider redirects its API; the base URL is not its own
    4: ProviderRejected,
    5: ProviderAmbiguous,  # a gateway may have given up on a model that went on
}

_SECRET = re.compile(r"\b((?:sk|hf|pk|r8|gsk)[-_]|[Bb]earer )[A-Za-z0-9*._-]{8,}")
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_SECONDS = re.compile(r"-?\d{1,9}(\.\d{1,9})?", re.ASCII)
_RATE_LIMIT_RESET = re.compile(r";\s*t=(\d{1,9})", re.ASCII)


def merged(body: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """`body` with `over` laid over it; objects in both are merged field by field."""
    result = dict(body)
    for name, value in over.items():
        below = result.get(name)
        if isinstance(below, Mapping) and isinstance(value, Mapping):
            result[name] = merged(below, value)
        else:
            result[name] = value
    return result


def given(options: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """The named options that were given."""
    return {name: options[name] for name in names if name in options}


def image_size(options: Mapping[str, Any]) -> tuple[int, int]:
    """Width and height in pixels that the options of the capability `image` ask for.

    Raises:
        ValueError: an option has a value that the capability does not know.
    """
    ratio, quality = options.get("aspect_ratio"), options.get("quality")
    return dimensions(AspectRatio(ratio) if ratio else None, Quality(quality) if quality else None)


def prompt_in_style(prompt: str, style: str | None) -> str:
    """The prompt with the style named in words, for models that have no field for it."""
    if not style or style.casefold() in prompt.casefold():
        return prompt
    return f"{prompt.rstrip().rstrip(',.')}, {style} style"


def clean_text(text: str) -> str:
    """Text that every database and encoding takes: without control characters and lone surrogates."""
    return _UNPRINTABLE.sub("", text)


def json_of(reply: Reply) -> object:
    """The reply's JSON with exact numbers (`Decimal` for fractions); None when its body is not JSON.

    NaN and infinity, which some servers write, become null: an answer that was paid for is not refused for them.
    """
    try:
        return json.loads(reply.body, parse_float=Decimal, parse_constant=lambda _: None)
    except (ValueError, RecursionError, InvalidOperation):
        return None


def json_object_of(reply: Reply) -> dict[str, Any]:
    """The reply's JSON object.

    Raises:
        ProviderAmbiguous: it is something else, though the status says that the work was done.
    """
    document = json_of(reply)
    if not isinstance(document, dict):
        raise unreadable(reply)
    return document


def unreadable(reply: Reply) -> ProviderAmbiguous:
    """The error of a successful reply that holds no result: the work may have been done and charged."""
    kind = reply.media_type or "no media type"
    return ProviderAmbiguous(
        f"The provider answered {reply.status} without a result that can be read ({kind}, {len(reply.body)} bytes).",
        cost=reported_cost(json_of(reply)),
    )


def succeeded(reply: Reply) -> bool:
    return HTTPStatus.OK <= reply.status < HTTPStatus.MULTIPLE_CHOICES


def is_own(reply: Reply) -> bool:
    """Whether a reply has the form of an API's, and not of a gateway's in front of it."""
    return isinstance(json_of(reply), dict | list)


def kind_for_status(status: int, retry_after: float | None, *, own: bool) -> type[ProviderError]:
    """The kind of error that a status code stands for at a provider that charges.

    Safe are only the statuses that say that nothing was done. Whoever knows that a provider's error body says more,
    or that a provider never charges, looks at that first.

    Args:
        own: whether the provider itself has answered. A gateway says 503 as well when it has lost a provider that was at
            work already.
    """
    if status in _OVERLOADED and retry_after is None and not own:
        return ProviderAmbiguous
    if status == HTTPStatus.PAYMENT_REQUIRED and retry_after is not None:
        return ProviderRateLimited  # a budget that frees itself
    return _ERROR_BY_STATUS.get(status) or _ERROR_BY_HUNDRED.get(status // 100, ProviderAmbiguous)


def error_for_status(
    reply: Reply,
    message: str,
    *,
    retry_after: float | None = None,
    hints: Mapping[int, str] | None = None,
    kind: type[ProviderError] | None = None,
) -> ProviderError:
    """The error that a reply stands for by its status.

    Args:
        message: what the provider said.
        hints: by status, what to do about it.
        kind: where more is known than the status tells.
    """
    kind = kind or kind_for_status(reply.status, retry_after, own=is_own(reply))
    text = f"The provider answered {reply.status}: {message}" if message else f"The provider answered {reply.status}."
    return kind(text, hint=hint_for_status(reply.status, hints or {}), retry_after=retry_after)


def hint_for_status(status: int, hints: Mapping[int, str]) -> str:
    """What to do about a status; empty where nothing is known.

    Args:
        hints: the provider's own, by status.
    """
    return hints.get(status) or (_REDIRECTED if status // 100 == 3 else "")


def raise_for_status(reply: Reply, hints: Mapping[int, str] | None = None) -> None:
    """Does nothing for a success.

    Raises:
        ProviderError: as the status says, with the provider's own message.
    """
    if not succeeded(reply):
        raise error_for_status(reply, error_message(reply), retry_after=wait_asked(reply), hints=hints)


def error_message(reply: Reply) -> str:
    """What an error reply says, in any of the usual forms; empty when it says nothing."""
    document = json_of(reply)
    if document is not None:
        return message_in(document)
    text = reply.body[: 4 * _LONGEST_MESSAGE].decode("utf-8", "replace").strip()
    return "an HTML page" if text.startswith("<") else _presentable(text)


def message_in(document: object, depth: int = 0) -> str:
    """The message in an error document: a string, a list, or an object with `error`, `detail`, `message` or `msg`."""
    if depth > _DEEPEST:
        return ""
    if isinstance(document, str):
        return _presentable(document)
    if isinstance(document, list):
        parts = (message_in(part, depth + 1) for part in document[:5])
        return _presentable("; ".join(part for part in parts if part))
    if isinstance(document, dict):
        found = (message_in(document.get(name), depth + 1) for name in ("error", "detail", "message", "msg", "title"))
        return next((message for message in found if message), "")
    return ""


def _presentable(text: str) -> str:
    one_line = " ".join(clean_text(text[: 4 * _LONGEST_MESSAGE]).split())
    return _SECRET.sub(r"\1…", one_line)[:_LONGEST_MESSAGE]


def wait_asked(reply: Reply, in_body: object = None, *, clock: Callable[[], float] = time.time) -> float | None:
    """Seconds that the provider asks to wait, from 0 to an hour; None when it does not ask.

    Args:
        in_body: what the body says, for a reply without the header `Retry-After` or the IETF `RateLimit`.
        clock: seconds since 1970, for a `Retry-After` that is a date in a reply that does not tell its own.
    """
    asked: float | Decimal | None = _retry_after(reply.headers, clock)
    if asked is None and reply.status == HTTPStatus.TOO_MANY_REQUESTS:
        reset = _RATE_LIMIT_RESET.search(reply.headers.get("ratelimit", ""))
        asked = float(reset[1]) if reset else None
    if asked is None and isinstance(in_body, int | Decimal) and not isinstance(in_body, bool):
        asked = in_body
    return None if asked is None else float(max(0, min(asked, _LONGEST_WAIT_SECONDS)))


def _retry_after(headers: Mapping[str, str], clock: Callable[[], float]) -> float | None:
    """Seconds, or the time until a date (RFC 9110, 10.2.3) by the sender's clock if its `Date` is there."""
    after = headers.get("retry-after", "").strip()
    if _SECONDS.fullmatch(after):
        return float(after)
    until = _timestamp(after)
    if until is None:
        return None
    sent = _timestamp(headers.get("date", ""))
    return until - (clock() if sent is None else sent)


def _timestamp(date: str) -> float | None:
    """Seconds since 1970 of a date in one of HTTP's forms; None when it is none."""
    try:
        moment = parsedate_to_datetime(date)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None


def money_of(amount: object) -> Money | None:
    """A cost in US dollars out of JSON; None when there is none that can be true."""
    if isinstance(amount, bool) or not isinstance(amount, int | Decimal):
        return None
    return Money.from_dollars(amount) if 0 <= amount <= _HIGHEST_COST_DOLLARS else None


def reported_cost(document: object) -> Money | None:
    """What a reply's JSON says under `usage.cost`; None when it says nothing that can be true."""
    usage = document.get("usage") if isinstance(document, dict) else None
    if not isinstance(usage, dict):
        return None
    details = usage.get("cost_details")
    upstream = details.get("upstream_inference_cost") if isinstance(details, dict) else None
    return paid_in_all(usage.get("cost"), usage.get("is_byok"), upstream)


def paid_in_all(cost: object, is_own_key: object, upstream: object) -> Money | None:
    """What a call has cost at an agent of other providers, in US dollars out of JSON; None when that is not known.

    Args:
        cost: that the agent charges.
        is_own_key: whether the other provider was called with a key of the caller's own, who pays it directly.
        upstream: what that one charges.
    """
    agents, theirs = money_of(cost), money_of(upstream)
    if is_own_key is not True:
        return agents
    return None if theirs is None else Money((agents or 0) + theirs)


def usage_of(document: object) -> dict[str, Any]:
    """A provider's usage record as values that can be written as JSON again; empty where it is larger than any can be."""
    plain = _plain(document, 0)
    return plain if isinstance(plain, dict) and len(repr(plain)) <= _LARGEST_USAGE else {}


def _plain(value: object, depth: int) -> object:
    if depth > _DEEPEST:
        return None
    if isinstance(value, dict):
        return {clean_text(name): _plain(part, depth + 1) for name, part in value.items()}
    if isinstance(value, list):
        return [_plain(part, depth + 1) for part in value]
    if isinstance(value, Decimal):
        number = float(value)
        return number if math.isfinite(number) else None
    if isinstance(value, int) and abs(value) >= 2**63:
        return None
    return clean_text(value) if isinstance(value, str) else value


def media_of(data: bytes, kind: str) -> Media | None:
    """The file, if its content is of the kind (`image` or `audio`)."""
    media_type = sniff(data)
    return Media(data=data, media_type=media_type) if family_of(media_type) == kind else None


def left_out(images: int) -> tuple[str, ...]:
    """A warning where a call has made more images than the one that is kept; all of them are charged for."""
    return (f"The provider made {images} images; the first was kept.",) if images > 1 else ()


def media_of_base64(text: object, kind: str) -> Media | None:
    """The file in a base64 string or a `data:` URL, if it is of the kind."""
    if not isinstance(text, str):
        return None
    try:
        return media_of(base64.b64decode(text.rpartition(",")[2]), kind)
    except ValueError:
        return None


def data_url(media: Media) -> str:
    """The file as a `data:` URL, RFC 2397."""
    return f"data:{media.media_type};base64,{base64.b64encode(media.data).decode('ascii')}"


def media_in(call_media: Media | None) -> Media:
    """The input file of a call.

    Raises:
        ProviderRejected: there is none.
    """
    if call_media is None:
        raise ProviderRejected("The call carries no input file.")
    return call_media
