"""A long text, offline: spoken in parts and joined, then cut, heard and joined again, with no words lost."""

import re
from contextlib import AsyncExitStack

import jiwer
import pytest

from genesis.database.sqlite.open import open_sqlite
from genesis.domain.job import CUT, JOIN, JobStatus
from genesis.engine.engine import Engine
from genesis.pipelines.catalog import builtin_pipelines
from genesis.ports.clock import SystemClock
from genesis.settings import Settings
from genesis.transport.in_process import InProcessWorkers
from tests.support.engine import ended, submit, until
from tests.support.prices import SetPrices
from workers.open import open_worker

MOST_WRONG = 0.25
"""Word error rate; the same voice and ears reach it with one sentence."""
_STORY = (
    "The old lighthouse stood at the end of the harbor. Every evening the keeper climbed the stairs and lit the lamp. "
    "Ships came home from far away, and the sailors waved to him. In winter the wind was strong, and the waves were "
    "higher than houses. Nobody had ever seen the light go out.\n\n"
    "One morning a small boat came into the bay. A girl was sitting in it, and she had no oars. The keeper ran down to "
    "the beach and pulled the boat out of the water. She told him that she had been looking for the light all night. "
    "He gave her bread and warm milk, and she slept until noon.\n\n"
    "From that day on, they watched the sea together. When the keeper was old, the girl climbed the stairs instead of "
    "him. The lamp is still burning, and the ships still come home."
)


@pytest.fixture
def short_calls(monkeypatch):
    monkeypatch.setattr("genesis.providers.local.adapter._LONGEST_TEXT", {"speech": 240})
    monkeypatch.setattr("genesis.providers.local.adapter._LONGEST_AUDIO", {"transcription": 15.0})


def plain(text):
    return " ".join(re.sub(r"[^a-z0-9' ]", " ", text.lower()).split())


@pytest.mark.usefixtures("short_calls")
async def test_a_story_is_spoken_and_understood_in_parts(tmp_path):
    settings = Settings(storage_path=tmp_path / "storage", db_path=tmp_path / "jobs.db", fake_provider=False)
    async with AsyncExitStack() as stack:
        services = {
            name: await stack.enter_async_context(open_worker(name, settings)) for name in ("speech", "transcription")
        }
        db = await stack.enter_async_context(open_sqlite(settings.db_path, SystemClock()))
        workers, pipelines = InProcessWorkers(services), builtin_pipelines()
        engine = Engine(db, workers, pipelines, SetPrices(), settings)
        await stack.enter_async_context(engine.running())
        await until(lambda: len(engine.directory.known) == 2)
        spoken = await ended(engine, await submit(engine, "text_to_speech", {"text": _STORY}), within=100)
        assert spoken.status is JobStatus.COMPLETED, spoken.failure
        assert len(spoken.parts_of("speak")) >= 4
        assert [attempt.target for attempt in spoken.attempts_of("speak")] == [JOIN]
        recording = {"audio_url": spoken.outputs["audio_url"]}
        heard = await ended(engine, await submit(engine, "speech_to_text", recording, subtitles="vtt"), within=100)
        assert heard.status is JobStatus.COMPLETED, heard.failure
        assert len(heard.parts_of("transcribe")) >= 4
        assert heard.attempts_of("transcribe")[-1].target == CUT
        rate = jiwer.wer(plain(_STORY), plain(heard.outputs["text"]))
        assert rate <= MOST_WRONG, heard.outputs["text"]
        words = len(plain(_STORY).split())
        assert abs(len(plain(heard.outputs["text"]).split()) - words) <= 0.05 * words
        times = re.findall(r"(\d\d):(\d\d):(\d\d\.\d\d\d) -->", heard.outputs["subtitles"])
        starts = [3600 * int(hours) + 60 * int(minutes) + float(seconds) for hours, minutes, seconds in times]
        assert starts == sorted(starts)
        assert starts[-1] > 40
