"""OpenRouter: text from many makers' models behind one key, https://openrouter.ai/docs.

Models are named as there, for example `openrouter:openai/gpt-4o-mini`. Facts: the error reference and the usage
accounting of its API documentation. Each reply reports its own cost in US dollars.
"""

import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from genesis.errors import (
    FailureClass,
    ProviderAmbiguous,
    ProviderError,
    ProviderMisconfigured,
    ProviderRateLimited,
    ProviderRejected,
    ProviderUnavailable,
)
from genesis.net.exchange import Reply, Request
from genesis.providers.base import Chunk, Done, Provider, ProviderCall, Service
from genesis.providers.openai_format import (
    CHAT_OPTIONS,
    chat_assembled,
    chat_body,
    chat_chunk,
    chat_event,
    chat_result,
)
from genesis.providers.translation import (
    error_message,
    json_of,
    kind_for_status,
    message_in,
    reported_cost,
    succeeded,
    unreadable,
    wait_asked,
)
from genesis.settings import Settings

_HINTS = {
    401: "Check OPENROUTER_API_KEY.",
    402: "Add credit to the OpenRouter account, or raise the key's limit.",
    403: "Check what OPENROUTER_API_KEY is allowed to use.",
    404: "Check the model's name at https://openrouter.ai/models.",
}

_STATUS_CODE = re.compile(r"[45]\d\d", re.ASCII)

_REJECTED = """
    context_length_exceeded max_tokens_exceeded token_limit_exceeded string_too_long invalid_request invalid_prompt
    not_found precondition_failed payload_too_large unprocessable content_policy_violation refusal invalid_image
    image_too_large image_too_small unsupported_image_format image_not_found image_download_failed
""".split()

_ERROR_BY_TYPE: Mapping[str, type[ProviderError]] = {
    **dict.fromkeys(_REJECTED, ProviderRejected),
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

_ERROR_BY_AVAILABILITY: Mapping[str, type[ProviderError]] = {
    "capacity_exhausted": ProviderRateLimited,
    "temporarily_unavailable": ProviderUnavailable,
    "region_restricted": ProviderMisconfigured,
    "privacy_restricted": ProviderMisconfigured,
}
"""By `error.availability.code`; all others are told by `retryable` and the status."""


class OpenRouterText:
    """Text over `POST /chat/completions`."""

    options = CHAT_OPTIONS

    def build_request(self, call: ProviderCall) -> Request:
        """The request for a call."""
        return Request("POST", "/chat/completions", json=chat_body(call, max_tokens_field="max_completion_tokens"))

    def parse_reply(self, reply: Reply) -> Done:
        """The answer; an error may stand in a reply of status 200 too."""
        document = json_of(reply)
        error = _error_in(document)
        if error or not succeeded(reply):
            raise _provider_error(reply, document, error)
        if not isinstance(document, dict):
            raise unreadable(reply)
        return chat_result(reply, document)

    def build_stream(self, call: ProviderCall) -> Request:
        """The request for a call whose answer is streamed."""
        body = chat_body(call, max_tokens_field="max_completion_tokens", stream=True)
        return Request("POST", "/chat/completions", json=body)

    def parse_chunk(self, event: bytes) -> Chunk:
        """A piece of the answer; an error ends the stream."""
        document = chat_event(event)
        if error := _error_in(document):
            raise _provider_error(Reply(HTTPStatus.OK, {}, event), document, error)
        return chat_chunk(document)

    def assemble(self, whole: Chunk) -> Done:
        """The answer, whole."""
        return chat_assembled(whole)


def _error_in(document: object) -> object:
    """The error of a reply: at its top, or in its first choice once generation had begun."""
    if not isinstance(document, dict):
        return None
    choices = document.get("choices")
    first = choices[0] if isinstance(choices, list) and choices else None
    return document.get("error") or (first.get("error") if isinstance(first, dict) else None)


def _provider_error(reply: Reply, document: object, error: object) -> ProviderError:
    fields = _object(error)
    metadata = _object(fields.get("metadata"))
    availability = _object(fields.get("availability")) or _object(metadata.get("availability"))
    status = _status(reply, fields.get("code"))
    message = message_in(error) or error_message(reply)
    wait = wait_asked(reply, availability.get("retry_after"))
    kind = _kind(status, metadata, availability) or kind_for_status(status, wait)
    if kind.failure is FailureClass.SAFE and not _nothing_ran(reply, _object(document), metadata, availability):
        kind = ProviderAmbiguous
    if metadata.get("reasons") and (reasons := message_in(metadata["reasons"])):
        message = f"{message} ({reasons})"
    hinted = kind is ProviderMisconfigured or status == HTTPStatus.NOT_FOUND
    hint = _HINTS.get(status, "") if hinted else ""
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


def provider(settings: Settings) -> Provider:
    """The row of OpenRouter."""
    key = settings.openrouter_api_key
    return Provider(
        name="openrouter",
        base_url=settings.openrouter_base_url.rstrip("/"),
        headers={
            "X-OpenRouter-Title": "Genesis",
            **({"Authorization": f"Bearer {key.get_secret_value().strip()}"} if key else {}),
        },
        missing="" if key else "OPENROUTER_API_KEY is not set",
        services={"text": Service(OpenRouterText(), models=(settings.llm_model,), any_model=True)},
    )
