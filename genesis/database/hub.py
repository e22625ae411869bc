"""Hints within one process."""

import logging
from collections.abc import Callable, Iterable

from genesis.ports.signals import Listener, Signal

logger = logging.getLogger(__name__)


class SignalHub:
    """Implements the port `Signals` among the listeners of one event loop."""

    def __init__(self) -> None:
        self._listeners: tuple[Listener, ...] = ()

    def listen(self, listener: Listener) -> Callable[[], None]:
        self._listeners = (*self._listeners, listener)

        def end() -> None:
            self._listeners = tuple(other for other in self._listeners if other is not listener)

        return end

    def send(self, signal: Signal) -> None:
        for listener in self._listeners:
            try:
                listener(signal)
            except Exception:
                # A listener's defect is its own: the others, and what the hint is about, go on.
                logger.exception("a listener could not take %s", signal)

    def send_all(self, signals: Iterable[Signal]) -> None:
        """Passes hints on in order, equal ones once; in the event loop."""
        for signal in dict.fromkeys(signals):
            self.send(signal)
