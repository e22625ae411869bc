"""A gateway that is killed again and again while a long text is spoken: each part is paid once."""

import asyncio
from contextlib import AsyncExitStack

import httpx2
import pytest

from genesis.domain.passages import passages
from tests.support.engine import until
from tests.support.processes import free_port, uvicorn
from tests.support.providers.base import KEY, serving
from tests.support.providers.openai import OpenAIServer, app_of

TEXT = "".join(f"This is sentence number {number}, and it is read aloud. " for number in range(840)).strip()
PARTS = len(passages(TEXT, 4096))
KILLS = 4
"""After the fifth the job would be parked: it is the same job each time that an executor dies of."""
# A kill may hit between the recording of a call and its sending. Nobody can tell that from an answer that was lost: the part
# is sent once more when the time of the call is over, and the charges say whether that was right.
ORDER = {"pipeline": "text_to_speech", "inputs": {"text": TEXT}, "options": {"format": "wav"}, "on_ambiguous": "resend"}


@pytest.mark.timeout(300)
async def test_kills_in_the_middle_of_a_long_text(tmp_path):
    openai, port = OpenAIServer(), free_port()
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(serving(app_of(openai)))
        keys = {"OPENAI_API_KEY": KEY, "OPENAI_BASE_URL": f"{url}/v1", "GENESIS_FAKE_PROVIDER": "false"}
        worker = uvicorn(tmp_path, "workers.tts.main:app", free_port(), **keys)
        await asyncio.to_thread(worker.__enter__)
        stack.callback(worker.stop)
        client = await stack.enter_async_context(httpx2.AsyncClient(timeout=30))
        job = None
        for kills_left in range(KILLS, -1, -1):
            gateway = uvicorn(tmp_path, "gateway.main:app", port, TTS_WORKER_URL=worker.url, CALL_TIMEOUT_SECONDS="4")
            await asyncio.to_thread(gateway.__enter__)
            stack.callback(gateway.stop)
            if job is None:
                job = (await client.post(f"{gateway.url}/jobs", json=ORDER)).json()
            spoken = len(openai.charges)
            if kills_left and spoken < PARTS:
                await until(lambda spoken=spoken: len(openai.charges) > spoken, within=60)
                gateway.kill()
                continue
            while job["status"] in ("queued", "running"):
                job = (await client.get(f"{gateway.url}/jobs/{job['job_id']}", params={"wait": 20})).json()
            break
    assert job["status"] == "completed", job["metadata"]["error"]
    assert kills_left < KILLS
    spoken_parts = [charge.prompt for charge in openai.charges]
    assert " ".join(sorted(spoken_parts, key=TEXT.index)) == TEXT
    parts = [step for step in job["steps"] if step["part_of"] == "speak"]
    assert [step["name"] for step in parts] == [f"speak#{number + 1}" for number in range(PARTS)]
    assert {step["status"] for step in job["steps"]} == {"done"}
