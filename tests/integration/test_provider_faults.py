"""Two hundred jobs over the real adapters of all hosted providers, with faults of every kind: nothing is paid twice.

The journals of the servers tell what was charged, and the jobs tell what became of it.
"""

import asyncio
import random
import re
from collections import Counter
from contextlib import AsyncExitStack

import pytest
from pydantic import SecretStr

from genesis.settings import Settings
from tests.support.gateway import create, serving
from tests.support.providers import fal, huggingface, openai, openrouter, replicate
from tests.support.providers.base import KEY
from tests.support.providers.base import serving as served

JOBS = 200
SEED = 20_26
FAULTS = """
    rate-limited:1 unavailable:1 refused error reset:1 charged-error charged-reset hang truncated html
    rate-limited unavailable reset
""".split()
PIPELINES = {
    "text_to_text": ["openrouter|openai|huggingface|replicate"],
    "text_to_image": ["openai|openrouter|fal|replicate|huggingface"],
    "text_to_speech": ["openrouter|openai|fal|replicate|huggingface"],
}
NAME = re.compile(r"job-\d{3}")


@pytest.fixture
async def providers():
    """The servers by name, with their addresses."""
    made = {
        "openrouter": (openrouter.OpenRouterServer(), openrouter.app_of, "/api/v1"),
        "openai": (openai.OpenAIServer(), openai.app_of, "/v1"),
        "huggingface": (huggingface.FakeRouter(), huggingface.app_of, ""),
        "fal": (fal.FakeFal(), fal.app_of, ""),
        "replicate": (replicate.FakeReplicate(), replicate.app_of, ""),
    }
    async with AsyncExitStack() as stack:
        yield {
            name: (server, await stack.enter_async_context(served(app_of(server))) + path)
            for name, (server, app_of, path) in made.items()
        }


def settings_of(providers, tmp_path):
    key = SecretStr(KEY)
    urls = {f"{name}_base_url": url for name, (_, url) in providers.items()}
    hosts = tuple({url.partition("//")[2].partition("/")[0] for url in urls.values()})
    return Settings(
        **urls,
        openrouter_api_key=key,
        openai_api_key=key,
        huggingface_api_key=SecretStr(huggingface.KEY),
        fal_key=key,
        replicate_api_token=key,
        text_chain=PIPELINES["text_to_text"][0],
        image_chain=PIPELINES["text_to_image"][0],
        speech_chain=PIPELINES["text_to_speech"][0],
        local_provider=False,
        db_path=tmp_path / "jobs.db",
        storage_path=tmp_path / "storage",
        fetch_allowed_hosts=hosts,
        call_timeout_seconds=4,
        max_attempts=2,
        retry_base_seconds=0.05,
        retry_cap_seconds=0.2,
        drain_seconds=0,
        worker_slots=8,
        log_level="ERROR",
    )


def orders():
    """A pipeline and a text for each job; three in four meet a fault."""
    dice = random.Random(SEED)
    for number in range(JOBS):
        fault = dice.choice(FAULTS)
        mark = f" [fault:{fault}]" if dice.random() < 0.75 else ""
        yield dice.choice(list(PIPELINES)), f"job-{number:03}{mark}"


async def test_two_hundred_jobs_with_faults_are_paid_at_most_once(providers, tmp_path):
    async with serving(settings_of(providers, tmp_path)) as client:
        created = [(await create(client, pipeline, {"text": text})).json() for pipeline, text in orders()]
        jobs = await asyncio.gather(*(ended(client, job["job_id"]) for job in created))
    charges = Counter(NAME.search(charge.prompt)[0] for server, _ in providers.values() for charge in server.charges)
    assert sum(charges.values()) > JOBS / 2
    for (_, text), job in zip(orders(), jobs, strict=True):
        name, attempts = NAME.search(text)[0], [one for step in job["steps"] for one in step["attempts"]]
        states = Counter(attempt["status"] for attempt in attempts)
        assert charges[name] <= 1, (text, job)
        assert states["succeeded"] + states["unknown"] <= 1, (text, job)
        if job["status"] == "completed":
            assert charges[name] == 1, (text, job)
        elif charges[name]:
            # What was paid for without a result is never shown as something that cost nothing.
            assert states["unknown"] == 1 or any(one["error"]["code"] == "provider-rejected" for one in attempts), job
        assert all(attempt["error"]["message"] for attempt in attempts if attempt["status"] == "failed")
    outcomes = Counter(job["status"] for job in jobs)
    served_by = Counter(job["metadata"]["provider"] for job in jobs if job["status"] == "completed")
    assert outcomes["completed"] > JOBS / 3
    assert len(served_by) == len(providers), served_by


async def ended(client, job_id):
    async with asyncio.timeout(120):
        while True:
            job = (await client.get(f"/jobs/{job_id}?wait=10")).json()
            if job["status"] in ("completed", "failed", "canceled"):
                return job
