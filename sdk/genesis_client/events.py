"""Server-sent events, as the platform sends them: followed across interruptions, each event once."""

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Annotated

import httpx2
from pydantic import Field, TypeAdapter

from genesis_client.errors import raise_problem
from genesis_client.models import EventView, TextDeltaView

Event = EventView | TextDeltaView

_EVENT: TypeAdapter[Event] = TypeAdapter(Annotated[Event, Field(discriminator="type")])
_SILENCE_SECONDS = 45.0
"""The platform says every 15 seconds that it is there."""
_SHORTEST_PAUSE_SECONDS = 0.1
_LONGEST_PAUSE_SECONDS = 5.0


def follow(http: httpx2.Client, path: str, after: str | None) -> Iterator[Event]:
    """Events of a stream until the platform says that nothing more will come.

    A connection that is lost is opened again where it was, for as long as it takes.

    Args:
        after: the id of the last event that is known.
    """
    pause = 0.0
    while True:
        try:
            with _open(http, path, after) as response:
                if response.status_code == httpx2.codes.NO_CONTENT:
                    return
                if not response.is_success and response.status_code != httpx2.codes.SERVICE_UNAVAILABLE:
                    response.read()
                    raise_problem(response)
                for identity, data in _parsed(response.iter_lines() if response.is_success else iter(())):
                    after = identity or after
                    if data:
                        pause = 0.0
                        yield _EVENT.validate_json(data)
        except httpx2.TransportError:
            pause = max(pause, _SHORTEST_PAUSE_SECONDS)  # it is not there: not at once again
        time.sleep(pause)
        pause = min(max(2 * pause, _SHORTEST_PAUSE_SECONDS), _LONGEST_PAUSE_SECONDS)


def _open(http: httpx2.Client, path: str, after: str | None) -> AbstractContextManager[httpx2.Response]:
    headers = {"Accept": "text/event-stream"} | ({"Last-Event-ID": after} if after else {})
    usual = http.timeout
    timeout = httpx2.Timeout(connect=usual.connect, read=_SILENCE_SECONDS, write=usual.write, pool=usual.pool)
    return http.stream("GET", path, headers=headers, timeout=timeout)


def _parsed(lines: Iterator[str]) -> Iterator[tuple[str, str]]:
    """Id and data of each event; either may be empty."""
    identity, data = "", ""
    for line in lines:
        name, _, value = line.partition(":")
        if not line:
            yield identity, data
            identity, data = "", ""
        elif name == "id":
            identity = value.removeprefix(" ")
        elif name == "data":
            data = value.removeprefix(" ")
