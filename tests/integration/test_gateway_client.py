"""The Python client against a real server, also when answers get lost."""

import asyncio
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace

import httpx2
import pytest
from genesis_client import GenesisClient, GenesisProblem, JobNotCompleted, job_request

from gateway.main import create_app
from genesis.domain.event import EventType
from genesis.engine.follow import Follower
from launcher.workers import open_in_process_workers
from tests.support.events import MemoryLog
from tests.support.gateway import app_of, listening
from tests.support.sites import PNG

HI = {"text": "hi"}


@pytest.fixture
async def url(settings):
    async with listening(create_app(settings, open_in_process_workers)) as (_, url):
        yield url


async def with_client(url, use, **more):
    """What a function makes of a client, in a thread."""

    def run():
        with GenesisClient(url) as client:
            for name, value in more.items():
                setattr(client, name, value)
            return use(client)

    return await asyncio.to_thread(run)


async def test_a_job_is_created_awaited_followed_and_found(url):
    def use(client):
        job = client.run("text_to_text", HI, priority=3, finish_within_seconds=60.0, timeout_seconds=30)
        later = client.create_job("text_to_text", {"text": "later"}, not_before=datetime.now(UTC) + timedelta(hours=1))
        with pytest.raises(TimeoutError):
            client.wait(later.job_id, timeout_seconds=0.1)
        client.cancel(later.job_id)
        with pytest.raises(JobNotCompleted):
            client.wait(later.job_id)
        assert client.retry(later.job_id).status == "queued"
        hour = timedelta(hours=1)
        found = list(client.jobs(page_size=1, pipeline="text_to_text", created_from=datetime.now(UTC) - hour))
        assert [each.job_id for each in found] == [later.job_id, job.job_id]
        assert [each.job_id for each in client.jobs(status="completed", text="HI")] == [job.job_id]
        return job, list(client.events(job.job_id)), list(client.events(job.job_id, after=1))

    job, events, rest = await with_client(url, use)
    assert job.metadata.priority == 3
    kinds = [event.type for event in events if event.type != "text-delta"]
    assert (kinds[0], kinds[-1]) == ("job-queued", "job-completed")
    assert [event.seq for event in rest if event.type != "text-delta"] == list(range(2, len(kinds) + 1))


async def test_a_batch(url):
    def use(client):
        batch = client.create_batch([job_request("text_to_text", HI, priority=number) for number in range(3)])
        for job in client.jobs(batch_id=batch.batch_id):
            client.wait(job.job_id, timeout_seconds=30)
        with pytest.raises(GenesisProblem) as refused:
            client.create_batch([job_request("nothing", HI)])
        assert refused.value.problem.errors[0].field == "jobs.0"
        client.cancel_batch(batch.batch_id)
        return client.batch(batch.batch_id)

    assert (await with_client(url, use)).counts.completed == 3


class Losing(httpx2.HTTPTransport):
    """Loses the first answers."""

    left = 2

    def handle_request(self, request):
        response = super().handle_request(request)
        if self.left:
            self.left -= 1
            response.read()
            raise httpx2.ReadError("lost")
        return response


async def test_a_lost_answer_makes_no_second_job(url):
    with httpx2.Client(base_url=url, transport=Losing(), timeout=20) as losing:
        job = await with_client(url, lambda client: client.create_job("text_to_text", HI), _http=losing)
    jobs = await with_client(url, lambda client: [each.job_id for each in client.jobs()])
    assert jobs == [job.job_id]


async def test_events_go_on_after_an_interruption(settings):
    log = MemoryLog()
    job = log.create()
    follower = Follower(log, log.signals)

    async def interrupt():
        while not follower.readers:
            await asyncio.sleep(0.01)
        log.away = True
        log.add(job, EventType.JOB_STARTED)
        await asyncio.sleep(0.5)
        log.away = False
        log.add(job, EventType.JOB_COMPLETED)

    async with listening(app_of(SimpleNamespace(follower=follower), settings)) as (_, url):
        following = asyncio.create_task(with_client(url, lambda client: list(client.events(job))))
        await interrupt()
        assert [event.seq for event in await following] == [1, 2, 3]
        with pytest.raises(GenesisProblem):
            await with_client(url, lambda client: next(client.events("01930f2e-5b7a-7c11-9a4e-0f6f0b2d7c55")))


async def test_costs_are_estimated_bounded_and_added_up(url):
    def use(client):
        estimate = client.estimate("text_to_text", HI, max_cost=Decimal("0.10"))
        job = client.run("text_to_text", HI, max_cost=Decimal("0.000001"), timeout_seconds=30)
        client.create_batch([job_request("text_to_text", HI, max_cost="0.25")])
        today = datetime.now(UTC).date()
        return estimate, job, client.usage(today, today, group_by=["provider"])

    estimate, job, usage = await with_client(url, use)
    assert (estimate.cost_microdollars, estimate.steps[0].cost_microdollars) == (0, 0)
    assert (job.metadata.max_cost_microdollars, job.metadata.cost_microdollars) == (1, 0)
    (row,) = usage.rows
    assert (row.provider, row.model, row.cost_known_microdollars) == ("fake", None, 0)
    assert row.calls >= 1


async def test_files_are_uploaded_found_used_saved_and_deleted(url, tmp_path):
    given = tmp_path / "a cat.png"
    given.write_bytes(PNG)

    def use(client):
        file = client.upload(given, expires_in=3600)
        assert (file.name, file.media_type, file.size) == ("a cat.png", "image/png", len(PNG))
        other = client.upload(PNG, name="other.png")
        assert [each.id for each in client.files(page_size=1, source="upload")] == [other.id, file.id]
        job = client.run("image_to_image", {"image_file": file.id}, timeout_seconds=30)
        (made,) = client.files(job=job.job_id)
        assert made.url == job.outputs.image_url
        client.save(made.url, tmp_path / "made.png")
        assert (tmp_path / "made.png").read_bytes() == client.download(made.url)
        client.delete_file(file.id)
        with pytest.raises(GenesisProblem) as refused:
            client.file(file.id)
        assert refused.value.problem.code == "gone"
        with pytest.raises(GenesisProblem):
            client.save(f"/storage/images/{file.id}.png", tmp_path / "none.png")
        assert not (tmp_path / "none.png").exists()

    await with_client(url, use)
