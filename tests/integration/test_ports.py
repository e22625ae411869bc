"""The ports that tests give to servers."""

import socket

import pytest

from tests.support.processes import free_port


def test_a_port_stays_with_whom_it_was_given_to():
    port = free_port()
    with socket.socket() as stranger, pytest.raises(OSError, match="in use"):
        stranger.bind(("127.0.0.1", port))  # as the kernel does for a socket that asks for any port
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))
    with socket.create_server(("127.0.0.1", port)) as server, socket.create_connection(("127.0.0.1", port)):
        server.accept()[0].close()
