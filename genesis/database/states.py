"""The state machines of the domain as pieces of SQL, which SQLite and PostgreSQL read alike."""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import TypeVar

from genesis.domain import attempt as attempts
from genesis.domain import job as jobs
from genesis.domain import step as steps
from genesis.domain.attempt import AttemptState
from genesis.domain.step import StepState

State = TypeVar("State", bound=StrEnum)


def sql_list(words: Iterable[str]) -> str:
    """Words as what stands in the brackets of SQL's `IN`."""
    return ", ".join(f"'{word}'" for word in sorted(words))


def before(transitions: Mapping[State, frozenset[State]], state: State) -> str:
    """The states that may precede a state, as what stands in the brackets of `IN`."""
    return sql_list(earlier for earlier, following in transitions.items() if state in following)


def moves(transitions: Mapping[State, frozenset[State]], *staying: State) -> str:
    """All allowed moves, each as `from>to`, as what stands in the brackets of `IN`.

    With it one constant statement guards every move: `WHERE (state || '>' || :new) IN (…)`.

    Args:
        staying: states in which a row may also be written anew.
    """
    pairs = [(earlier, later) for earlier, following in transitions.items() for later in following]
    return sql_list(f"{earlier}>{later}" for earlier, later in [*pairs, *((state, state) for state in staying)])


def is_among(move: str, allowed: str) -> str:
    """That a move is allowed, for SQLite: it would put the words of an `IN` into a table of their own at each execution.

    Args:
        move: an expression for it.
        allowed: as `moves` writes them.
    """
    words = allowed.replace("'", "|")
    return f"instr('{words}', '|' || {move} || '|') > 0"


TERMINAL = sql_list(jobs.TERMINAL)
"""Statuses of jobs that are over."""
OPEN = sql_list(attempts.OPEN)
"""States of attempts that are under way."""
SETTLED = sql_list(steps.SETTLED)
"""States of steps that are over."""

JOB_ENDS = moves({status: following & jobs.TERMINAL for status, following in jobs.TRANSITIONS.items()})
ATTEMPT_MOVES = moves(attempts.TRANSITIONS, AttemptState.PENDING, AttemptState.UNKNOWN)
"""How evidence may change an attempt; that it is pending may be said again, and what an unknown one cost told later."""
STEP_MOVES = moves(
    {state: following for state, following in steps.TRANSITIONS.items() if state not in steps.SETTLED},
    StepState.WAITING,
    StepState.RUNNING,
)
"""How a job's owner may change a step: one that is over stays as it is."""

WAITING = "owner IS NULL AND status IN ('queued', 'running')"
"""Jobs that nobody runs and that are not over; the words of the partial indexes."""
CLAIMABLE = f"{WAITING} AND wake_at = 0 AND crash_count < {jobs.SUSPECT_CRASHES}"
SUSPECT = f"{WAITING} AND wake_at = 0 AND crash_count >= {jobs.SUSPECT_CRASHES}"
SLEEPING = f"{WAITING} AND wake_at > 0"
HELD = 10**15
"""Added to the `wake_at` of jobs that wait for a word, so that nothing wakes them: no moment is so far away. What is added to
it is the time until which they would sleep, or 0; their deadlines are it and the time that they have left."""
IS_HELD = f"{SLEEPING} AND wake_at >= {HELD}"
IN_DOUBT = f"attempts.state = '{AttemptState.UNKNOWN}' AND attempts.handle IS NOT NULL"
"""Attempts whose outcome is unknown and can be asked for; the words of the partial index."""
