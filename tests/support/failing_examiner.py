"""A child of the examiner that does with a file what the file says: as if a decoder had a hole."""

import ctypes
import json
import os
import resource
import sys
import time
from pathlib import Path

from genesis.domain.file import MediaDetails
from genesis.files import probing
from genesis.files.examination import Examination
from genesis.files.examining import main

LIMITS = {"memory": resource.RLIMIT_AS, "core": resource.RLIMIT_CORE, "files": resource.RLIMIT_NOFILE}


def examine(path: Path, media_type: str) -> Examination:  # noqa: C901 - one case for each thing that may happen
    match path.read_bytes()[:32]:
        case b"crash":
            ctypes.string_at(0)
        case b"hang":
            time.sleep(3600)
        case b"compute":
            while True:
                pass
        case b"fill":
            return Examination(problem=str(len(bytearray(3 * 1024**3))))
        case b"garbage":
            os.write(3, b"\x00\x00\x00\x02[]")
        case b"endless":
            os.write(3, b"\xff\xff\xff\xff")
        case b"odd":
            return Examination(MediaDetails(width="wide", thumbnails=("a",)))  # type: ignore[arg-type]
        case b"print":
            os.system("echo something that a library says")
            sys.stdout.write("and Python")
            sys.stdout.flush()
        case b"exit":
            os._exit(0)
        case b"surroundings":
            facts = {
                "environment": dict(os.environ),
                "niceness": os.nice(0),
                "limits": {name: resource.getrlimit(limit)[0] for name, limit in LIMITS.items()},
            }
            return Examination(problem=json.dumps(facts))
    return probing.examine(path, media_type)


if __name__ == "__main__":
    main(examine)
