"""Chains of two providers, with the real engine and a real worker: who is asked next, and who must not be."""

from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from aiohttp import web

from genesis.capabilities.catalog import CAPABILITIES
from genesis.database.sqlite.open import open_sqlite
from genesis.domain.attempt import AttemptState
from genesis.domain.job import JobStatus
from genesis.ports.clock import SystemClock
from genesis.settings import Settings
from genesis.transport.in_process import InProcessWorkers
from tests.support.engine import SETTINGS, ended, submit, until
from tests.support.providers import openrouter
from tests.support.providers.base import KEY, serving
from workers.open import open_worker

FIRST, SECOND = "openai:first", "openrouter:second"
GONE = {"error": {"message": "The model `first` does not exist.", "code": "model_not_found"}}
UNSUPPORTED = {"error": {"message": "`temperature` does not support 0.5.", "code": "unsupported_value"}}
ENVOY = "upstream connect error or disconnect/reset before headers. reset reason: connection termination"


@dataclass
class First:
    """The first provider of the chain, which refuses all that it is asked.

    Attributes:
        refuse: makes the refusal.
        asked: how often it was asked.
    """

    refuse: object = None
    asked: int = 0

    async def answer(self, request):
        self.asked += 1
        return self.refuse()


@dataclass
class Two:
    """A chain of two providers, and an engine with them.

    Attributes:
        settings: of the workers.
    """

    first: First
    second: openrouter.OpenRouterServer
    settings: Settings
    engine_on: object = field(repr=False)

    @asynccontextmanager
    async def engine(self, **changes):
        settings = self.settings.model_copy(update=changes)
        # The engine's own patience is that of production: what the first asks for is what it is about.
        patient = SETTINGS.model_copy(update={"retry_cap_seconds": Settings().retry_cap_seconds})
        async with open_worker("text", settings) as service:
            workers = Workers({"text": service})
            async with self.engine_on(workers, patient) as engine:
                await until(lambda: "text" in engine.directory.known)
                yield engine


class Workers(InProcessWorkers):
    missing = frozenset(CAPABILITIES) - {"text"}


@pytest.fixture
def database(tmp_path):
    return lambda: open_sqlite(tmp_path / "jobs.db", SystemClock())


@pytest.fixture
async def two(tmp_path, engine_on):
    first, second = First(), openrouter.OpenRouterServer()
    app = web.Application()
    app.router.add_post("/chat/completions", first.answer)
    async with serving(app) as at_first, serving(openrouter.app_of(second)) as at_second:
        settings = Settings(
            openai_api_key=KEY,
            openai_base_url=at_first,
            openrouter_api_key=KEY,
            openrouter_base_url=f"{at_second}/api/v1",
            text_chain=f"{FIRST}, {SECOND}",
            storage_path=tmp_path / "storage",
            local_provider=False,
        )
        yield Two(first, second, settings, engine_on)


def codes(job):
    return [attempt.failure.code for attempt in job.attempts if attempt.failure]


@pytest.mark.parametrize(("status", "document"), [(404, GONE), (410, GONE), (404, {}), (400, UNSUPPORTED)])
async def test_a_model_that_cannot_do_it_is_replaced_by_the_next_one(two, status, document):
    two.first.refuse = lambda: web.json_response(document, status=status)
    async with two.engine() as engine:
        job = await ended(engine, await submit(engine, temperature=0.5))
    assert job.status is JobStatus.COMPLETED
    assert codes(job) == ["model-unavailable"]
    assert [attempt.state for attempt in job.attempts] == [AttemptState.FAILED, AttemptState.SUCCEEDED]
    assert (two.first.asked, len(two.second.charges)) == (1, 1)


async def test_a_model_that_cannot_do_it_and_has_no_substitute_fails_the_job_at_once(two):
    two.first.refuse = lambda: web.json_response(GONE, status=404)
    async with two.engine(text_chain=FIRST) as engine:
        job = await ended(engine, await submit(engine))
    assert (job.status, job.failure.code) == (JobStatus.FAILED, "model-unavailable")
    assert "The model `first` does not exist." in job.failure.message
    assert "options.model" in job.failure.hint
    assert (two.first.asked, len(two.second.charges)) == (1, 0)


async def test_a_model_that_was_named_has_no_substitute(two):
    two.first.refuse = lambda: web.json_response(GONE, status=404)
    async with two.engine() as engine:
        job = await ended(engine, await submit(engine, model=FIRST))
    assert (job.status, job.failure.code) == (JobStatus.FAILED, "model-unavailable")
    assert (two.first.asked, len(two.second.charges)) == (1, 0)


@pytest.mark.parametrize("status", [429, 503])
async def test_who_asks_to_wait_for_long_is_not_waited_for(two, status):
    two.first.refuse = lambda: web.json_response({}, status=status, headers={"Retry-After": "3600"})
    async with two.engine() as engine:
        job = await ended(engine, await submit(engine))
    assert job.status is JobStatus.COMPLETED
    assert (two.first.asked, len(two.second.charges)) == (1, 1)
    assert job.attempts[0].retry_after == 3600


async def test_a_short_wait_is_granted(two):
    answers = [web.json_response({}, status=429, headers={"Retry-After": "0.05"}) for _ in range(3)]
    two.first.refuse = answers.pop
    async with two.engine() as engine:
        job = await ended(engine, await submit(engine))
    assert codes(job) == ["provider-rate-limited"] * 3
    assert (two.first.asked, len(two.second.charges)) == (3, 1)


async def test_nobody_is_asked_after_a_gateway_has_lost_a_provider(two):
    """Its 503 comes after the request was sent on, so that the first provider may have done and charged the work."""
    two.first.refuse = lambda: web.Response(status=503, text=ENVOY)
    async with two.engine() as engine:
        job = await ended(engine, await submit(engine))
    assert (job.status, job.failure.code) == (JobStatus.FAILED, "provider-ambiguous")
    assert [attempt.state for attempt in job.attempts] == [AttemptState.UNKNOWN]
    assert (two.first.asked, len(two.second.charges)) == (1, 0)
