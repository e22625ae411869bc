"""The life of the child process: shared start, crash, cancel, idleness, and the death of its parent."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio

from genesis.errors import ProviderUnavailable
from genesis.providers.local import child
from genesis.providers.local.child import Endpoint, LocalServer

PARENT = """
import asyncio, sys
from genesis.providers.local.child import LocalServer

async def main():
    server = LocalServer("image")
    async with server.use():
        print(server.pid, flush=True)
        await asyncio.sleep(600)

asyncio.run(main())
"""


@pytest_asyncio.fixture
async def server() -> AsyncIterator[LocalServer]:
    server = LocalServer("image")
    yield server
    await server.close()


async def health(endpoint: Endpoint) -> str:
    headers = {"Authorization": f"Bearer {endpoint.token}"}
    async with aiohttp.ClientSession() as session, session.get(f"{endpoint.base_url}/health", headers=headers) as found:
        return str((await found.json())["capability"])


def running(pid: int) -> bool:
    """Whether a process exists and is no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def environment_of(pid: int | None) -> bytes:
    return Path(f"/proc/{pid}/environ").read_bytes()


async def gone(pid: int) -> None:
    async with asyncio.timeout(20):
        while running(pid):
            await asyncio.sleep(0.02)


async def test_callers_at_the_same_time_share_one_start(server: LocalServer) -> None:
    async def one() -> Endpoint:
        async with server.use() as endpoint:
            assert await health(endpoint) == "image"
            return endpoint

    assert server.pid is None
    endpoints = await asyncio.gather(*(one() for _ in range(5)))
    assert len(set(endpoints)) == 1


async def test_it_is_started_again_after_a_crash(server: LocalServer) -> None:
    async with server.use() as first:
        pid = server.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    async with asyncio.timeout(20):
        while server.pid is not None:
            await asyncio.sleep(0.01)
    async with server.use() as second:
        assert await health(second) == "image"
        assert server.pid != pid
        assert second.token != first.token


async def test_a_killed_one_is_started_again_at_the_next_use(server: LocalServer) -> None:
    async with server.use():
        pid = server.pid
        assert pid is not None
        await server.kill()
        assert not running(pid)
    await server.kill()
    async with server.use() as endpoint:
        assert await health(endpoint) == "image"


async def test_an_idle_one_is_ended_but_not_one_in_use() -> None:
    server = LocalServer("image", idle_seconds=0.05)
    async with server.use() as endpoint:
        pid = server.pid
        assert pid is not None
        await asyncio.sleep(0.3)
        assert await health(endpoint) == "image"
    await gone(pid)
    assert server.pid is None
    async with server.use() as endpoint:
        assert await health(endpoint) == "image"
    await server.close()


async def test_a_closed_one_leaves_nothing_and_is_not_used_again(server: LocalServer) -> None:
    async with server.use():
        pid = server.pid
    await server.close()
    assert pid is not None
    assert not running(pid)
    with pytest.raises(ProviderUnavailable, match="closed"):
        async with server.use():
            pass


async def test_a_canceled_start_leaves_nothing(server: LocalServer) -> None:
    async def use() -> None:
        async with server.use():
            pass

    task = asyncio.create_task(use())
    await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert server.pid is None
    async with server.use() as endpoint:
        assert await health(endpoint) == "image"


async def test_a_start_that_fails_says_why() -> None:
    server = LocalServer("dreams")
    with pytest.raises(ProviderUnavailable, match=r"dreams did not start.*usage: "):
        async with server.use():
            pass
    await server.close()


async def test_a_start_that_takes_too_long_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "genesis_slow_server.py").write_text("import time\ntime.sleep(600)\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(child, "_SERVER", "genesis_slow_server")
    server = LocalServer("image", start_seconds=0.2)
    with pytest.raises(ProviderUnavailable, match=r"no answer within 0\.2 s"):
        async with server.use():
            pass
    await server.close()


async def test_the_workers_keys_do_not_reach_it(server: LocalServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENROUTER_API_KEY", "secret-of-the-worker")
    async with server.use() as endpoint:
        environment = environment_of(server.pid)
        assert b"HF_HUB_OFFLINE=1" in environment
        assert b"secret-of-the-worker" not in environment
        assert endpoint.base_url.startswith("http://127.0.0.1:")


async def test_it_ends_when_its_parent_is_killed() -> None:
    parent = await asyncio.create_subprocess_exec(sys.executable, "-c", PARENT, stdout=asyncio.subprocess.PIPE)
    assert parent.stdout is not None
    pid = int(await parent.stdout.readline())
    assert running(pid)
    parent.kill()
    await parent.wait()
    await gone(pid)
