"""A server that is started before its database."""

import signal
import sys
import time

import httpx2
import pytest

from tests.support.postgres import PostgresServer
from tests.support.processes import Process, environment, free_port, server, uvicorn

ORDER = {"pipeline": "text_to_text", "inputs": {"text": "hi"}}


@pytest.fixture
def postgres():
    server = PostgresServer()
    yield server
    server.remove()


def up(folder, port, **env):
    return server(folder, port, **env)


def gateway(folder, port, **env):
    return uvicorn(folder, "gateway.main:app", port, **env)


def executor(folder, port, **env):
    arguments = [sys.executable, "-m", "launcher.main", "executor", "--port", str(port)]
    return Process(arguments, port, environment(folder, **env), folder / "executor.log")


@pytest.mark.parametrize("start", [up, gateway, executor])
def test_it_lives_and_goes_on_when_the_database_comes(tmp_path, postgres, start):
    url = postgres.url(password="s3cret")
    with start(tmp_path, free_port(), DATABASE_URL=url) as process, httpx2.Client(base_url=process.url) as client:
        assert client.head("/health").status_code == 200
        ready = client.get("/ready")
        assert ready.status_code == 503
        assert "does not answer" in ready.json()["ledger"]["reason"]
        assert ready.json()["executors"] is None
        providers = client.get("/providers")
        assert (providers.status_code, providers.headers["retry-after"]) == (503, "1")
        if start is not executor:
            refused = client.post("/jobs", json=ORDER)
            assert (refused.status_code, refused.json()["code"]) == (503, "unavailable")
            assert "does not answer" in refused.json()["detail"]
            assert client.get("/events").status_code == 503
        assert "s3cret" not in ready.text + process.log
        postgres.start()
        deadline = time.monotonic() + 30
        while not client.get("/ready").json()["executors"]:
            assert time.monotonic() < deadline
            time.sleep(0.1)
        if start is up:
            assert client.post("/jobs", params={"wait": 30}, json=ORDER).json()["status"] == "completed"
        assert process.stop() in (0, -signal.SIGTERM)


def test_it_can_be_stopped_while_it_waits(tmp_path, postgres):
    with up(tmp_path, free_port(), DATABASE_URL=postgres.url()) as process:
        assert process.stop() in (0, -signal.SIGTERM)
        assert "Traceback" not in process.log


@pytest.mark.parametrize("delay", ["0", "60000"])
def test_it_can_be_stopped_while_the_database_is_away(tmp_path, postgres, delay):
    """With and without a job under way."""
    postgres.start()
    more = {"DATABASE_URL": postgres.url(), "DRAIN_SECONDS": "2", "GENESIS_FAKE_DELAY_MS": delay}
    with up(tmp_path, free_port(), **more) as process:
        assert httpx2.post(process.url + "/jobs", json=ORDER).status_code == 201
        time.sleep(0.5)
        postgres.stop()
        time.sleep(1.5)  # what it does regularly waits for the database now
        assert process.stop() in (0, -signal.SIGTERM)
        assert "Traceback" not in process.log
        assert "its lease will end by itself" in process.log


def test_a_database_that_turns_out_to_be_unusable_ends_it(tmp_path, postgres):
    with up(tmp_path, free_port(), DATABASE_URL=postgres.url("nothing", password="s3cret")) as process:
        postgres.start()
        assert process.wait(30) == 2
        assert 'database "nothing" does not exist' in process.log
        assert "DATABASE_URL" in process.log
        assert "s3cret" not in process.log


def test_a_database_that_is_unusable_at_once_is_told_in_two_lines(tmp_path, postgres):
    postgres.start()
    process = up(tmp_path, free_port(), DATABASE_URL=postgres.url("nothing"))
    with pytest.raises(RuntimeError, match="it ended with 2"):
        process.__enter__()
    assert "Traceback" not in process.log
    assert len(process.log.strip().splitlines()) <= 3
    # A service of its own says the same, after it has begun to start.
    service = gateway(tmp_path, free_port(), DATABASE_URL=postgres.url("nothing"))
    with pytest.raises(RuntimeError, match='database "nothing" does not exist'):
        service.__enter__()
