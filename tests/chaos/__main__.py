"""`python -m tests.chaos`: many processes, blows and faults by a seed, on each database; prints the table.

The exit code is 1 when anything is wrong. The logs of a run that went wrong are kept.
"""

import argparse
import asyncio
import logging
import random
import shutil
import sys
import tempfile
from pathlib import Path

from tests.chaos.plan import DATABASES, Scale, draw
from tests.chaos.run import run
from tests.chaos.table import Result, table


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__.partition("\n")[0])
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000), help="draws the plan; by chance")
    parser.add_argument("--database", choices=DATABASES, action="append", help="one of them only")
    parser.add_argument("--jobs", type=int, default=2_600, help="on each database")
    parser.add_argument("--kills", type=int, default=55, help="on each database")
    parser.add_argument("--stalls", type=int, default=12, help="on each database")
    parser.add_argument("--seconds", type=float, default=220.0, help="over which jobs and blows are spread")
    parser.add_argument("--quiet-seconds", type=float, default=300.0, help="to come to rest afterwards")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", stream=sys.stderr)
    scale = Scale(arguments.jobs, arguments.kills, arguments.stalls, arguments.seconds)
    say(f"seed {arguments.seed}")
    results = [_result(arguments, scale, database) for database in arguments.database or DATABASES]
    say(table(results))
    wrong = any(result.problems for result in results)
    say("SOMETHING IS WRONG" if wrong else "All is well.")
    return int(wrong)


def say(text: str) -> None:
    """To whoever sits before the screen."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _result(arguments: argparse.Namespace, scale: Scale, database: str) -> Result:
    folder = Path(tempfile.mkdtemp(prefix=f"chaos-{database}-"))
    say(f"{database}: logs in {folder}")
    plan = draw(arguments.seed, database, scale)
    result = asyncio.run(run(plan, folder, quiet_seconds=arguments.quiet_seconds))
    if not result.problems:
        shutil.rmtree(folder)
    return result


if __name__ == "__main__":
    sys.exit(main())
