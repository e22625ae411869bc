"""The platform as separate processes, started as the specification says."""

import signal
import time
from contextlib import ExitStack

import httpx2
import pytest

from genesis.capabilities.catalog import CAPABILITIES
from tests.support.processes import ROOT, free_port, server, uvicorn


def finished(client, response):
    assert response.status_code == 201, response.text
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        job = client.get(response.headers["location"]).json()
        if job["status"] not in ("queued", "running"):
            return job
        time.sleep(0.05)
    raise AssertionError(f"the job did not end: {job}")


def test_gateway_and_five_workers(tmp_path):
    ports = {capability.worker: free_port() for capability in CAPABILITIES.values()}
    urls = {f"{worker.upper()}_WORKER_URL": f"http://127.0.0.1:{port}" for worker, port in ports.items()}
    with ExitStack() as stack:
        gateway = stack.enter_context(uvicorn(tmp_path, "gateway.main:app", free_port(), **urls))
        client = stack.enter_context(httpx2.Client(base_url=gateway.url, timeout=30))
        ready = client.get("/ready")
        assert ready.status_code == 503
        assert {worker["worker"] for worker in ready.json()["workers"] if not worker["ready"]} == set(ports)

        waiting = client.post("/jobs", json={"pipeline": "text_to_image", "inputs": {"text": "a cat"}})
        assert waiting.status_code == 201
        shown = client.get(waiting.headers["location"]).json()
        assert shown["status"] == "queued"
        assert (
            "image worker is missing" in shown["metadata"]["waiting_for"] or "llm" in shown["metadata"]["waiting_for"]
        )

        for worker, port in ports.items():
            # One of them as the specification writes it for a developer: from within the worker's own folder.
            inside = worker == "llm"
            app = "main:app" if inside else f"workers.{worker}.main:app"
            stack.enter_context(uvicorn(tmp_path, app, port, cwd=ROOT / "workers" / "llm" if inside else ROOT))
        assert finished(client, waiting)["status"] == "completed"
        deadline = time.monotonic() + 30
        while client.get("/ready").status_code != 200:
            assert time.monotonic() < deadline
            time.sleep(0.1)

        speech = finished(client, client.post("/jobs", json={"pipeline": "text_to_speech", "inputs": {"text": "hi"}}))
        audio = speech["outputs"]["audio_url"]
        assert client.get(audio).content[:4] == b"RIFF"
        drawn = finished(
            client, client.post("/jobs", json={"pipeline": "speech_to_image", "inputs": {"audio_url": audio}})
        )
        assert drawn["metadata"]["worker_used"] == "stt, llm, image"


def test_a_stopped_server_ends_cleanly_and_keeps_its_jobs(tmp_path):
    port = free_port()
    with server(tmp_path, port) as process, httpx2.Client(base_url=process.url) as client:
        job = finished(client, client.post("/jobs", json={"pipeline": "text_to_text", "inputs": {"text": "hi"}}))
        assert process.stop() in (0, -signal.SIGTERM)  # the server passes the signal on when it has finished
        assert "Finished server process" in process.log
    with server(tmp_path, port) as process, httpx2.Client(base_url=process.url) as client:
        assert client.get(f"/jobs/{job['job_id']}").json()["outputs"]["text"]


@pytest.mark.parametrize(
    ("env", "says"),
    [
        ({"DB_PATH": "/proc/nothing/jobs.db"}, "DB_PATH"),
        ({"STORAGE_PATH": "/proc/nothing"}, "STORAGE_PATH"),
        ({"DATABASE_URL": "mysql://x"}, "DATABASE_URL"),
        ({"MAX_ATTEMPTS": "none"}, "MAX_ATTEMPTS"),
        ({"GENESIS_HOST": "192.0.2.1"}, "192.0.2.1"),
    ],
)
def test_a_wrong_setting_is_told_in_two_lines(tmp_path, env, says):
    process = server(tmp_path, free_port(), **env)
    with pytest.raises(RuntimeError, match="it ended with 2"):
        process.__enter__()
    assert says in process.log
    assert "Traceback" not in process.log
    assert len(process.log.strip().splitlines()) <= 3
