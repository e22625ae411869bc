"""A platform with paid calls in every state is backed up while it runs, destroyed, restored elsewhere and told to go on."""

import asyncio
import json
import os
import shutil
import subprocess
import sys
import time
from collections import Counter
from contextlib import suppress

import httpx2
import pytest

from genesis.storage.file import FileStore
from tests.support.paid_provider import journal_of
from tests.support.processes import ROOT, Process, environment, free_port, server

SLOTS = 4
LONG = "[fault:pending:150]"
"""So often a queued call is asked for, every twentieth of a second, before it is done."""


class Platform:
    """One that is started, backed up, lost and restored."""

    def __init__(self, folder, provider_url, databases):
        self.folder = folder
        self.port = free_port()
        self._databases = databases
        self._url = next(databases)
        self._more = {
            "GENESIS_FAKE_URL": provider_url,
            "TEXT_CHAIN": "fake",
            "WORKER_SLOTS": str(SLOTS),
            "GENESIS_PORT": str(self.port),
            "LEASE_SECONDS": "3",
        }

    @property
    def settings(self):
        return self._more | ({"DATABASE_URL": self._url} if self._url else {})

    def start(self):
        return server(self.folder, self.port, **self.settings)

    def command(self, *arguments):
        """What a command says, and its exit code."""
        done = subprocess.run(
            [sys.executable, "-m", "launcher.main", *map(str, arguments)],
            cwd=ROOT,
            env=environment(self.folder, **self.settings),
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
        assert "Traceback" not in done.stderr, done.stderr
        return done.stdout + done.stderr, done.returncode

    def lose(self):
        """Takes database and files away, as a lost machine does."""
        for file in self.folder.glob("jobs.db*"):
            file.unlink()
        shutil.rmtree(self.folder / "storage")
        self._url = next(self._databases)


def postgres_databases():
    """URLs of new databases without anything in them; the one before is dropped."""
    from tests.support.postgres import shared_server

    postgres, name = shared_server(), None
    while True:
        if name:
            asyncio.run(postgres.execute(f'DROP DATABASE "{name}" WITH (FORCE)'))
        name = asyncio.run(postgres.create_database("template1"))
        yield postgres.url(name)


def no_databases():
    while True:
        yield None


@pytest.fixture(params=["sqlite", "postgres"])
def platform(request, tmp_path):
    databases = no_databases() if request.param == "sqlite" else postgres_databases()
    port, folder = free_port(), tmp_path / "platform"
    folder.mkdir()
    arguments = ["-m", "tests.support.paid_provider", "--port", str(port), "--journal", str(tmp_path / "journal")]
    with Process([sys.executable, *arguments], port, environment(tmp_path), tmp_path / "provider.log") as provider:
        yield Platform(folder, provider.url, databases)


def submitted(client, pipeline, text, model, **more):
    options = {"model": f"{model}:made-up", **more.pop("options", {})}
    body = {"pipeline": pipeline, "inputs": {"text": text}, "options": options, **more}
    answer = client.post("/jobs", json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()["job_id"]


def shown(client, job):
    return client.get(f"/jobs/{job}").json()


def until(client, job, holds, seconds=60):
    deadline = time.monotonic() + seconds
    while not holds(found := shown(client, job)):
        assert time.monotonic() < deadline, found
        time.sleep(0.05)
    return found


def is_over(found):
    return found["status"] in ("completed", "failed", "canceled")


def has_attempt(state):
    return lambda found: [one["status"] for one in found["steps"][-1]["attempts"]] == [state]


def numbers_of_events(client, job):
    with client.stream("GET", f"/jobs/{job}/events") as answer:
        data = [json.loads(line.removeprefix("data:")) for line in answer.iter_lines() if line.startswith("data:")]
    return [event["seq"] for event in data]


def jobs_in_every_state(client):
    """Jobs by what becomes of them."""
    jobs = {
        "text": submitted(client, "text_to_text", "done", "fake-opaque"),
        "image": submitted(client, "text_to_image", "a boat", "fake-opaque"),
    }
    for job in jobs.values():
        assert until(client, job, is_over)["status"] == "completed"
    hanging = "[fault:hang:1]"
    jobs |= {
        "second": submitted(client, "text_to_image", f"second {hanging}", "fake-opaque", options={"style": "oil"}),
        "opaque": submitted(client, "text_to_text", f"opaque {hanging}", "fake-opaque"),
        "resend": submitted(client, "text_to_text", f"resend {hanging}", "fake-opaque", on_ambiguous="resend"),
        "keyed": submitted(client, "text_to_text", f"keyed {hanging}", "fake-keyed"),
        "handle": submitted(client, "text_to_text", f"handle {LONG}", "fake-handle"),
    }
    for name in ("second", "opaque", "resend", "keyed"):
        until(client, jobs[name], has_attempt("intended"))
    until(client, jobs["handle"], has_attempt("pending"))
    later = {"not_before": "2099-01-01T00:00:00Z"}
    jobs["queued"] = submitted(client, "text_to_text", "queued", "fake-opaque", finish_within_seconds=600, **later)
    jobs["needless"] = submitted(client, "text_to_text", "needless", "fake-opaque", **later)
    return jobs


@pytest.mark.timeout(300)
def test_a_platform_that_was_lost_goes_on_and_pays_for_nothing_twice(platform, tmp_path):
    archive = tmp_path / "backup.tar"
    with platform.start() as process, httpx2.Client(base_url=process.url, timeout=30) as client:
        jobs = jobs_in_every_state(client)
        said, code = platform.command("backup", archive)
        assert code == 0, said
        assert f"holds {len(jobs)} jobs and" in said
        picture = shown(client, jobs["image"])["outputs"]["image_url"]
        content = client.get(picture).content
        before = {name: shown(client, job) for name, job in jobs.items()}
        assert has_attempt("pending")(before["handle"]), "it ended too soon: this test shows less than it should"
        # The lost platform went on after the backup: this call has been paid for, and its result is there to be asked for.
        until(client, jobs["handle"], is_over)
        process.kill()
    charged = Counter(line["prompt"] for line in journal_of(tmp_path / "journal"))
    platform.lose()
    said, code = platform.command("restore", archive)
    assert code == 0, said
    assert f"{len(jobs)} jobs" in said
    assert "7 jobs wait for a word" in said
    said, code = platform.command("restore", archive)
    assert code == 2
    assert "not empty" in said
    with platform.start() as process, httpx2.Client(base_url=process.url, timeout=30) as client:
        assert client.get(picture).content == content
        for name in ("text", "image"):
            assert shown(client, jobs[name]) == before[name]
        time.sleep(2)
        for name in ("second", "opaque", "resend", "keyed", "handle", "queued", "needless"):
            held = shown(client, jobs[name])
            assert held["status"] == before[name]["status"]
            assert "resume" in held["metadata"]["waiting_for"]
            assert held["metadata"]["not_before"] == before[name]["metadata"]["not_before"]
        assert Counter(line["prompt"] for line in journal_of(tmp_path / "journal")) == charged
        assert client.post(f"/jobs/{jobs['needless']}/cancel").json()["status"] == "canceled"
        said, code = platform.command("resume")
        assert (code, said) == (0, "6 jobs go on.\n")
        found = {name: until(client, job, is_over) for name, job in jobs.items() if name != "queued"}
        assert shown(client, jobs["queued"])["metadata"]["finish_by"] is not None
        for name, job in jobs.items():
            if name != "queued":
                numbers = numbers_of_events(client, job)
                assert numbers == list(range(1, len(numbers) + 1))
    statuses = {name: job["status"] for name, job in found.items()}
    assert statuses == {
        "text": "completed",
        "image": "completed",
        "second": "failed",
        "opaque": "failed",
        "resend": "completed",
        "keyed": "completed",
        "handle": "completed",
        "needless": "canceled",
    }
    for name in ("second", "opaque"):
        assert found[name]["metadata"]["error"]["code"] == "outcome-unknown"
        assert [one["status"] for one in found[name]["steps"][-1]["attempts"]] == ["unknown"]
    assert len(found["second"]["steps"][0]["attempts"]) == 1, "what was done is not done again"
    assert [one["status"] for one in found["resend"]["steps"][0]["attempts"]] == ["unknown", "succeeded"]
    for name in ("keyed", "handle"):
        assert [one["status"] for one in found[name]["steps"][0]["attempts"]] == ["succeeded"]
    journal = journal_of(tmp_path / "journal")
    assert max(Counter(line["key"] for line in journal).values()) == 1, "a key was charged twice"
    again = Counter(line["prompt"] for line in journal) - charged
    assert [prompt.partition(" ")[0] for prompt in again] == ["resend"], "only that was accepted to be paid twice"


async def large_file(root):
    """A content that takes its time to be read, and no room."""
    store = FileStore(root)
    await store.write("images/large.png", b"x", "image/png")
    os.truncate(store.local_path("images/large.png"), 8 * 1024**3)
    await store.close()


def sizes(folder):
    """Of the files in a folder from which some may go meanwhile."""
    for file in folder.iterdir():
        with suppress(FileNotFoundError):
            yield file.stat().st_size


def test_a_backup_that_is_ended_leaves_nothing(tmp_path):
    platform = Platform(tmp_path, "http://127.0.0.1:1", no_databases())
    there = tmp_path / "there"
    there.mkdir()
    with platform.start():
        pass
    asyncio.run(large_file(tmp_path / "storage"))
    command = [sys.executable, "-m", "launcher.main", "backup", str(there / "backup.tar")]
    env = environment(tmp_path, **platform.settings)
    with subprocess.Popen(command, cwd=ROOT, env=env, stderr=subprocess.DEVNULL) as process:
        while not any(size > 10_000_000 for size in sizes(there)):
            assert process.poll() is None
            time.sleep(0.01)
        process.terminate()
        assert process.wait(30) == 1
    assert list(there.iterdir()) == []


def test_commands_say_what_is_wrong(tmp_path):
    platform = Platform(tmp_path, "http://127.0.0.1:1", no_databases())
    said, code = platform.command("backup", tmp_path / "backup.tar")
    assert (code, "There is no database" in said) == (2, True)
    said, code = platform.command("restore", tmp_path / "backup.tar")
    assert (code, "cannot be read" in said) == (2, True)
    said, code = platform.command("resume")
    assert (code, "does not answer" in said) == (2, True)
    with platform.start():
        assert platform.command("backup", tmp_path / "backup.tar")[1] == 0
        assert platform.command("backup", tmp_path / "backup.tar")[1] == 2
        said, code = platform.command("restore", tmp_path / "backup.tar")
        assert (code, "Another process is using" in said) == (2, True)
        assert platform.command("resume") == ("0 jobs go on.\n", 0)
