"""All benchmarks that a promise depends on, one after the other: `python -m benchmarks`, or `make bench`.

Ends with 1 when a promise falls short, after all of them have run.
"""

import asyncio
import sys

import uvloop

from benchmarks import jobs, latency, ledger, media, memory, scale
from benchmarks.harness.report import Promise, conclude

_PARTS = (jobs, latency, ledger, scale, memory, media)


def main() -> None:
    promises: list[Promise] = []
    failed = []
    for part in _PARTS:
        name = part.__name__.removeprefix("benchmarks.")
        print(f"\n## {name}\n", flush=True)
        try:
            promises += uvloop.run(part.main([]))
        except (RuntimeError, OSError, asyncio.CancelledError) as error:
            print(f"{name} could not be measured: {error}", file=sys.stderr)
            failed.append(name)
    print("\n## promises")
    conclude(promises, failed)


if __name__ == "__main__":
    main()
