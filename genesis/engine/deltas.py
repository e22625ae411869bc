"""Passes the text of an attempt on while it is written, in pieces of a twentieth of a second."""

import asyncio

from genesis.ports.signals import Signals, TextDelta

_SECONDS = 0.05


class DeltaSender:
    """Collects the pieces of one attempt's text; what is called with a piece sends it soon."""

    def __init__(self, signals: Signals, organization: str, job: str, step: str, attempt: str) -> None:
        self._signals = signals
        self._names = (organization, job, step, attempt)
        self._offset = 0
        self._waiting = ""
        self._timer: asyncio.TimerHandle | None = None

    def __call__(self, text: str) -> None:
        self._waiting += text
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(_SECONDS, self.flush)

    def flush(self) -> None:
        """Sends what waits."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._waiting:
            self._signals.send(TextDelta(*self._names, self._offset, self._waiting))
            self._offset += len(self._waiting)
            self._waiting = ""
