"""Which jobs that executors have died of run together, apart from all others (line 22 of the protocol).

What ran on a machine that goes down twice is suspected as a whole, though hardly ever guilty. Tested in groups that become
smaller with each death, the innocent are found soon (Dorfman, "The Detection of Defective Members of Large Populations",
1943).
"""

from collections import Counter
from collections.abc import Mapping, Sequence

from genesis.domain.job import SUSPECT_CRASHES, Job

_TOGETHER = (16, 4)
"""How many run together after the second death of their executors, and after the third; then each runs alone."""
MOST_TOGETHER = max(_TOGETHER)


def next_group(suspects: Sequence[Job], room: Mapping[str, int]) -> list[Job]:
    """The oldest suspect and, in order of age, those with as many deaths that may run beside it.

    Args:
        room: how many more jobs the organizations may run that have a limit.
    """
    first, *others = sorted(suspects, key=lambda job: job.id)
    together = dict(enumerate(_TOGETHER, SUSPECT_CRASHES)).get(first.crash_count, 1)
    group, taken = [first], Counter([first.organization])
    for job in others:
        fits = job.organization not in room or taken[job.organization] < room[job.organization]
        if fits and job.crash_count == first.crash_count and len(group) < together:
            group.append(job)
            taken[job.organization] += 1
    return group
