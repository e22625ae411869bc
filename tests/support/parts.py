"""Texts and recordings that are too long for one call, and a ledger whose process dies at a chosen moment."""

import asyncio
import io
import wave
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import numpy as np

from genesis.errors import Unavailable
from genesis.settings import Settings
from genesis.storage.open import open_store
from genesis.transport.in_process import InProcessWorkers
from tests.support.providers.base import KEY, serving
from tests.support.providers.openai import OpenAIServer, app_of
from workers.open import open_worker

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


class Workers(InProcessWorkers):
    """Of two capabilities."""

    missing = frozenset({"text", "image", "image_transform"})


@dataclass
class OpenAI:
    """The server, who asks it, and where results lie."""

    server: OpenAIServer
    workers: Workers
    settings: Settings

    @property
    def spoken(self):
        return [charge.prompt for charge in self.server.charges]

    async def file(self, url):
        return await open_store(self.settings).read(url.removeprefix("/storage/"), limit=10**9)

    async def given(self, data):
        return (await open_store(self.settings).write("audio/given.wav", data, "audio/wav")).url


@asynccontextmanager
async def serving_openai(folder):
    """A server of OpenAI's, and workers that ask it; what is stored lies in the folder."""
    server = OpenAIServer()
    async with serving(app_of(server)) as url, AsyncExitStack() as stack:
        settings = Settings(
            storage_path=folder,
            openai_api_key=KEY,
            openai_base_url=f"{url}/v1",
            local_provider=False,
            call_timeout_seconds=20,
        )
        services = {
            name: await stack.enter_async_context(open_worker(name, settings)) for name in ("speech", "transcription")
        }
        yield OpenAI(server, Workers(services), settings)
