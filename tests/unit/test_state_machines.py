import pytest

from genesis.domain import attempt, job, step

MACHINES = [
    (job.TRANSITIONS, job.JobStatus.QUEUED, {job.JobStatus.COMPLETED}),
    (step.TRANSITIONS, step.StepState.WAITING, {step.StepState.DONE}),
    (
        attempt.TRANSITIONS,
        attempt.AttemptState.INTENDED,
        {attempt.AttemptState.SUCCEEDED, attempt.AttemptState.FAILED, attempt.AttemptState.NOT_SENT},
    ),
]


@pytest.mark.parametrize(("table", "start", "ends"), MACHINES)
def test_every_state_is_reached_and_only_ends_are_final(table, start, ends):
    assert set(table) == set(type(start))
    reached, frontier = {start}, [start]
    while frontier:
        for following in table[frontier.pop()] - reached:
            reached.add(following)
            frontier.append(following)
    assert reached == set(table)
    assert {state for state, following in table.items() if not following} == set(ends)


def test_only_a_retry_by_hand_leads_back():
    assert job.TRANSITIONS[job.JobStatus.FAILED] == job.TRANSITIONS[job.JobStatus.CANCELED] == {job.JobStatus.QUEUED}
    assert step.TRANSITIONS[step.StepState.FAILED] == step.TRANSITIONS[step.StepState.SKIPPED]
    assert step.TRANSITIONS[step.StepState.FAILED] == {step.StepState.WAITING}
