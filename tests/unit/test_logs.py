"""What stands in the log for people."""

import logging

import pytest

from genesis.logs import configure_logging
from genesis.settings import Settings


@pytest.fixture
def handler():
    root = logging.getLogger()
    before = root.handlers[:]
    configure_logging(Settings(log_format="text"))
    yield root.handlers[0]
    root.handlers[:] = before


def test_a_callers_path_begins_no_line(handler):
    forged = "GET /storage/x\n12:00:00 INFO all is well\x00\x1b[2J 404"
    record = logging.LogRecord("gateway", logging.INFO, "", 0, "%s für dich", (forged,), None)
    line = handler.format(record)
    assert line.isprintable()
    assert "x\\n12:00:00 INFO all is well\\x00\\x1b[2J 404 für dich" in line


def test_a_trace_keeps_its_lines(handler):
    try:
        int("no")
    except ValueError as error:
        record = logging.LogRecord("gateway", logging.ERROR, "", 0, "it failed", (), (type(error), error, None))
    assert handler.format(record).splitlines()[-1].startswith("ValueError: invalid literal")
