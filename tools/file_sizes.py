"""Fails when a source file is longer than the project allows: a limit that exists first keeps every file readable."""

import subprocess
import sys
from pathlib import Path

LIMITS = {".py": 400, ".ts": 250, ".tsx": 250}
GENERATED = {"frontend/src/api/schema.d.ts", "sdk/genesis_client/models.py"}
"""Files that a tool writes; nobody reads them from top to bottom."""


def main() -> int:
    """Prints the files that are too long and returns 1 if there are any."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],  # noqa: S607
        check=True,
        capture_output=True,
        text=True,
    ).stdout.splitlines()
    too_long = [
        f"{name}: {lines} lines, at most {limit} are allowed"
        for name in listed
        if (limit := LIMITS.get(Path(name).suffix)) and name not in GENERATED and Path(name).exists()
        if (lines := len(Path(name).read_text(encoding="utf-8").splitlines())) > limit
    ]
    print("\n".join(too_long), end="\n" if too_long else "")  # noqa: T201
    return 1 if too_long else 0


if __name__ == "__main__":
    sys.exit(main())
