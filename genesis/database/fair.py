"""Fair turns between organizations: start-time fair queueing, one instance per lane.

Goyal, Vin, Cheng: "Start-time Fair Queueing" (1996), with jobs of equal length: each job gets a start tag, the lowest is
served first, and its finish tag is the start tag of the organization's next job. The lane's virtual time is the start tag
served last; an organization that comes back from idling starts there, so that idling earns no credit.
"""

import heapq
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

CANDIDATES = 16
"""Organizations that are considered at a time: those with the lowest start tags."""


@dataclass(frozen=True, slots=True)
class Share:
    """An organization that has waiting jobs in a lane.

    Attributes:
        weight: how many jobs it gets for each of an organization of weight 1.
        finish_tag: of the job served last; 0 if there was none.
        available: how many of its jobs may be taken now.
    """

    organization: str
    weight: float
    finish_tag: float
    available: int


@dataclass(frozen=True, slots=True)
class Turns:
    """Who was served.

    Attributes:
        order: the organization of each job, in the order in which they are served.
        finish_tags: the new ones, of those who were served.
        virtual_time: of the lane afterwards.
    """

    order: tuple[str, ...]
    finish_tags: Mapping[str, float]
    virtual_time: float


def take_turns(shares: Iterable[Share], virtual_time: float, limit: int) -> Turns:
    """Serves up to `limit` jobs, one at a time, each time the lowest start tag; ties go to the lower id."""
    by_id = {share.organization: share for share in shares}
    tags = [
        (max(virtual_time, share.finish_tag), share.organization) for share in by_id.values() if share.available > 0
    ]
    heapq.heapify(tags)
    served: dict[str, int] = {}
    finish_tags: dict[str, float] = {}
    order: list[str] = []
    while tags and len(order) < limit:
        start, organization = tags[0]
        share = by_id[organization]
        finish = start + 1 / share.weight
        order.append(organization)
        served[organization] = served.get(organization, 0) + 1
        finish_tags[organization] = finish
        virtual_time = start
        if served[organization] < share.available:
            heapq.heapreplace(tags, (finish, organization))
        else:
            heapq.heappop(tags)
    return Turns(tuple(order), finish_tags, virtual_time)
