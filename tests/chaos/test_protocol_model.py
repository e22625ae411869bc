"""The engine's protocol, lines 8 to 13, tried exhaustively in small; and that each of its rules is needed."""

import pytest

from tests.chaos.protocol_explorer import explore
from tests.chaos.protocol_model import RULES, Model
from tests.chaos.protocol_world import Limits

SMALL = Limits(attempts=2, claims=2, crashes=1, retries=1)
MORE_CLAIMS = SMALL._replace(claims=3)

NEEDED = {
    "decisions need the fence": ("opaque", "I7", {}),
    "evidence needs no fence": ("opaque", "I5", {"receipts": False}),
    "a call begins before not_after": ("opaque", "I5", {}),
    "one call per key while another is open": ("opaque", "I3", {}),
    "unknown is not resent": ("opaque", "I3", {}),
    "a retry waits for open attempts": ("opaque", "I3", {"limits": MORE_CLAIMS}),
    "only success of a zombie counts for a key that others may send": ("keyed", "I4", {}),
    "a refused resend proves nothing": ("keyed", "I4", {}),
    "a doubt about a key is final only after the deadline": ("keyed", "I5", {}),
    "nothing is sent again after the deadline": ("keyed", "I5", {}),
    "a handle is asked for before anything is sent anew": ("handle", "I3", {}),
    "a job of which something has come is not queued again": ("opaque", "a job is queued", {}),
}


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("provider_class", "receipts"), [("repeatable", False), ("keyed", True), ("handle", False), ("opaque", False)]
)
def test_nothing_goes_wrong_whatever_happens(provider_class, receipts):
    worlds, wrong, story = explore(Model(provider_class, receipts=receipts, limits=SMALL))
    assert not wrong, f"{wrong}: {'; '.join(story)}"
    assert worlds > 10_000, "too little was tried to show anything"


@pytest.mark.timeout(300)
@pytest.mark.parametrize("rule", sorted(RULES))
def test_each_rule_is_needed(rule):
    provider_class, expected, more = NEEDED[rule]
    _, wrong, story = explore(Model(provider_class, RULES - {rule}, **({"limits": SMALL} | more)))
    assert wrong.startswith(expected), f"without this rule nothing went wrong, or something else: {wrong} {story}"
