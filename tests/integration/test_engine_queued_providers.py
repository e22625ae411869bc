"""Jobs at providers with queues, with the real engine and a real worker: what outlives the engine, and what ends with a job."""

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp
import pytest

from genesis.capabilities.catalog import CAPABILITIES
from genesis.database.sqlite.open import open_sqlite
from genesis.domain.attempt import AttemptState, ProviderClass
from genesis.domain.job import JobStatus
from genesis.domain.organization import DEFAULT_ORGANIZATION
from genesis.net.session import Session
from genesis.ports.clock import SystemClock
from genesis.settings import Settings
from genesis.transport.http import HttpWorkers
from tests.support.engine import SETTINGS, attempts_closed, ended, submit, until
from tests.support.processes import free_port
from tests.support.providers import fal, replicate
from tests.support.providers.base import serving
from tests.support.worker_servers import running
from workers.app import create_worker

AT_ONCE = SETTINGS.model_copy(update={"drain_seconds": 0})


@pytest.fixture
def database(tmp_path):
    return lambda: open_sqlite(tmp_path / "jobs.db", SystemClock())


@asynccontextmanager
async def worker(settings):
    """A client of a new worker for speech; no other worker answers."""
    nobody = f"http://127.0.0.1:{free_port()}"
    with running(create_worker("speech", settings)) as url:
        urls = {capability: url if capability == "speech" else nobody for capability in CAPABILITIES}
        async with Session(aiohttp.ClientTimeout()) as session:
            yield Workers(session, urls, call_seconds=20)


class Workers(HttpWorkers):
    missing = frozenset()  # the engine may wait until it knows some


@pytest.fixture
def at_work(engine_on, queue):
    """A new engine with a new worker, which it knows."""

    @asynccontextmanager
    async def opened():
        async with worker(queue.settings) as client, engine_on(client, AT_ONCE) as engine:
            await until(lambda: "speech" in engine.directory.known)
            yield engine

    return opened


@dataclass
class Queue:
    """A provider with a queue, as these tests see it.

    Attributes:
        held: what it is still working on when it was told to hold it.
        canceled: tells whether everything it was given was canceled.
    """

    provider: object
    settings: Settings
    model: str
    held: object
    canceled: object

    def release(self):
        for one in self.held():
            one.fault = ""

    @property
    def charges(self):
        return len(self.provider.charges)

    def asked(self, method):
        return [line for line in self.provider.requests if line.startswith(f"{method} ") and "/files/" not in line]


@asynccontextmanager
async def a_queue(name, tmp_path):
    given = {"storage_path": tmp_path / "storage", "fetch_allowed_hosts": ("127.0.0.1",), "local_provider": False}
    if name == "fal":
        provider = fal.FakeFal()
        async with serving(fal.app_of(provider)) as url:
            settings = Settings(fal_key=provider.key, fal_base_url=url, **given)
            yield Queue(
                provider,
                settings,
                "fal:fal-ai/kokoro/american-english",
                provider.queue.values,
                lambda: all(queued.canceled for queued in provider.queue.values()),
            )
        return
    provider = replicate.FakeReplicate()
    async with serving(replicate.app_of(provider)) as url:
        settings = Settings(replicate_api_token=provider.key, replicate_base_url=url, **given)
        yield Queue(
            provider,
            settings,
            "replicate:minimax/speech-02-turbo",
            provider.predictions.values,
            lambda: all(one.status == "canceled" for one in provider.predictions.values()),
        )


@pytest.fixture(params=["fal", "replicate"])
async def queue(request, tmp_path):
    async with a_queue(request.param, tmp_path) as one:
        yield one


async def pending(engine, job):
    """The job once its attempt has a handle."""
    async with asyncio.timeout(20):
        while True:
            job = await engine.job(DEFAULT_ORGANIZATION, job.id)
            if any(attempt.handle for attempt in job.attempts):
                return job
            await asyncio.sleep(0.01)


async def test_a_job_in_a_queue_is_taken_over_by_the_next_engine_and_paid_once(at_work, queue):
    """Engine and worker are both new: what they know is in the database."""
    async with at_work() as engine:
        job = await submit(engine, "text_to_speech", {"text": "hello [fault:held]"}, model=queue.model)
        (attempt,) = (await pending(engine, job)).attempts
        assert (attempt.state, attempt.provider_class) == (AttemptState.PENDING, ProviderClass.HANDLE)
    assert queue.charges == 1
    queue.release()
    async with at_work() as engine:
        job = await ended(engine, job)
    assert job.status is JobStatus.COMPLETED
    assert [one.state for one in job.attempts] == [AttemptState.SUCCEEDED]
    assert queue.charges == 1
    assert len(queue.asked("POST")) == 1


async def test_a_key_that_is_revoked_for_a_while_loses_no_result(at_work, queue):
    """That it may not ask says nothing about what it asks for."""
    async with at_work() as engine:
        job = await submit(engine, "text_to_speech", {"text": "hello [fault:held]"}, model=queue.model)
        await pending(engine, job)
        key, queue.provider.key = queue.provider.key, "another"
        refused = len(queue.asked("GET")) + 2
        await until(lambda: len(queue.asked("GET")) >= refused)
        queue.provider.key = key
        queue.release()
        job = await ended(engine, job)
    assert job.status is JobStatus.COMPLETED
    assert [one.state for one in job.attempts] == [AttemptState.SUCCEEDED]
    assert queue.charges == 1
    assert len(queue.asked("POST")) == 1


async def test_a_job_that_is_canceled_is_canceled_at_the_provider(at_work, queue):
    async with at_work() as engine:
        job = await submit(engine, "text_to_speech", {"text": "hello [fault:held]"}, model=queue.model)
        await pending(engine, job)
        await engine.cancel(DEFAULT_ORGANIZATION, job.id)
        job = await ended(engine, job)
        await until(queue.canceled)
        job = await attempts_closed(engine, job)
    assert job.status is JobStatus.CANCELED
    assert queue.charges == 1


async def test_a_job_that_fails_in_the_queue_is_not_sent_again(at_work, queue):
    fault = "model-error" if "fal" in queue.model else "failed"
    async with at_work() as engine:
        job = await submit(engine, "text_to_speech", {"text": f"hello [fault:{fault}]"}, model=queue.model)
        job = await ended(engine, job)
    assert (job.status, job.failure.code) == (JobStatus.FAILED, "provider-rejected")
    assert queue.charges == 1
    assert len(queue.asked("POST")) == 1


async def test_a_submit_whose_answer_was_lost_is_in_doubt_and_not_sent_again(at_work, queue):
    """Neither provider can be asked for what it was not yet given a name for."""
    async with at_work() as engine:
        job = await submit(engine, "text_to_speech", {"text": "hello [fault:charged-reset]"}, model=queue.model)
        job = await ended(engine, job)
    assert (job.status, job.failure.code) == (JobStatus.FAILED, "provider-ambiguous")
    assert [one.state for one in job.attempts] == [AttemptState.UNKNOWN]
    assert queue.charges == 1
    assert len(queue.asked("POST")) == 1
    assert queue.asked("GET") == []


async def test_a_submit_that_was_refused_for_the_moment_is_sent_again_and_paid_once(at_work, queue):
    async with at_work() as engine:
        job = await submit(engine, "text_to_speech", {"text": "hello [fault:unavailable:1]"}, model=queue.model)
        job = await ended(engine, job)
    assert job.status is JobStatus.COMPLETED
    assert [one.state for one in job.attempts] == [AttemptState.FAILED, AttemptState.SUCCEEDED]
    assert queue.charges == 1
    assert len(queue.asked("POST")) == 2
