"""Parts of recordings stay for as long as a retry of their job may use them, and no longer."""

import time

from genesis.domain.job import CUT, JobStatus
from genesis.domain.organization import DEFAULT_ORGANIZATION
from genesis.engine.engine import Engine
from genesis.files.upkeep import Upkeep
from genesis.pipelines.catalog import builtin_pipelines
from genesis.storage.open import open_receipts, open_store
from tests.support.engine import SETTINGS, ended, submit, until
from tests.support.ledger import SetClock
from tests.support.parts import recording, serving_openai
from tests.support.prices import SetPrices
from tests.support.upkeep import HOUR, Guesses


async def test_a_retry_finds_the_parts_that_it_needs(database, tmp_path, monkeypatch):
    monkeypatch.setattr("genesis.providers.openai.LONGEST_AUDIO_SECONDS", 2.0)
    clock = SetClock()
    clock.time = time.time_ns() // 1_000_000 + 40 * 24 * HOUR
    async with serving_openai(tmp_path / "storage") as openai, database() as opened:
        store, receipts = open_store(openai.settings), open_receipts(openai.settings)
        upkeep = Upkeep(store, receipts, opened.files, Guesses(), clock, openai.settings)
        engine = Engine(opened, openai.workers, builtin_pipelines(), SetPrices(), SETTINGS)
        async with engine.running():
            await until(lambda: len(engine.directory.known) == 2)
            given, right = await openai.given(recording(5)), openai.server.key
            openai.server.key = "of somebody else"
            job = await ended(engine, await submit(engine, "speech_to_text", {"audio_url": given}))
            assert job.status is JobStatus.FAILED
            parts = {one.part.input["audio_url"] for one in job.parts_of("transcribe")}
            assert len(parts) > 2
            assert await upkeep.sweep() == 0
            openai.server.key = right
            job = await ended(engine, await engine.retry(DEFAULT_ORGANIZATION, job.id))
            assert job.status is JobStatus.COMPLETED, job.failure
            assert [attempt.target for attempt in job.attempts_of("transcribe")].count(CUT) == 1
            assert await upkeep.sweep() == len(parts)
            assert ["/storage/" + blob.key async for blob in store.blobs()] == [given]
        await store.close()
        await receipts.close()
