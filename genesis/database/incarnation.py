"""A new incarnation: what becomes of the jobs and calls of a database that was brought back from a backup.

Nobody knows what the platform did after the backup was made. So no job goes on before somebody gives the word, and a paid
call that was under way is made again only where its provider charges once for a key.

SQL that SQLite and PostgreSQL read alike. Moments are put into it as numbers, by us.
"""

# ruff: noqa: S608  # only constants and numbers are put into SQL text

from enum import StrEnum

from genesis.database.rows import dump_failure
from genesis.database.states import HELD, IS_HELD, OPEN, WAITING
from genesis.domain.attempt import AttemptState, ProviderClass
from genesis.domain.failure import INTERRUPTED, Failure
from genesis.domain.identity import Milliseconds
from genesis.domain.price import CostSource
from genesis.errors import FailureClass


class Queued(StrEnum):
    """What becomes of the jobs that are not over."""

    HOLD = "hold"  # they wait for a word
    RUN = "run"
    CANCEL = "cancel"


RESTORED = Failure(
    "outcome-unknown",
    "A backup was restored that was made while the provider was working, so nobody knows whether the call was charged.",
    "Look at the provider's own records; retry the job with `resend` if nothing was made.",
    FailureClass.AMBIGUOUS,
)

_KEYS_KEPT = 24 * 3_600_000
"""Milliseconds for which a provider is trusted to know a key again."""


def _text(failure: Failure) -> str:
    return "'" + (dump_failure(failure) or "").replace("'", "''") + "'"


NOBODY_LIVES = "UPDATE executors SET state = 'dead' WHERE state = 'live'"

IN_DOUBT = (
    "SELECT attempts.id, attempts.call_key, steps.capability FROM attempts "
    "JOIN steps ON steps.job = attempts.job AND steps.name = attempts.step "
    f"WHERE attempts.state IN ({OPEN}) AND attempts.handle IS NULL "
    f"AND attempts.provider_class IN ('{ProviderClass.HANDLE}', '{ProviderClass.OPAQUE}') ORDER BY attempts.id"
)
"""Paid calls that were under way and can neither be asked for nor be made again: attempt, call key, capability."""


def close_repeatable(now: Milliseconds) -> str:
    """Ends the free calls that were under way; they are simply made again."""
    return (
        f"UPDATE attempts SET state = '{AttemptState.FAILED}', settled_at = {now}, failure = {_text(INTERRUPTED)}, "
        f"cost = 0, cost_source = '{CostSource.CATALOG}' "
        f"WHERE state IN ({OPEN}) AND provider_class = '{ProviderClass.REPEATABLE}'"
    )


def leave_unknown(now: Milliseconds, attempts: str) -> str:
    """Says of attempts, an SQL condition of their ids, that nobody knows what has become of them."""
    return (
        f"UPDATE attempts SET state = '{AttemptState.UNKNOWN}', settled_at = {now}, failure = {_text(RESTORED)} "
        f"WHERE {attempts}"
    )


def hold(backed_up_at: Milliseconds) -> str:
    """Makes all jobs that nobody runs wait for a word, with the time that they had left when the backup was made."""
    left = ", ".join(f"{name} = {name} - {backed_up_at} + {HELD}" for name in ("start_by", "finish_by"))
    return f"UPDATE jobs SET wake_at = wake_at + {HELD}, {left} WHERE {WAITING} AND wake_at < {HELD}"


def let_go(now: Milliseconds) -> str:
    """What is set in jobs that have waited for the word, so that they go on."""
    left = ", ".join(f"{name} = {name} - {HELD} + {now}" for name in ("start_by", "finish_by"))
    return f"wake_at = wake_at - {HELD}, {left}"


def give_up_old_keys(now: Milliseconds, jobs: str) -> str:
    """Leaves keyed calls of jobs, an SQL condition, unknown whose key the provider may have forgotten."""
    return leave_unknown(
        now,
        f"{jobs} AND state = '{AttemptState.INTENDED}' AND provider_class = '{ProviderClass.KEYED}' "
        f"AND handle IS NULL AND created_at < {now - _KEYS_KEPT}",
    )


def renew_calls(now: Milliseconds, jobs: str) -> str:
    """Gives calls of jobs, an SQL condition, that can be asked for or sent again the whole of their time once more."""
    return (
        f"UPDATE attempts SET not_after = not_after + {now} - created_at, call_deadline = call_deadline + {now} - created_at "
        f"WHERE {jobs} AND state IN ({OPEN}) AND (handle IS NOT NULL OR provider_class = '{ProviderClass.KEYED}')"
    )


COUNT_HELD = f"SELECT count(*) FROM jobs WHERE {IS_HELD}"
