"""A server that is told to stop ends the streams that are open, rather than wait for them."""

import time
from contextlib import ExitStack

import httpx2
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from tests.support.processes import free_port, server, uvicorn


@pytest.mark.parametrize("way", ["launcher", "uvicorn"])
def test_open_streams_do_not_delay_the_end(tmp_path, way):
    port = free_port()
    env = {"GENESIS_FAKE_DELAY_MS": "0", "DRAIN_SECONDS": "30"}
    process = server(tmp_path, port, **env) if way == "launcher" else uvicorn(tmp_path, "gateway.main:app", port, **env)
    with ExitStack() as stack:
        stack.enter_context(process)
        client = stack.enter_context(httpx2.Client(base_url=process.url, timeout=60))
        response = stack.enter_context(client.stream("GET", "/events"))
        opened = stack.enter_context(connect(process.url.replace("http", "ws") + "/events"))
        lines = response.iter_lines()
        assert next(lines) == "retry: 1000"
        opened.recv(timeout=20)
        started = time.monotonic()
        assert process.stop() in (0, -15)
        assert time.monotonic() - started < 20
        assert [line for line in lines if line and not line.startswith(("id:", ":"))] == []
        with pytest.raises(ConnectionClosed):
            opened.recv(timeout=20)
        assert opened.close_code == 1012
    assert "Cancel" not in process.log
