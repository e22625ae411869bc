"""Providers of installed packages: the example of `genesis/providers/README.md`, installed and used as others would."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest
from aiohttp import web

from genesis.capabilities.catalog import CAPABILITIES
from genesis.errors import Misconfigured
from genesis.providers import registry
from genesis.settings import Settings
from tests.support.processes import free_port
from tests.support.providers.base import serving

EXAMPLE = Path(__file__).parent / "example_package"
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder into which the example is installed."""
    source, target = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("site")
    for file in EXAMPLE.iterdir():
        if file.is_file():
            (source / file.name).write_bytes(file.read_bytes())
    command = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*command, "--python", sys.executable, "--target", str(target), str(source)], check=True)
    return target


async def shout(request: web.Request) -> web.Response:
    if request.headers["Authorization"] != "Bearer s3cret":
        return web.json_response({"error": "Who are you?"}, status=401)
    if request.path == "/whisper":
        return web.json_response({})
    body = await request.json()
    return web.json_response({"shouted": f"{body['words'].upper()}{'!' * int(body.get('loudness', 1))}"})


def app() -> web.Application:
    application = web.Application()
    application.router.add_post("/shout", shout)
    application.router.add_get("/whisper", shout)
    return application


def environment(site: Path, folder: Path, url: str, key: str) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(site),
        "SHOUTING_KEY": key,
        "SHOUTING_URL": url,
        "STORAGE_PATH": str(folder / "storage"),
        "GENESIS_LOCAL_PROVIDER": "false",
    }


@contextmanager
def worker(environment: dict[str, str]) -> Iterator[str]:
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "workers.llm.main:app", "--port", str(port), "--log-level", "error"]
    process = subprocess.Popen(command, cwd=ROOT, env=environment)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(20)


async def test_an_installed_provider_serves(site: Path, tmp_path: Path) -> None:
    async with serving(app()) as url, httpx2.AsyncClient() as client:
        with worker(environment(site, tmp_path, url, "s3cret")) as own:
            health = await answer(client, own)
            assert [link["target"] for link in health["chain"] if link["target"].startswith("shouting")]
            body = {"text": "hello", "options": {"temperature": 2, "seed": 1}}
            made = (await client.post(f"{own}/generate", json=body)).json()
    assert made["text"] == "HELLO!!"
    assert made["metadata"]["target"] == "shouting:loud"
    assert made["metadata"]["quantities"] == {"characters": "7"}
    assert made["metadata"]["warnings"] == ["shouting cannot honor `seed`; it was left out."]


async def answer(client: httpx2.AsyncClient, url: str) -> dict:  # type: ignore[type-arg]
    for _ in range(600):
        try:
            return (await client.get(f"{url}/health")).json()  # type: ignore[no-any-return]
        except httpx2.TransportError:
            await asyncio.sleep(0.05)
    raise AssertionError("The worker does not start.")


@pytest.mark.parametrize(("key", "code", "said"), [("s3cret", 0, "ok"), ("wrong", 1, "Check SHOUTING_KEY.")])
async def test_the_check_tries_it(site: Path, tmp_path: Path, key: str, code: int, said: str) -> None:
    async with serving(app()) as url:
        checked = await run_check(environment(site, tmp_path, url, key))
    line = next(line for line in checked.stdout.splitlines() if line.startswith("shouting"))
    assert (checked.returncode, said in line) == (code, True), checked
    assert key not in checked.stdout


async def run_check(environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "launcher.main", "check"]
    run = subprocess.run
    return await asyncio.to_thread(run, command, cwd=ROOT, env=environment, capture_output=True, text=True)


class EntryPoint:
    """What `importlib.metadata` would have found."""

    value = "somewhere:provider"

    def __init__(self, name: str, load: object) -> None:
        self.name = name
        self._load = load

    def load(self) -> object:
        if isinstance(self._load, Exception):
            raise self._load
        return self._load


@pytest.mark.parametrize("loaded", [ImportError("no such module"), lambda _: 1 / 0, lambda _: "a provider"])
def test_a_package_that_cannot_be_used_is_named(loaded: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "entry_points", lambda group: [EntryPoint("broken", loaded)])
    with pytest.raises(Misconfigured, match="broken") as caught:
        registry.providers(Settings(), "text")
    assert "somewhere:provider" in caught.value.hint


@pytest.mark.parametrize("capability", CAPABILITIES)
def test_a_name_that_is_taken_is_refused(capability: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (row,) = (row for row in registry.ROWS if row.build(Settings(), capability).name == "openrouter")
    monkeypatch.setattr(
        registry, "entry_points", lambda group: [EntryPoint("copy", lambda settings: row.build(settings, capability))]
    )
    with pytest.raises(Misconfigured, match="two providers named `openrouter`"):
        registry.providers(Settings(), capability)
