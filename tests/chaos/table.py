"""What a chaos run has come to, and the table that shows it."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tests.chaos.clients import Memory
from tests.chaos.explanations import Explainer
from tests.chaos.faults import Outage
from tests.chaos.invariants import Remains, violations
from tests.chaos.plan import Blow, Plan

_SHOWN = 10
"""Violations of one kind that are shown."""


@dataclass(frozen=True, slots=True)
class Result:
    """One run.

    Attributes:
        wrong: violations by the name of the check.
        unknown: unknown attempts by their cause.
        blows: how many of each kind hit which kind of process.
        crashes_survived: jobs that ended although an owner of theirs had died.
        notes: what else is worth knowing, by name.
    """

    plan: Plan
    statuses: Mapping[str, int]
    accepted: int
    wrong: Mapping[str, Sequence[str]]
    unknown: Mapping[str, int]
    blows: Mapping[str, int]
    kills: int
    crashes_survived: int
    seconds: float
    notes: Mapping[str, object] = field(default_factory=dict)

    @property
    def problems(self) -> list[str]:
        """All that is wrong."""
        return [problem for problems in self.wrong.values() for problem in problems]


def judged(plan: Plan, remains: Remains, outages: Sequence[Outage], seconds: float) -> Result:
    """The result of a run."""
    explainer = Explainer(plan.seed, remains, outages)
    causes = [
        (attempt, explainer.cause(attempt)) for attempt in remains.books.attempts if attempt["state"] == "unknown"
    ]
    unexplained = [
        f"attempt {attempt['number']} of step {attempt['step']} of job {attempt['job']} with {attempt['target']} is "
        f"unknown for no cause: {attempt['failure']}"
        for attempt, cause in causes
        if cause is None
    ]
    memory = remains.memory
    accepted = len({job for ids in memory.jobs.values() for job in ids}) + sum(memory.sizes.values())
    return Result(
        plan=plan,
        statuses=Counter(job["status"] for job in remains.books.jobs),
        accepted=accepted,
        wrong={**violations(remains), "surprised": list(memory.surprises), "unexplained": unexplained},
        unknown=Counter(cause or "none" for _, cause in causes),
        blows=Counter(f"{outage.blow} {outage.process.partition('-')[0]}" for outage in outages),
        kills=sum(outage.blow is Blow.KILL for outage in outages),
        crashes_survived=sum(job["crash_count"] > 0 for job in remains.books.jobs),
        seconds=seconds,
        notes=_notes(memory, remains),
    )


def _notes(memory: Memory, remains: Remains) -> dict[str, object]:
    attempts = Counter(f"{row['provider_class']} {row['state']}" for row in remains.books.attempts)
    failures = Counter(row["failure"]["code"] for row in remains.books.jobs if row["failure"])
    return {
        "answers to clients": _listed(memory.answers),
        "attempts": _listed(attempts),
        "jobs failed by": _listed(failures),
        "charges": len(remains.journal),
        "events": len(remains.books.events),
        "cancels, retries, resends asked": (
            f"{len(memory.cancels_asked)}, {len(memory.retries_asked)}, {len(memory.resends_asked)}"
        ),
    }


_ROWS = {
    "lost (I1)": ("lost",),
    "doubled paid calls (I2, I3)": ("charged_twice", "sent_anew", "paid_again"),
    "paid and denied (I4, I5)": ("denied", "unclaimed"),
    "repeated done steps (I6)": ("done_again",),
    "decided twice (I7)": ("decided_twice",),
    "seq gaps (I8)": ("gaps",),
    "events missed or repeated (I9)": ("missed",),
    "sums that differ (I10)": ("miscounted",),
    "stuck (I11)": ("stuck",),
    "unaccounted (I12)": ("unaccounted",),
    "wrong outputs": ("spoiled",),
    "unexpected answers": ("surprised",),
}


def table(results: Sequence[Result]) -> str:
    """All runs side by side."""
    lines: list[tuple[str, ...]] = [
        ("", *(result.plan.database for result in results)),
        ("accepted", *(str(result.accepted) for result in results)),
        *((status, *(str(result.statuses.get(status, 0)) for result in results)) for status in _STATUSES),
    ]
    for name, checks in _ROWS.items():
        lines.append((name, *(str(sum(len(result.wrong[check]) for check in checks)) for result in results)))
    lines.append(("unknown attempts", *(str(sum(result.unknown.values())) for result in results)))
    lines.append(("… without a cause", *(str(len(result.wrong["unexplained"])) for result in results)))
    lines.append(("jobs whose owner died", *(str(result.crashes_survived) for result in results)))
    lines.append(("kills", *(str(result.kills) for result in results)))
    lines.append(("seconds", *(f"{result.seconds:.0f}" for result in results)))
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    text = "\n".join(_row(line, widths) for line in lines)
    return "\n\n".join((text, *(details(result) for result in results)))


_STATUSES = ("completed", "failed", "canceled")


def _row(line: Sequence[str], widths: Sequence[int]) -> str:
    first, *rest = zip(line, widths, strict=True)
    return "  ".join((first[0].ljust(first[1]), *(cell.rjust(width) for cell, width in rest)))


def details(result: Result) -> str:
    """What one run met, and what is wrong."""
    lines = [f"{result.plan.database}, seed {result.plan.seed}", f"  blows: {_listed(result.blows)}"]
    lines += [f"  {name}: {value}" for name, value in result.notes.items()]
    lines.append(f"  causes of unknown attempts: {_listed(result.unknown)}")
    for problems in result.wrong.values():
        lines += [f"  WRONG {problem}" for problem in problems[:_SHOWN]]
        if len(problems) > _SHOWN:
            lines.append(f"  … and {len(problems) - _SHOWN} more")
    return "\n".join(lines)


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(counts.items()))
