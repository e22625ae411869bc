"""A gibibyte up and in ranges down through a running platform, and uploads that are killed in the middle."""

import hashlib
import itertools
import os
import socket
import time
from pathlib import Path

import httpx2
import pytest

from tests.support.processes import free_port, server

MIB = 1024 * 1024
SIZE_MIB = 1024
MOST_GROWTH_MIB = 96
# 16-bit mono at 44.1 kHz; a file that is made as a stream says that it is as long as can be.
HEADER = bytes.fromhex("52494646ffffff7f57415645666d7420100000000100010044ac0000885801000200100064617461dbffff7f")


def recording(mebibytes):
    """Pieces of a recording of this size, each another."""
    noise = os.urandom(MIB)
    yield HEADER + noise[len(HEADER) :]
    for number in range(1, mebibytes):
        yield number.to_bytes(8, "little") + noise[8:]


def resident_mib(pid, kind="VmRSS"):
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(kind)) / 1024


@pytest.fixture
def platform(tmp_path):
    with server(tmp_path, free_port()) as process:
        yield process


def contents(folder):
    """All that is in the store, half-written contents among it."""
    return [path for path in (folder / "storage").rglob("*") if path.is_file() and ".receipts" not in path.parts]


@pytest.mark.timeout(180)
def test_a_gibibyte(platform, tmp_path):
    digest = hashlib.sha256()

    def sent():
        for piece in recording(SIZE_MIB):
            digest.update(piece)
            yield piece

    with httpx2.Client(base_url=platform.url, timeout=120) as client:
        client.post("/files", content=b"".join(recording(1))).raise_for_status()
        before = resident_mib(platform.pid)
        answer = client.post("/files", params={"name": "long.wav"}, content=sent())
        assert answer.status_code == 201, answer.text
        file = answer.json()
        assert file["size"] == SIZE_MIB * MIB
        assert file["sha256"] == digest.hexdigest()

        start = 700 * MIB + 12_345
        part = client.get(file["url"], headers={"Range": f"bytes={start}-{start + 2 * MIB - 1}"})
        assert part.status_code == 206
        assert part.headers["content-range"] == f"bytes {start}-{start + 2 * MIB - 1}/{SIZE_MIB * MIB}"
        assert part.content[MIB - 12_345 :][:8] == (701).to_bytes(8, "little")
        last = client.get(file["url"], headers={"Range": "bytes=-8"})
        assert last.content == client.get(file["url"], headers={"Range": f"bytes={SIZE_MIB * MIB - 8}-"}).content

        whole = hashlib.sha256()
        with client.stream("GET", file["url"]) as stream:
            for piece in stream.iter_bytes():
                whole.update(piece)
        assert whole.hexdigest() == digest.hexdigest()
        assert resident_mib(platform.pid, "VmHWM") - before < MOST_GROWTH_MIB


def test_a_sender_that_goes_away_leaves_nothing(platform, tmp_path):
    with socket.create_connection(("127.0.0.1", int(platform.url.rpartition(":")[2]))) as connection:
        head = f"POST /files HTTP/1.1\r\nHost: localhost\r\nContent-Length: {64 * MIB}\r\n\r\n"
        connection.sendall(head.encode())
        for piece in itertools.islice(recording(64), 16):
            connection.sendall(piece)
    deadline = time.monotonic() + 20
    while contents(tmp_path):
        assert time.monotonic() < deadline, contents(tmp_path)
        time.sleep(0.1)
    assert httpx2.get(f"{platform.url}/files").json() in ([], {"files": []})


def test_what_a_kill_in_the_middle_leaves_is_no_file(tmp_path):
    port = free_port()
    with server(tmp_path, port) as process, socket.create_connection(("127.0.0.1", port)) as connection:
        head = f"POST /files HTTP/1.1\r\nHost: localhost\r\nContent-Length: {64 * MIB}\r\n\r\n"
        connection.sendall(head.encode())
        for piece in itertools.islice(recording(64), 8):
            connection.sendall(piece)
        deadline = time.monotonic() + 20
        while not contents(tmp_path):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        process.kill()
    assert all(path.name.startswith(".") for path in contents(tmp_path))
    with server(tmp_path, port) as process, httpx2.Client(base_url=process.url) as client:
        assert not client.get("/files").json()
        file = client.post("/files", content=b"".join(recording(1))).json()
        assert client.get(file["url"]).status_code == 200
