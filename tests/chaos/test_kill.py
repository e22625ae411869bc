"""Kills the server with -9 while 50 jobs are in flight: none is lost, and finished steps are not run again."""

import random
import sqlite3
import time
from collections import Counter
from contextlib import closing

import httpx2
import pytest

from tests.support.processes import free_port, server

JOBS = 50
KILLS = 5


def state_of(client):
    jobs = client.get("/jobs?limit=1000").json()
    return Counter(job["status"] for job in jobs), jobs


def submit_all(client):
    accepted = []
    for number in range(JOBS):
        body = {"pipeline": "text_to_image", "inputs": {"text": f"a cat, number {number}"}, "options": {"style": "oil"}}
        if number % 5 == 0:
            body = {"pipeline": "text_to_speech", "inputs": {"text": f"number {number}"}}
        response = client.post("/jobs", json=body)
        assert response.status_code == 201
        accepted.append(response.json()["job_id"])
    return accepted


@pytest.mark.timeout(240)
def test_no_accepted_job_is_lost(tmp_path):
    dice = random.Random(20261123)
    port = free_port()
    settings = {"GENESIS_FAKE_DELAY_MS": "600", "WORKER_SLOTS": "64"}
    accepted, in_flight_at_kill = [], []
    for round_number in range(KILLS):
        with server(tmp_path, port, **settings) as process, httpx2.Client(base_url=process.url, timeout=30) as client:
            if round_number == 0:
                accepted = submit_all(client)
                deadline = time.monotonic() + 60
                while state_of(client)[0]["queued"]:
                    assert time.monotonic() < deadline
            time.sleep(dice.uniform(0.1, 1.0))
            in_flight_at_kill.append(state_of(client)[0]["running"])
            process.kill()
    with server(tmp_path, port, **settings) as process, httpx2.Client(base_url=process.url, timeout=30) as client:
        deadline = time.monotonic() + 120
        while (counts := state_of(client)[0])["queued"] + counts["running"]:
            assert time.monotonic() < deadline, counts
            time.sleep(0.2)
        counts, jobs = state_of(client)
        for job in jobs:
            for url in (job["outputs"]["image_url"], job["outputs"]["audio_url"]):
                assert url is None or client.get(url).status_code == 200

    assert max(in_flight_at_kill) > JOBS / 2, "little was under way at any kill: this test has shown nothing"
    assert sorted(job["job_id"] for job in jobs) == sorted(accepted)
    assert counts == {"completed": JOBS}
    for job in jobs:
        for step in job["steps"]:
            states = [attempt["status"] for attempt in step["attempts"]]
            assert states.count("succeeded") == 1
            assert set(states) <= {"succeeded", "failed"}
            assert states[-1] == "succeeded", "a finished step was run again"
    assert any(len(step["attempts"]) > 1 for job in jobs for step in job["steps"]), "no attempt was cut off"
    with closing(sqlite3.connect(tmp_path / "jobs.db")) as connection:
        gaps = connection.execute("SELECT job FROM events GROUP BY job HAVING max(seq) != count(*)").fetchall()
        assert gaps == []
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
