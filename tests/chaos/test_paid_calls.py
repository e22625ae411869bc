"""Kills the server with -9 while calls of a paid provider are under way: none of them is ever made a second time."""

import json
import random
import threading
import time
from collections import Counter
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx2
import pytest

from tests.support.processes import free_port, server

JOBS = 40
KILLS = 4


@contextmanager
def paid_provider():
    """Speaks OpenRouter's protocol, takes its time, and writes down every prompt that it was paid for."""
    journal = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            prompt = body["messages"][-1]["content"]
            journal.append(prompt)
            time.sleep(0.25)
            message = {"role": "assistant", "content": f"answer to {prompt}"}
            answer = {
                "id": "gen-1",
                "model": body["model"],
                "choices": [{"index": 0, "finish_reason": "stop", "message": message}],
                "usage": {"prompt_tokens": 1, "completion_tokens": 1, "cost": 0.001},
            }
            data = json.dumps(answer).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def handle(self):
            try:
                super().handle()
            except OSError:  # the caller was killed
                self.close_connection = True

        def log_message(self, *_):
            """Silence."""

    listener = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=listener.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.server_port}/api/v1", journal
    finally:
        listener.shutdown()
        listener.server_close()
        thread.join()


@pytest.mark.timeout(240)
def test_no_paid_call_is_made_twice(tmp_path):
    dice = random.Random(20261124)
    port = free_port()
    with paid_provider() as (url, journal):
        settings = {
            "GENESIS_FAKE_PROVIDER": "false",
            "OPENROUTER_API_KEY": "sk-for-tests",
            "OPENROUTER_BASE_URL": url,
            "WORKER_SLOTS": "4",
        }
        for kill in range(KILLS + 1):
            with (
                server(tmp_path, port, **settings) as process,
                httpx2.Client(base_url=process.url, timeout=30) as client,
            ):
                if kill == 0:
                    for number in range(JOBS):
                        body = {"pipeline": "text_to_text", "inputs": {"text": f"prompt {number}"}}
                        assert client.post("/jobs", json=body).status_code == 201
                if kill < KILLS:
                    time.sleep(dice.uniform(0.3, 0.7))
                    process.kill()
                    continue
                deadline = time.monotonic() + 90
                while any(job["status"] in ("queued", "running") for job in client.get("/jobs?limit=1000").json()):
                    assert time.monotonic() < deadline
                    time.sleep(0.2)
                jobs = client.get("/jobs?limit=1000").json()
    assert len(jobs) == JOBS
    statuses = Counter(job["status"] for job in jobs)
    assert statuses["completed"] + statuses["failed"] == JOBS
    assert max(Counter(journal).values()) == 1, "a paid call was made twice"
    failed = [job for job in jobs if job["status"] == "failed"]
    assert failed, "no call was under way at any kill: this test has shown nothing"
    for job in failed:
        assert job["metadata"]["error"]["code"] == "outcome-unknown"
        assert [attempt["status"] for attempt in job["steps"][0]["attempts"]] == ["unknown"]
    for job in jobs:
        if job["status"] == "completed":
            assert job["outputs"]["text"] == f"answer to {job['inputs']['text']}"
            assert job["metadata"]["cost_microdollars"] == 1_000
