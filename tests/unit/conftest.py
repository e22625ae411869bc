"""Unit tests reach no network."""

import pytest
from pytest_socket import disable_socket, enable_socket


@pytest.fixture(autouse=True)
def _no_sockets():
    disable_socket(allow_unix_socket=True)  # event loops wake themselves through a socket pair
    yield
    enable_socket()
