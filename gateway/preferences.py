"""What callers say in headers: idempotency keys, and how long they like to wait."""

import math
import re
from collections.abc import Iterable

from starlette.datastructures import Headers, QueryParams
from starlette.requests import Request

from genesis.errors import FieldError, InvalidRequest

LONGEST_WAIT_SECONDS = 60
IDEMPOTENCY_KEY = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"

_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_WAIT = re.compile(r'\s*wait\s*=\s*"?(\d{1,9})"?\s*', re.IGNORECASE)


def idempotency_key(headers: Headers) -> str | None:
    """The key that makes a repeated request the same one; None without one.

    Raises:
        InvalidRequest: it cannot be used.
    """
    key = headers.get(IDEMPOTENCY_KEY)
    if key is None or _KEY.fullmatch(key):
        return key
    message = "the key has to be 1 to 255 visible ASCII characters"
    raise InvalidRequest(
        f"{IDEMPOTENCY_KEY}: {message}.",
        hint="Choose a random one, such as a UUID, for each job, and repeat it only when the request is repeated.",
        errors=(FieldError(IDEMPOTENCY_KEY, message),),
    )


def waiting(request: Request) -> tuple[float, dict[str, str]]:
    """Seconds to wait for the end of a job, and the headers that say what was done about a preference.

    The query's `wait` comes before the header `Prefer: wait=n` (RFC 7240), which is cut to what is possible.

    Raises:
        InvalidRequest: the query's `wait` is no number of seconds that can be waited.
    """
    if request.scope["query_string"]:
        query = _seconds(request.query_params)
        if query is not None:
            return query, {}
    preferred = preferred_wait(request.headers.getlist("prefer"))
    if preferred is None:
        return 0, {}
    seconds = min(preferred, LONGEST_WAIT_SECONDS)
    return seconds, {"Preference-Applied": f"wait={seconds}"}


def preferred_wait(fields: Iterable[str]) -> int | None:
    """Seconds of the preference `wait` in Prefer fields, of several the first; what is malformed is ignored."""
    for field in fields:
        for preference in field.split(","):
            if match := _WAIT.fullmatch(preference.partition(";")[0]):
                return int(match[1])
    return None


def _seconds(query: QueryParams) -> float | None:
    text = query.get("wait")
    if text is None:
        return None
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if 0 <= seconds <= LONGEST_WAIT_SECONDS:
        return seconds
    message = f"wait has to be a number of seconds from 0 to {LONGEST_WAIT_SECONDS}"
    raise InvalidRequest(
        f"wait: {message}.",
        hint="Ask again for a job that takes longer, or follow `GET /jobs/{job_id}/events`.",
        errors=(FieldError("wait", message),),
    )
