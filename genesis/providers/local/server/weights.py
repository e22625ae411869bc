"""Finds the weight files in the installed packages and makes sure that they are the pinned ones."""

import hashlib
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from genesis.providers.local.models import WeightFile


class WrongWeights(OSError):
    """A weight file is missing or is not the pinned one."""


@cache
def verified(file: WeightFile) -> Path:
    """Where a weight file is; its hash is computed once per process.

    Its package is found without being imported, since some import what is not installed.

    Raises:
        WrongWeights: it is missing, or its SHA-256 differs.
    """
    path = _located(file)
    with path.open("rb") as stream:
        found = hashlib.file_digest(stream, "sha256").hexdigest()
    if found != file.sha256:
        raise WrongWeights(
            f"{file.package}/{file.path} has the SHA-256 {found}, not {file.sha256}. Reinstall requirements/offline.txt."
        )
    return path


def _located(file: WeightFile) -> Path:
    spec = find_spec(file.package)
    if spec is not None and spec.origin is not None:
        path = Path(spec.origin).parent / file.path
        if path.is_file():
            return path
    raise WrongWeights(f"{file.package}/{file.path} is missing. Install requirements/offline.txt.")
