"""Structured logs: one JSON object a line, or text for people, with the request's id where there is one."""

import logging
import logging.config
from contextvars import ContextVar

from genesis.settings import Settings

request_id: ContextVar[str] = ContextVar("request_id", default="")
"""The id of the request that is being answered."""


class _AddRequestId(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = request_id.get()
        return True


class _TextFormatter(logging.Formatter):
    """Lines for people; what a caller sends, such as a path, begins none of its own."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  # the name is the library's
        line = super().formatMessage(record)
        if line.isprintable():
            return line
        return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in line)


def configure_logging(settings: Settings) -> None:
    """Sets up logging for this process."""
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "filters": {"request": {"()": _AddRequestId}},
            "formatters": {
                "json": {
                    "()": "pythonjsonlogger.json.JsonFormatter",
                    "fmt": "%(asctime)s %(levelname)s %(name)s %(message)s %(request_id)s",
                    "rename_fields": {"asctime": "time", "levelname": "level", "name": "logger"},
                    "datefmt": "%Y-%m-%dT%H:%M:%S%z",
                },
                "text": {
                    "()": _TextFormatter,
                    "fmt": "%(asctime)s %(levelname)-7s %(message)s",
                    "datefmt": "%H:%M:%S",
                },
            },
            "handlers": {
                "stderr": {
                    "class": "logging.StreamHandler",
                    "formatter": settings.log_format,
                    "filters": ["request"],
                }
            },
            "root": {"level": settings.log_level, "handlers": ["stderr"]},
            # Uvicorn's own access log knows no request id; the gateway writes its own.
            "loggers": {
                "uvicorn": {"handlers": [], "propagate": True},
                "uvicorn.access": {"level": "WARNING", "handlers": [], "propagate": True},
                "alembic": {"level": "WARNING"},
            },
        }
    )
