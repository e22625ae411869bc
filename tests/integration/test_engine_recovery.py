"""Paid calls whose replies were cut off, settled by OpenRouter's record of them: one charge, and its cost is shown."""

from contextlib import asynccontextmanager

import pytest
from pydantic import SecretStr

from genesis.domain.attempt import AttemptState
from genesis.domain.job import JobStatus, OnAmbiguous
from genesis.domain.money import Money
from genesis.domain.organization import DEFAULT_ORGANIZATION
from tests.support.engine import SETTINGS, ended, submit, until
from tests.support.providers.base import KEY, serving
from tests.support.providers.openrouter import COSTS, MODEL, OpenRouterServer, answer_to, app_of
from tests.support.worker_servers import in_process, over_http

COST = Money.from_dollars(str(COSTS["text"]))
CUT_OFF = "hi [fault:truncated]"
MANY = 10**6


@pytest.fixture
async def server():
    return OpenRouterServer()


@pytest.fixture
async def process(server, engine_on, tmp_path, monkeypatch):
    """Opens an engine and its worker on the same database, each time as a process that is started again."""
    monkeypatch.setattr("genesis.engine.call._ASK_AGAIN_SECONDS", 0.02)
    monkeypatch.setattr("genesis.providers.openrouter_generation._FIRST_PAUSE_SECONDS", 0.01)
    async with serving(app_of(server)) as url:
        settings = SETTINGS.model_copy(
            update={
                "openrouter_api_key": SecretStr(KEY),
                "openrouter_base_url": f"{url}/api/v1",
                "storage_path": tmp_path / "storage",
                "db_path": tmp_path / "worker.db",
                "local_provider": False,
                "drain_seconds": 0,
            }
        )

        @asynccontextmanager
        async def opened(transport=in_process):
            async with transport("text", settings) as workers:
                workers.missing = set()  # of the scripted workers' interface, which the engine's fixture looks at
                async with engine_on(workers, settings) as engine:
                    yield engine

        yield opened


def calls_made(server):
    return [line for line in server.requests if line.startswith("POST")]


@pytest.mark.parametrize("transport", [in_process, over_http])
@pytest.mark.parametrize("streams", [True, False])
async def test_a_cut_off_call_is_settled_by_its_record(process, server, transport, streams):
    server.missing = 1
    async with process(transport) as engine:
        job = await ended(engine, await submit(engine, inputs={"text": CUT_OFF}, stream=streams))
    (attempt,) = job.attempts
    assert (job.status, job.outputs) == (JobStatus.COMPLETED, {"text": answer_to(CUT_OFF)})
    assert (attempt.state, attempt.cost, attempt.target) == (AttemptState.SUCCEEDED, COST, f"openrouter:{MODEL}")
    assert attempt.handle["provider"] == "openrouter"
    assert len(server.charges) == len(calls_made(server)) == 1


async def test_a_cut_off_call_is_settled_after_a_restart(process, server):
    server.missing = MANY
    async with process() as engine:
        job = await submit(engine, inputs={"text": CUT_OFF})
        await until(lambda: server.polls)
        job = await engine.job(DEFAULT_ORGANIZATION, job.id)
    assert [attempt.state for attempt in job.attempts] == [AttemptState.PENDING]
    server.missing = 0
    async with process() as engine:
        job = await ended(engine, job)
    (attempt,) = job.attempts
    assert (job.status, job.outputs) == (JobStatus.COMPLETED, {"text": answer_to(CUT_OFF)})
    assert (attempt.state, attempt.cost) == (AttemptState.SUCCEEDED, COST)
    assert len(server.charges) == len(calls_made(server)) == 1


async def test_a_lost_text_is_not_paid_for_again_and_shows_its_cost(process, server):
    server.keeps_texts = False
    async with process() as engine:
        job = await ended(engine, await submit(engine, inputs={"text": CUT_OFF}))
    (attempt,) = job.attempts
    assert (job.status, job.failure.code) == (JobStatus.FAILED, "result-lost")
    assert (attempt.state, attempt.cost) == (AttemptState.UNKNOWN, COST)
    assert "text-1" in job.failure.hint
    assert len(server.charges) == len(calls_made(server)) == 1


async def test_a_lost_text_shows_its_cost_after_a_restart(process, server):
    server.missing, server.keeps_texts = MANY, False
    async with process() as engine:
        job = await submit(engine, inputs={"text": CUT_OFF})
        await until(lambda: server.polls)
    server.missing = 0
    async with process() as engine:
        job = await ended(engine, job)
    (attempt,) = job.attempts
    assert (job.failure.code, attempt.state, attempt.cost) == ("result-lost", AttemptState.UNKNOWN, COST)
    assert len(server.charges) == len(calls_made(server)) == 1


async def test_who_asks_for_it_gets_a_lost_text_once_more_and_both_costs(process, server):
    server.keeps_texts = False
    prompt = "hi [fault:truncated:1]"
    order = {"on_ambiguous": OnAmbiguous.RESEND}
    async with process() as engine:
        job = await ended(engine, await submit(engine, inputs={"text": prompt}, order=order))
    assert (job.status, job.outputs) == (JobStatus.COMPLETED, {"text": answer_to(prompt)})
    states = [(attempt.state, attempt.cost) for attempt in job.attempts]
    assert states == [(AttemptState.UNKNOWN, COST), (AttemptState.SUCCEEDED, COST)]
    assert len(server.charges) == len(calls_made(server)) == 2
