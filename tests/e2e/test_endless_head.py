"""A request whose head does not end is refused, however the server was started."""

import contextlib
import select
import socket
import time

import httpx2
import pytest

from tests.support.processes import free_port, server, uvicorn

BOUNDED = {"UVICORN_HTTP": "genesis.transport.server:BoundedHttpProtocol"}


@pytest.mark.parametrize("app", [None, "gateway.main:app", "workers.llm.main:app"])
def test_a_head_without_end_is_refused(tmp_path, app):
    port = free_port()
    started = uvicorn(tmp_path, app, port, **BOUNDED) if app else server(tmp_path, port)
    with started as process, socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n")
        connection.setblocking(False)
        deadline = time.monotonic() + 20
        while not select.select([connection], [], [], 0.001)[0]:
            assert time.monotonic() < deadline
            with contextlib.suppress(BlockingIOError):
                connection.send(b"A: b\r\n" * 1_000)
        answer = connection.recv(65_536)
        assert answer.startswith(b"HTTP/1.1 431 ")
        assert b'"code":"request-header-fields-too-large"' in answer
        assert httpx2.get(process.url + "/health").status_code == 200
