"""Reads calls out of HTTP requests, by hand: this is on the way of every call."""

import json
import re
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request

from genesis.domain.identity import new_id
from genesis.errors import InputRejected
from genesis.ports.workers import Call
from genesis.transport.wire import ATTEMPT_HEADER, CALL_KEY_HEADER, NOT_AFTER_HEADER

_IDENTIFIER = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", re.ASCII)
_MILLISECONDS = re.compile(r"\d{1,15}", re.ASCII)


class MalformedJson(Exception):
    """The body is not JSON."""


def attempt_in_path(request: Request) -> str:
    """The attempt that the path names; its answer is marked with it.

    Raises:
        InputRejected: it is not a UUID.
    """
    attempt = _identifier(request.path_params["attempt"], "The attempt")
    request.state.attempt = attempt
    return attempt


def call_key_in_query(request: Request) -> str:
    """The call key that is asked about.

    Raises:
        InputRejected: there is none.
    """
    return _identifier(request.query_params.get("call_key", ""), "call_key")


async def read_call(request: Request, capability: str) -> Call:
    """The call that `POST /generate` asks for.

    Raises:
        MalformedJson: the body is none.
        InputRejected: the body is no object, or a header cannot be used.
    """
    headers = request.headers
    attempt, call_key = headers.get(ATTEMPT_HEADER), headers.get(CALL_KEY_HEADER)
    call = _call(
        new_id() if attempt is None else _identifier(attempt, ATTEMPT_HEADER),
        new_id() if call_key is None else _identifier(call_key, CALL_KEY_HEADER),
        capability,
        await read_object(request),
        _milliseconds(headers.get(NOT_AFTER_HEADER)),
    )
    request.state.attempt = call.attempt
    return call


async def read_poll(request: Request, attempt: str, capability: str) -> tuple[Call, Mapping[str, Any]]:
    """The call whose result is asked for, and its handle.

    Raises:
        MalformedJson: the body is none.
        InputRejected: the body is something else.
    """
    match await read_object(request):
        case {"call": {"call_key": str(call_key), **body}, "handle": dict(handle)}:
            named = {str(name): value for name, value in body.items()}
            return _call(attempt, _identifier(call_key, "call_key"), capability, named, 0), handle
        case _:
            raise InputRejected('Write {"call": {"call_key": …, …}, "handle": {…}}.')


async def read_object(request: Request) -> dict[str, Any]:
    """The JSON object of the body.

    Raises:
        MalformedJson: the body is no JSON.
        InputRejected: it is something else.
    """
    try:
        body = json.loads(await request.body())
    except (ValueError, RecursionError):
        raise MalformedJson from None
    if not isinstance(body, dict):
        raise InputRejected("The body is not a JSON object.")
    return body


def _call(attempt: str, call_key: str, capability: str, body: dict[str, Any], not_after: int) -> Call:
    options = body.get("options", {})
    if not isinstance(options, dict):
        raise InputRejected("options: it is not a JSON object.")
    call_input = {name: value for name, value in body.items() if name != "options"}
    return Call(attempt, call_key, capability, call_input, options, not_after)


def _identifier(text: str, name: str) -> str:
    if not _IDENTIFIER.fullmatch(text):
        raise InputRejected(f"{name} is not a UUID.")
    return text


def _milliseconds(text: str | None) -> int:
    if text is None:
        return 0
    if not _MILLISECONDS.fullmatch(text):
        raise InputRejected(f"{NOT_AFTER_HEADER} is not a moment in milliseconds.")
    return int(text)
