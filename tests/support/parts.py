"""Texts and recordings that are too long for one call, and a ledger whose process dies at a chosen moment."""

import asyncio
import io
import wave

import numpy as np

from genesis.errors import Unavailable

SENTENCE = "This is sentence number {number}, and it is read aloud like all the others. "


def text_of(parts, mark=""):
    """A text of so many passages of 4,096 characters; `mark` stands in the second one."""
    count = round((parts - 0.5) * 4096 / 75)
    sentences = [SENTENCE.format(number=number) for number in range(count)]
    sentences[min(80, count - 1)] += mark
    return "".join(sentences).strip()


def recording(seconds, rate=16_000):
    """Tones with silence between them."""
    moments = np.arange(round(seconds * rate)) / rate
    samples = np.where(moments % 1 < 0.7, 8_000 * np.sin(2 * np.pi * 300 * moments), 0)
    target = io.BytesIO()
    with wave.open(target, "wb") as sink:
        sink.setnchannels(1)
        sink.setsampwidth(2)
        sink.setframerate(rate)
        sink.writeframes(samples.astype("<i2").tobytes())
    return target.getvalue()


class Dying:
    """A ledger whose process dies after some decisions: nothing more is written, and nobody says goodbye."""

    def __init__(self, ledger, decisions):
        self._ledger = ledger
        self.left = decisions
        self.dead = asyncio.Event()

    def __getattr__(self, name):
        return getattr(self._ledger, name)

    async def decide(self, decision):
        if self.left == 0:
            self.dead.set()
            await asyncio.Event().wait()
        self.left -= 1
        await self._ledger.decide(decision)

    async def leave(self, executor):
        if self._ledger.exclusive:  # elsewhere its lease would have to end first
            raise Unavailable("It is dead.")
        await self._ledger.leave(executor)
