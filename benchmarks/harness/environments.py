"""Virtual environments of those Genesis is compared with, made from locked requirements when first needed."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def environment(name: str) -> Path:
    """The `bin` folder of the environment that requirements/bench-NAME.txt describes.

    It lies in the user's cache under the lock's digest, so that a changed lock makes a new one.
    """
    lock = ROOT / "requirements" / f"bench-{name}.txt"
    digest = hashlib.sha256(lock.read_bytes() + sys.version.encode()).hexdigest()[:12]
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "genesis-benchmarks"
    folder = cache / f"{name}-{digest}"
    if not (folder / "complete").exists():
        print(f"installing {lock.name} …", file=sys.stderr)
        uv = Path(sys.executable).parent / "uv"
        subprocess.run([uv, "venv", "--quiet", "--clear", "--python", sys.executable, folder], check=True)
        python = folder / "bin" / "python"
        subprocess.run(
            [uv, "pip", "install", "--quiet", "--require-hashes", "--python", python, "-r", lock], check=True
        )
        (folder / "complete").touch()
    return folder / "bin"
