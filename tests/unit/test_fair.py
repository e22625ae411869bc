"""Fair turns: nobody starves, and shares follow weights."""

from hypothesis import given
from hypothesis import strategies as st

from genesis.database.fair import Share, take_turns

NAMES = st.sampled_from("abcdefgh")
WEIGHTS = st.sampled_from([0.25, 0.5, 1.0, 2.0, 3.0, 10.0])


class Lane:
    """A lane whose state is kept between claims, as a database does."""

    def __init__(self, weights):
        self.weights = weights
        self.virtual_time = 0.0
        self.finish_tags = {}
        self.waiting = dict.fromkeys(weights, 0)

    def claim(self, limit):
        shares = [
            Share(name, weight, self.finish_tags.get(name, 0.0), self.waiting[name])
            for name, weight in self.weights.items()
        ]
        turns = take_turns(shares, self.virtual_time, limit)
        self.virtual_time = turns.virtual_time
        self.finish_tags |= turns.finish_tags
        for name in turns.order:
            self.waiting[name] -= 1
        return turns.order


def test_equals_take_turns_and_ties_go_to_the_lower_id():
    shares = [Share("b", 1.0, 0.0, 9), Share("a", 1.0, 0.0, 9)]
    assert take_turns(shares, 0.0, 5).order == ("a", "b", "a", "b", "a")


def test_tags_follow_the_rule():
    turns = take_turns([Share("a", 2.0, 7.0, 2), Share("b", 1.0, 1.0, 1)], 5.0, 9)
    assert turns.order == ("b", "a", "a")
    assert turns.finish_tags == {"b": 6.0, "a": 8.0}
    assert turns.virtual_time == 7.5


def test_nothing_waiting_changes_nothing():
    turns = take_turns([Share("a", 1.0, 3.0, 0)], 2.0, 5)
    assert (turns.order, turns.finish_tags, turns.virtual_time) == ((), {}, 2.0)


def test_who_comes_late_is_served_at_once_and_gets_no_credit():
    lane = Lane({"early": 1.0, "late": 1.0})
    lane.waiting["early"] = 1_000
    lane.claim(500)
    lane.waiting["late"] = 1_000
    order = lane.claim(100)
    assert "late" in order[:2]
    assert order.count("late") == 50


@given(st.dictionaries(NAMES, WEIGHTS, min_size=1), st.data())
def test_all_that_is_asked_for_and_there_is_given(weights, data):
    available = {name: data.draw(st.integers(0, 9)) for name in weights}
    limit = data.draw(st.integers(0, 60))
    shares = [Share(name, weight, 0.0, available[name]) for name, weight in weights.items()]
    order = take_turns(shares, 0.0, limit).order
    assert len(order) == min(limit, sum(available.values()))
    assert all(order.count(name) <= available[name] for name in weights)


@given(st.dictionaries(NAMES, WEIGHTS, min_size=2), st.integers(1, 7), st.integers(0, 300))
def test_shares_follow_weights_however_they_are_claimed(weights, portion, head):
    lane = Lane(weights)
    first = min(weights)
    lane.waiting[first] = head
    lane.claim(head)
    lane.waiting = dict.fromkeys(weights, 10_000)
    served = [name for _ in range(100) for name in lane.claim(portion)]
    # Start-time fair queueing: while two wait, their services by weight differ by no more than one job of each.
    services = {name: served.count(name) / weight for name, weight in weights.items()}
    for one, service in services.items():
        for other, other_service in services.items():
            assert abs(service - other_service) <= 1 / weights[one] + 1 / weights[other] + 1e-6


@given(st.dictionaries(NAMES, WEIGHTS, min_size=2), st.data())
def test_nobody_starves_whatever_the_others_do(weights, data):
    lane = Lane(weights)
    patient = data.draw(st.sampled_from(sorted(weights)))
    for _ in range(data.draw(st.integers(0, 20))):  # any history
        lane.waiting[data.draw(st.sampled_from(sorted(weights)))] += data.draw(st.integers(0, 5))
        lane.claim(data.draw(st.integers(0, 5)))
    lane.waiting[patient] = 1
    bound = sum(weight / weights[patient] + 2 for weight in weights.values())
    served = 0
    while lane.waiting[patient]:
        for name in weights:
            lane.waiting[name] = max(lane.waiting[name], 1 if name == patient else 5)
        served += len(lane.claim(1))
        assert served <= bound
