"""OpenRouter's errors: what a reply of any status proves, https://openrouter.ai/docs (errors and debugging).

Once a model has begun, an error may stand in a reply of status 200 as well, so that every body is looked at.
"""

import re
from collections.abc import Collection, Mapping
from http import HTTPStatus
from typing import Any

from genesis.errors import (
    FailureClass,
    ModelUnavailable,
    ProviderAmbiguous,
    ProviderError,
    ProviderMisconfigured,
    ProviderRateLimited,
    ProviderRejected,
    ProviderUnavailable,
)
from genesis.net.exchange import Reply
from genesis.providers.translation import (
    error_message,
    hint_for_status,
    is_own,
    json_of,
    kind_for_status,
    message_in,
    reported_cost,
    succeeded,
    unreadable,
    wait_asked,
)

_HINTS = {
    401: "Check OPENROUTER_API_KEY; `genesis-server check` tries it.",
    402: "Add credit to the OpenRouter account, or raise the key's limit.",
    403: "Check what OPENROUTER_API_KEY is allowed to use.",
    404: "Check the model's name at https://openrouter.ai/models.",
}

_STATUS_CODE = re.compile(r"[45]\d\d", re.ASCII)

_REJECTED = """
    context_length_exceeded max_tokens_exceeded token_limit_exceeded string_too_long invalid_request invalid_prompt
    precondition_failed payload_too_large unprocessable content_policy_violation refusal invalid_image
    image_too_large image_too_small unsupported_image_format image_not_found image_download_failed
""".split()

_ERROR_BY_TYPE: Mapping[str, type[ProviderError]] = {
    **dict.fromkeys(_REJECTED, ProviderRejected),
    "not_found": ModelUnavailable,
    "authentication": ProviderMisconfigured,
    "permission_denied": ProviderMisconfigured,
    "rate_limit_exceeded": ProviderRateLimited,
    "provider_overloaded": ProviderUnavailable,
    "provider_unavailable": ProviderUnavailable,
    "server": ProviderAmbiguous,
    "timeout": ProviderAmbiguous,
}
"""By `error.metadata.error_type`; `payment_required` and `unmapped` are left to the status.

`provider_unavailable` is an upstream answer that was empty or invalid, which is not billed. `server` masks what
happened, its message and the upstream's code alike, so that it proves nothing.
"""

_REFUSED_AT_THE_DOOR = frozenset({"authentication", "permission_denied", "payment_required"})
_NO_CAPACITY = frozenset({"rate_limit_exceeded", "provider_overloaded"})
"""Types that tell, within a 200, that no model has worked; the latter only where no place was found for the request,
since a model that has begun may run into a limit as well."""

_NOT_BY_MODEL = """
    model_not_found wrong_endpoint no_endpoints model_deprecated model_unavailable_upstream constraint_filtered
    free_variant_ended
""".split()
_ERROR_BY_AVAILABILITY: Mapping[str, type[ProviderError]] = {
    "capacity_exhausted": ProviderRateLimited,
    "temporarily_unavailable": ProviderUnavailable,
    "region_restricted": ProviderMisconfigured,
    "privacy_restricted": ProviderMisconfigured,
    **dict.fromkeys(_NOT_BY_MODEL, ModelUnavailable),
}
"""By `error.availability.code`; all others are told by `retryable` and the status."""


def answer_of(reply: Reply, *, unbilled: Collection[int] = ()) -> dict[str, Any]:
    """The JSON object of a reply that is no error.

    Args:
        unbilled: statuses with which this endpoint says that it has charged nothing.

    Raises:
        ProviderError: it is an error, or cannot be read.
    """
    document = json_of(reply)
    error = error_in(document)
    if error or not succeeded(reply):
        raise provider_error(reply, document, error, unbilled=unbilled)
    if not isinstance(document, dict):
        raise unreadable(reply)
    return document


def error_in(document: object) -> object:
    """The error of a reply: at its top, or in its first choice once generation had begun."""
    if not isinstance(document, dict):
        return None
    choices = document.get("choices")
    first = choices[0] if isinstance(choices, list) and choices else None
    return document.get("error") or (first.get("error") if isinstance(first, dict) else None)


def provider_error(reply: Reply, document: object, error: object, *, unbilled: Collection[int] = ()) -> ProviderError:
    """The error that a reply stands for.

    Args:
        document: the JSON of the reply, with the error in it.
        unbilled: as for `answer_of`.
    """
    fields = _object(error)
    metadata = _object(fields.get("metadata"))
    availability = _object(fields.get("availability")) or _object(metadata.get("availability"))
    status = _status(reply, fields.get("code"))
    message = message_in(error) or error_message(reply)
    wait = wait_asked(reply, availability.get("retry_after"))
    kind = _kind(status, metadata, availability) or kind_for_status(status, wait, own=is_own(reply))
    if reply.status in unbilled and fields.get("code") == reply.status:  # its own word, not that of a proxy
        kind = ProviderUnavailable
    if kind.failure is FailureClass.SAFE and not _nothing_ran(reply, _object(document), metadata, availability):
        # That the model cannot do it holds all the same, but nothing proves that it was free.
        kind = ProviderRejected if kind is ModelUnavailable else ProviderAmbiguous
    if metadata.get("reasons") and (reasons := message_in(metadata["reasons"])):
        message = f"{message} ({reasons})"
    hinted = kind is ProviderMisconfigured or status == HTTPStatus.NOT_FOUND
    hint = hint_for_status(status, _HINTS) if hinted else ""
    text = f"The provider answered {status}: {message}" if message else f"The provider answered {status}."
    return kind(text, hint=hint, retry_after=wait, cost=reported_cost(document))


def _kind(status: int, metadata: Mapping[str, Any], availability: Mapping[str, Any]) -> type[ProviderError] | None:
    """The error as the body names it; None when only the status tells."""
    if status == HTTPStatus.FORBIDDEN and (metadata.get("reasons") or "flagged_input" in metadata):
        return ProviderRejected  # moderation
    error_type = metadata.get("error_type")
    if isinstance(error_type, str) and error_type in _ERROR_BY_TYPE:
        return _ERROR_BY_TYPE[error_type]
    code = availability.get("code")
    if isinstance(code, str) and code in _ERROR_BY_AVAILABILITY:
        return _ERROR_BY_AVAILABILITY[code]
    # That it may be retried does not say that it was free: for that the status has to speak.
    return ProviderRejected if availability.get("retryable") is False else None


def _nothing_ran(
    reply: Reply, document: Mapping[str, Any], metadata: Mapping[str, Any], availability: Mapping[str, Any]
) -> bool:
    """Whether an error is proof that no model has worked; a reply of status 200 means that one may have begun."""
    if document.get("choices") or _object(document.get("usage")).get("cost") not in (None, 0):
        return False
    if not succeeded(reply):
        return True
    error_type = str(metadata.get("error_type"))
    if error_type in _REFUSED_AT_THE_DOOR:
        return True
    return error_type in _NO_CAPACITY and availability.get("retryable") is True


def _status(reply: Reply, code: object) -> int:
    """The status that counts: within a 200 it is `error.code`."""
    if not succeeded(reply):
        return reply.status
    if isinstance(code, str) and _STATUS_CODE.fullmatch(code):
        return int(code)
    return code if isinstance(code, int) and _STATUS_CODE.fullmatch(str(code)) else HTTPStatus.BAD_GATEWAY


def _object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
