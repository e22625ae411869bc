"""Handles: pending calls as plain data that can be stored, and the requests that they stand for.

A handle comes back from outside, so it is not trusted: it can only ask the provider that gave it, at that provider's own
origin, and with harmless headers.
"""

import base64
import binascii
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from genesis.errors import ProviderAmbiguous
from genesis.net.exchange import Request
from genesis.providers.base import Pending, Provider

_METHODS = ("GET", "POST", "PUT", "DELETE")
_HEADERS = ("accept", "content-type")
_HTTP = ("http://", "https://")


def handle_of(provider: Provider, pending: Pending) -> dict[str, Any]:
    """The handle of a pending call."""
    handle = {"provider": provider.name, "poll": _written(pending.poll)}
    return handle if pending.cancel is None else {**handle, "cancel": _written(pending.cancel)}


def _written(request: Request) -> dict[str, Any]:
    if request.form is not None:
        raise TypeError("A poll is not a form.")
    headers = {name: value for name, value in request.headers.items() if name.lower() in _HEADERS}
    parts: dict[str, Any] = {"method": request.method, "url": request.url, "headers": headers}
    if request.json is not None:
        parts["json"] = request.json
    if request.data is not None:
        parts["data"] = base64.b64encode(request.data).decode("ascii")
    return parts


def poll_request(provider: Provider, handle: Mapping[str, Any]) -> Request:
    """The request that asks for the result.

    Raises:
        ProviderAmbiguous: the handle is not one of this provider, so nobody can ask what became of the call.
    """
    return _read(provider, handle, "poll")


def cancel_request(provider: Provider, handle: Mapping[str, Any]) -> Request | None:
    """The request that gives the call up; None where the provider has none.

    Raises:
        ProviderAmbiguous: the handle is not one of this provider.
    """
    return _read(provider, handle, "cancel") if "cancel" in handle else None


def _read(provider: Provider, handle: Mapping[str, Any], name: str) -> Request:
    match handle:
        case {"provider": provider.name}:
            request = _request(handle.get(name))
        case _:
            request = None
    if request is None or not _is_own(provider, request.url):
        raise ProviderAmbiguous(
            f"The handle is not one of {provider.name}, so that nobody can ask what became of the call."
        )
    return request


def _request(parts: object) -> Request | None:
    match parts:
        case {"method": str(method), "url": str(url), "headers": dict(headers), **body} if method in _METHODS:
            pass
        case _:
            return None
    data = body.get("data")
    try:
        decoded = base64.b64decode(data, validate=True) if isinstance(data, str) else None
    except (binascii.Error, ValueError):
        return None
    kept = {
        name: value
        for name, value in headers.items()
        if isinstance(name, str) and name.lower() in _HEADERS and isinstance(value, str)
    }
    return Request(method, url, kept, json=body.get("json") if decoded is None else None, data=decoded)


def _is_own(provider: Provider, url: str) -> bool:
    """Whether a URL leads to the provider: a path below its base URL, or its own origin."""
    if not provider.base_url.startswith(_HTTP):
        return False
    if url.startswith("/"):
        return True
    try:
        asked, own = urlsplit(url), urlsplit(provider.base_url)
        return asked.scheme != "" and (asked.scheme, asked.netloc) == (own.scheme, own.netloc)
    except ValueError:
        return False
