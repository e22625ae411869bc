"""A gateway that only accepts, and an executor that only runs, on one PostgreSQL."""

import subprocess
import sys
from contextlib import ExitStack

import httpx2

from tests.support.postgres import postgres_url
from tests.support.processes import ROOT, Process, environment, free_port, uvicorn


def command(folder, *arguments, **env):
    return subprocess.run(
        [sys.executable, "-m", "launcher.main", *arguments],
        env=environment(folder, **env),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def test_accepting_and_running_can_be_two_processes(tmp_path):
    url = postgres_url()
    worker_port, executor_port = free_port(), free_port()
    shared = {"DATABASE_URL": url, "LLM_WORKER_URL": f"http://127.0.0.1:{worker_port}"}
    with ExitStack() as stack:
        stack.enter_context(uvicorn(tmp_path, "workers.llm.main:app", worker_port))
        gateway = stack.enter_context(
            uvicorn(tmp_path, "gateway.main:app", free_port(), GENESIS_EXECUTOR="false", **shared)
        )
        client = stack.enter_context(httpx2.Client(base_url=gateway.url, timeout=60))
        order = {"pipeline": "text_to_text", "inputs": {"text": "hi"}}
        waiting = client.post("/jobs", params={"wait": 1}, json=order).json()
        assert waiting["status"] == "queued"
        arguments = [sys.executable, "-m", "launcher.main", "executor", "--port", str(executor_port)]
        stack.enter_context(
            Process(arguments, executor_port, environment(tmp_path, **shared), tmp_path / "executor.log")
        )
        job = client.get(f"/jobs/{waiting['job_id']}", params={"wait": 30}).json()
        assert job["outputs"]["text"] == "fake: hi", job
        assert client.post("/jobs", params={"wait": 30}, json=order).json()["status"] == "completed"


def test_an_executor_needs_a_database_that_can_be_shared(tmp_path):
    done = command(tmp_path, "executor")
    assert done.returncode == 2
    assert "DATABASE_URL" in done.stderr


def test_migrating_is_a_command_of_its_own(tmp_path):
    assert "up to date" in command(tmp_path, "migrate").stdout
    assert (tmp_path / "jobs.db").exists()
    assert "up to date" in command(tmp_path, "migrate", DATABASE_URL=postgres_url()).stdout
