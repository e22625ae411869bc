"""What OpenAI and the servers that speak as it does say when they fail, and which replies of theirs carry a cost."""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal
from http import HTTPStatus
from typing import Any

from genesis.domain.money import Money
from genesis.errors import (
    ModelLoading,
    ModelUnavailable,
    ProviderAmbiguous,
    ProviderError,
    ProviderMisconfigured,
    ProviderRejected,
    ProviderUnavailable,
)
from genesis.net.exchange import Reply
from genesis.providers.base import Done
from genesis.providers.translation import (
    error_message,
    hint_for_status,
    is_own,
    json_of,
    kind_for_status,
    message_in,
    money_of,
    succeeded,
    wait_asked,
)

_NO_CREDIT = "insufficient_quota billing_hard_limit_reached billing_not_active budget_exceeded".split()
_NO_KEY = "invalid_api_key no_db_connection token_not_found_in_db".split()
_NOT_ALLOWED = "content_policy_violation moderation_blocked content_filter".split()
_TOO_LONG = "context_length_exceeded string_above_max_length".split()
_NO_MODEL = "model_not_found model_not_available".split()
_NOT_BY_MODEL = "unsupported_parameter unsupported_value".split()

_KIND_BY_CODE: Mapping[str, type[ProviderError]] = {
    **dict.fromkeys([*_NO_CREDIT, *_NO_KEY], ProviderMisconfigured),
    **dict.fromkeys([*_NOT_ALLOWED, *_TOO_LONG], ProviderRejected),
    **dict.fromkeys([*_NO_MODEL, *_NOT_BY_MODEL], ModelUnavailable),
}
"""By `error.code` or `error.type`, where the status alone would tell too little. `budget_exceeded`, `no_db_connection`
and `token_not_found_in_db` are LiteLLM's; the second is how one without a database refuses a wrong key."""
_LOADING = "unavailable_error"
"""The type of what llama.cpp's server says, with a 503, until it has loaded its model."""

_HINT_BY_CODE: Mapping[str, str] = {
    **dict.fromkeys(_NO_CREDIT, "Add credit to the account, or raise its limit."),
    **dict.fromkeys(_NOT_ALLOWED, "Change the prompt."),
    **dict.fromkeys(_TOO_LONG, "Shorten the text, or name a model that takes longer ones in options.model."),
    **dict.fromkeys(_NO_MODEL, "Name another model in options.model."),
    **dict.fromkeys(_NOT_BY_MODEL, "Leave that option out, or name another model in options.model."),
}
_COST_HEADER = "x-litellm-response-cost"
_NUMBER = re.compile(r"\d{1,9}(\.\d{1,30})?([eE]-\d{1,2})?", re.ASCII)
_MILLISECONDS = re.compile(r"\d{1,9}", re.ASCII)


def read_result(reply: Reply, hints: Mapping[int, str], read: Callable[[Reply], Done]) -> Done:
    """The result of a reply, with the cost that its headers tell where its body tells none.

    Args:
        hints: by status, what to do about an error.
        read: reads a reply that succeeded.

    Raises:
        ProviderError: it is an error, or `read` finds no result.
    """
    document = json_of(reply)
    if not succeeded(reply) or error_in(document):
        raise error_of(reply, document, hints)
    cost = header_cost(reply)
    try:
        done = read(reply)
    except ProviderError as error:
        error.cost = cost if error.cost is None else error.cost
        raise
    return done if done.cost is not None else replace(done, cost=cost)


def error_in(document: object) -> object:
    """The error that a document is: OpenAI's `{"error": …}`, or an older vLLM's `{"object": "error", …}`."""
    if not isinstance(document, dict):
        return None
    return document if document.get("object") == "error" else document.get("error")


def error_of(reply: Reply, document: object, hints: Mapping[int, str]) -> ProviderError:
    """The error that a reply stands for.

    Args:
        document: the reply's JSON.
        hints: by status, what to do about it.
    """
    error = error_in(document)
    fields: dict[str, Any] = error if isinstance(error, dict) else {}
    known = next((fields[name] for name in ("code", "type") if _is_known(fields.get(name))), "")
    message = message_in(error) or error_message(reply)
    wait = wait_asked(reply, _milliseconds_asked(reply))
    kind = _kind(reply, known, wait)
    if kind is ProviderUnavailable and fields.get("type") == _LOADING:
        kind = ModelLoading
    status = HTTPStatus.UNAUTHORIZED if known in _NO_KEY else reply.status
    hint = _HINT_BY_CODE.get(known) or hint_for_status(status, hints)
    text = f"The provider answered {reply.status}: {message}" if message else f"The provider answered {reply.status}."
    return kind(text, hint=hint, retry_after=wait, cost=header_cost(reply))


def header_cost(reply: Reply) -> Money | None:
    """What the proxy LiteLLM says in a header that a call has cost; None where it does not know, which it writes as 0."""
    written = reply.headers.get(_COST_HEADER, "").strip()
    return (money_of(Decimal(written)) or None) if _NUMBER.fullmatch(written) else None


def _is_known(name: object) -> bool:
    return isinstance(name, str) and name in _KIND_BY_CODE


def _kind(reply: Reply, known: str, wait: float | None) -> type[ProviderError]:
    if succeeded(reply):
        # The work had begun: what it was refused for holds, but nothing proves that it was free.
        kind = _KIND_BY_CODE.get(known, ProviderAmbiguous)
        return ProviderRejected if kind in (ProviderRejected, ModelUnavailable) else ProviderAmbiguous
    by_status = kind_for_status(reply.status, wait, own=is_own(reply))
    if reply.status >= HTTPStatus.INTERNAL_SERVER_ERROR or by_status is ProviderMisconfigured:
        return by_status
    return _KIND_BY_CODE.get(known, by_status)


def _milliseconds_asked(reply: Reply) -> Decimal | None:
    """Seconds, from OpenAI's own header `retry-after-ms`."""
    asked = reply.headers.get("retry-after-ms", "").strip()
    return Decimal(asked) / 1000 if _MILLISECONDS.fullmatch(asked) else None
