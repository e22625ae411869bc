"""What holds for every test."""

import logging

import pytest


@pytest.fixture(autouse=True)
def _own_log_level():
    """A gateway that a test starts sets the level of this process's log; the next test begins with the usual one."""
    root = logging.getLogger()
    before = root.level
    yield
    root.setLevel(before)
