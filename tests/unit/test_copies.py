"""Copies of immutable values."""

import dataclasses
from dataclasses import dataclass, field

import pytest

from genesis.domain.attempt import Attempt, AttemptState, ProviderClass
from genesis.domain.copies import replace
from genesis.domain.job import Job, JobStatus
from genesis.domain.pipeline import Pipeline
from genesis.domain.step import Step, StepState

ATTEMPT = Attempt("a", "s", 1, "k", "p:m", ProviderClass.OPAQUE, 5, usage={"n": 1})
STEP = Step("s", "text", output={"text": "x"})
JOB = Job("j", "o", "p", {"text": "x"}, {}, Pipeline("p", 1, "", (), (), {}), 5, steps=(STEP,), attempts=(ATTEMPT,))


@pytest.mark.parametrize(
    ("value", "changes"),
    [
        (ATTEMPT, {"state": AttemptState.FAILED, "settled_at": 7}),
        (STEP, {"state": StepState.DONE, "output": None}),
        (JOB, {"status": JobStatus.RUNNING, "owner": "e", "epoch": 1}),
        (JOB, {}),
    ],
)
def test_a_copy_is_what_dataclasses_make_of_it(value, changes):
    before = repr(value)
    copy = replace(value, **changes)
    assert copy == dataclasses.replace(value, **changes)
    assert copy is not value
    assert type(copy) is type(value)
    assert repr(value) == before


def test_what_is_no_field_is_refused():
    with pytest.raises(TypeError, match="has no field 'nmae'"):
        replace(STEP, nmae="x")


@dataclass(frozen=True)
class Loose:
    one: int = 1
    two: int = 2


@dataclass(frozen=True, slots=True)
class Checked:
    one: int = 1
    two: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Checks its values."""


@pytest.mark.parametrize("value", [Loose(), Checked()])
def test_what_cannot_be_copied_by_its_slots_is_refused(value):
    with pytest.raises(TypeError, match="cannot be copied"):
        replace(value, one=3)
