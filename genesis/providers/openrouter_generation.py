"""OpenRouter's records of its calls: what became of one whose reply was lost, and what one has cost.

Every reply of a model names its generation in the header `X-Generation-Id`. `GET /generation` tells its cost and how it
ended, 404 for a while after the call; `GET /generation/content` gives a text out again, where the account keeps texts
(private logging). Facts: the API reference of both; the components of the official SDK.

What is known so far, and how often was asked, stands in the fragment of a poll's URL: it is stored with the handle, read
together with the reply, and never sent.
"""

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal, InvalidOperation
from http import HTTPStatus
from typing import Any

from genesis.domain.money import Money
from genesis.errors import CallFailed, ProviderAmbiguous, ResultLost
from genesis.net.exchange import Reply, Request
from genesis.providers.base import Done, Pending
from genesis.providers.openai_format import chat_result
from genesis.providers.translation import (
    clean_text,
    error_message,
    json_of,
    message_in,
    money_of,
    paid_in_all,
    succeeded,
    wait_asked,
)

_HEADER = "x-generation-id"
_IDENTIFIER = re.compile(r"[\w.-]{1,200}", re.ASCII)
_RECORD = "/generation"
_CONTENT = "/generation/content"
_FIRST_PAUSE_SECONDS = 0.5
_LONGEST_PAUSE_SECONDS = 30.0
_QUESTIONS = {_RECORD: 12, _CONTENT: 4}
"""Times that each is asked for: for about four minutes, in which a model that goes on ends, and for some seconds."""
_TOKENS = ("prompt_tokens", "completion_tokens")
_SCALARS = (str, int, Decimal)
_LONGEST = 300
_BEYOND_ALL_COUNTS = 10**12
_ACTIVITY = "https://openrouter.ai/activity shows what was charged"


class Recorded:
    """What the adapters of all capabilities have in common: a call that OpenRouter keeps a record of.

    What is found is never told as more than it is:

    * A text that ended by itself and that the account keeps is the result, as if its reply had not been cut off.
    * A call that is on record, but whose result is not to be had (a text that is not kept, one that was broken off with
      its stream, any file), is `ResultLost` with its cost: the provider made it and charged for it. That is not
      `ProviderAmbiguous`, since nothing is unknown, and not final, since the same call again would give a result, for
      another charge; so that it is in doubt for the engine, which sends it again only where `on_ambiguous` says so.
    * A call that is on no record after some minutes is `ProviderAmbiguous`: that it is missing proves nothing.
    """

    gives_text_again = False

    def recover(self, headers: Mapping[str, str]) -> Pending | None:
        """Asks for the record of the call whose reply had these headers; None where they do not name it."""
        identifier = _identifier(headers)
        return _asking(_Question(_RECORD, identifier)) if identifier else None

    def parse_poll(self, poll: Request, reply: Reply) -> Done | Pending:
        """What the record of a call says, or what to ask next.

        Raises:
            ResultLost: the call was charged, and its result is not to be had.
            ProviderError: it failed, or nobody knows what became of it.
        """
        question = _question(poll)
        if question.path == _CONTENT:
            return _text(question, reply)
        return _record(question, reply, gives_text_again=self.gives_text_again)

    def cost_request(self, headers: Mapping[str, str]) -> Request | None:
        """Asks for the record that tells what a call has cost; None where its reply does not name it."""
        return cost_request(headers)

    def parse_cost(self, reply: Reply) -> Money | None:
        """The cost that a record tells; None while there is none."""
        return cost_of_record(_data(reply)) if succeeded(reply) else None


def cost_of_record(data: Mapping[str, Any]) -> Money | None:
    """What a record tells of the cost; with a key of one's own at the model's maker, with what that one charges."""
    return paid_in_all(data.get("total_cost"), data.get("is_byok"), data.get("upstream_inference_cost"))


def cost_request(headers: Mapping[str, str]) -> Request | None:
    """Asks for the record that tells what a call has cost; None where its reply does not name it."""
    identifier = _identifier(headers)
    return Request("GET", _url(_RECORD, identifier)) if identifier else None


def _identifier(headers: Mapping[str, str]) -> str:
    found = _IDENTIFIER.fullmatch(headers.get(_HEADER, "").strip())
    return found[0] if found else ""


def _url(path: str, identifier: str) -> str:
    return f"{path}?id={identifier}"


@dataclass(frozen=True, slots=True)
class _Question:
    """What is asked of OpenRouter.

    Attributes:
        asked: how often before.
        known: what the record has told, as text.
    """

    path: str
    identifier: str
    asked: int = 0
    known: Mapping[str, str] = field(default_factory=dict)

    @property
    def cost(self) -> Money | None:
        return money_of(_number(self.known.get("cost")))


def _asking(question: _Question, reply: Reply | None = None) -> Pending:
    url = _url(question.path, question.identifier)
    pause = min(_FIRST_PAUSE_SECONDS * 2**question.asked, _LONGEST_PAUSE_SECONDS)
    wait = wait_asked(reply) if reply else None
    state = json.dumps({"asked": question.asked, "known": question.known}).encode()
    fragment = base64.urlsafe_b64encode(state).decode().rstrip("=")
    return Pending(Request("GET", f"{url}#{fragment}"), wait_seconds=max(pause, wait or 0.0))


def _question(poll: Request) -> _Question:
    """What a poll has asked for.

    Raises:
        ProviderAmbiguous: it does not ask as we do.
    """
    address, _, fragment = poll.url.partition("#")
    path, _, query = address.partition("?")
    identifier = _IDENTIFIER.fullmatch(query.removeprefix("id="))
    match _state(fragment):
        case {"asked": int(asked), "known": dict(known)} if identifier and 0 <= asked < _QUESTIONS.get(path, 0):
            return _Question(path, identifier[0], asked, {str(name): str(value) for name, value in known.items()})
        case _:
            raise ProviderAmbiguous("The handle names no generation, so that nobody can ask what became of the call.")


def _state(fragment: str) -> object:
    try:
        return json.loads(base64.urlsafe_b64decode(fragment + "=" * (-len(fragment) % 4)))
    except (ValueError, RecursionError):
        return None


def _again(question: _Question, reply: Reply, in_vain: CallFailed) -> Pending:
    """Asks the same once more.

    Raises:
        CallFailed: `in_vain`, where that was often enough.
    """
    question = replace(question, asked=question.asked + 1)
    if question.asked >= _QUESTIONS[question.path]:
        raise in_vain
    return _asking(question, reply)


def _record(question: _Question, reply: Reply, *, gives_text_again: bool) -> Pending:
    if reply.status == HTTPStatus.NOT_FOUND:
        message = "OpenRouter has no record of the call whose reply was lost; it may have been made all the same."
        return _again(question, reply, ProviderAmbiguous(message, hint=_hint(question)))
    data = _data(reply)
    if not succeeded(reply) or not data:
        message = f"OpenRouter does not tell what became of the call: {reply.status} {error_message(reply)}".strip()
        raise ProviderAmbiguous(message, hint=_hint(question), retry_after=wait_asked(reply))
    known = _known(data)
    question = replace(question, known=known)
    if not gives_text_again or data.get("cancelled") is True:
        raise _lost(question)
    if "finish_reason" not in known:  # it may still go on
        return _again(replace(question, known={}), reply, _lost(question))
    return _asking(_Question(_CONTENT, question.identifier, known=known))


def _text(question: _Question, reply: Reply) -> Done | Pending:
    if not succeeded(reply):
        return _again(question, reply, _lost(question))
    data = _data(reply)
    error, output = data.get("error"), data.get("output")
    if error:
        raise ProviderAmbiguous(f"The model failed. {message_in(error)}".strip(), cost=question.cost)
    text = output.get("completion") if isinstance(output, dict) else None
    if not isinstance(text, str):
        raise _lost(question)
    choice = {"message": {"content": text}, "finish_reason": question.known.get("finish_reason")}
    document = {"choices": [choice], "model": question.known.get("model"), "usage": _usage(question.known)}
    return chat_result(reply, document)


def _usage(known: Mapping[str, str]) -> dict[str, int | Decimal]:
    """What a record has told of a text, as a chat completion tells it."""
    numbers = {name: _number(known.get(name)) for name in ("cost", *_TOKENS)}
    return {
        name: int(number) if name in _TOKENS else number
        for name, number in numbers.items()
        if number is not None and abs(number) < _BEYOND_ALL_COUNTS
    }


def _lost(question: _Question) -> ResultLost:
    message = "OpenRouter has made the call, but its reply was lost, and it does not give the result out again."
    return ResultLost(message, hint=_hint(question), cost=question.cost)


def _hint(question: _Question) -> str:
    return f"{_ACTIVITY} for {question.identifier}; retry the job with `resend` to pay for another one."


def _known(data: Mapping[str, Any]) -> dict[str, str]:
    """What is needed of a record when its text arrives."""
    cost = cost_of_record(data)
    fields = {
        "cost": None if cost is None else Decimal(cost) / 1_000_000,
        "model": data.get("model"),
        "finish_reason": data.get("finish_reason"),
        "prompt_tokens": data.get("tokens_prompt"),
        "completion_tokens": data.get("tokens_completion"),
    }
    written = {name: clean_text(str(value))[:_LONGEST] for name, value in fields.items() if isinstance(value, _SCALARS)}
    return {name: value for name, value in written.items() if value.strip()}


def _data(reply: Reply) -> dict[str, Any]:
    document = json_of(reply)
    data = document.get("data") if isinstance(document, dict) else None
    return data if isinstance(data, dict) else {}


def _number(written: str | None) -> Decimal | None:
    try:
        number = Decimal(written or "")
    except InvalidOperation:
        return None
    return number if number.is_finite() else None
