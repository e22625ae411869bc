"""Hears that the process is told to stop before the server acts on it."""

import asyncio
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def when_told_to_stop(callback: Callable[[], None]) -> Iterator[None]:
    """Calls back, in the running event loop, when the process gets SIGTERM or SIGINT; their handlers are called as well.

    A server lets open answers end before it tells the application to shut down. Endless ones have to hear of it earlier.
    """
    if threading.current_thread() is not threading.main_thread():  # where no signal arrives
        yield
        return
    loop = asyncio.get_running_loop()
    known = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}

    def handle(number: int, frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(callback)
        handler = known[signal.Signals(number)]
        if callable(handler):
            handler(number, frame)

    handled = [number for number, handler in known.items() if callable(handler)]  # others would no longer end us
    for number in handled:
        signal.signal(number, handle)
    try:
        yield
    finally:
        for number in handled:
            signal.signal(number, known[number])
