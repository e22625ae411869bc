"""The lock beside the database file: holding it proves that every earlier owner of jobs is dead."""

import fcntl
import os
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from genesis.errors import Misconfigured


class DatabaseLock:
    """An exclusive lock on `DB.lock`; the system releases it when the process ends, however it ends.

    Args:
        database: the database file.
        wait_seconds: how long to wait for another process to let go.
    """

    def __init__(self, database: Path, *, wait_seconds: float = 5.0) -> None:
        database = database.resolve()  # links lead to one file, which wants one lock
        self._path = database.with_name(database.name + ".lock")
        self._wait_seconds = wait_seconds
        self._descriptor: int | None = None

    def __enter__(self) -> Self:
        """Takes the lock.

        Raises:
            Misconfigured: another process keeps it, or the folder cannot be written to.
        """
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise Misconfigured(
                f"The database folder {self._path.parent} cannot be used: {error.strerror}.",
                hint="Set DB_PATH to a file in a folder that this process may write to.",
            ) from error
        deadline = time.monotonic() + self._wait_seconds
        while not _locked(descriptor):
            if time.monotonic() > deadline:
                os.close(descriptor)
                raise Misconfigured(
                    f"Another process is using the database {self._path.with_suffix('')}.",
                    hint="SQLite serves one process at a time. Stop the other one, give this one its own DB_PATH, "
                    "or set DATABASE_URL to a PostgreSQL database to run several.",
                )
            time.sleep(0.05)
        self._descriptor = descriptor
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
