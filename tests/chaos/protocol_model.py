"""A model of the engine's protocol, lines 8 to 13, small enough to try everything: one job of one step, two executors,
a worker, a provider, a person; crashes, pauses and takeovers anywhere.

Time is whatever may happen: `not_after` and the call's deadline pass at any moment that they can pass. An executor that
does nothing for long is a paused one. Each rule of the protocol has a name and can be taken away.
"""

from collections.abc import Iterator

from tests.chaos.protocol_world import OPEN, Attempt, Executor, Limits, World

RULES = frozenset(
    {
        "decisions need the fence",
        "evidence needs no fence",
        "a call begins before not_after",
        "one call per key while another is open",
        "unknown is not resent",
        "a retry waits for open attempts",
        "only success of a zombie counts for a key that others may send",
        "a refused resend proves nothing",
        "a doubt about a key is final only after the deadline",
        "nothing is sent again after the deadline",
        "a handle is asked for before anything is sent anew",
        "a job of which something has come is not queued again",
    }
)
CLASSES = ("repeatable", "keyed", "handle", "opaque")
_MOVES = {"intended": "pending succeeded failed not_sent unknown", "pending": "succeeded failed unknown"}
_MOVES["unknown"] = "succeeded failed"


Step = tuple[str, World]
_IDLE = Executor()


class Model:
    """All that may happen next."""

    def __init__(
        self,
        provider_class: str,
        rules: frozenset[str] = RULES,
        *,
        receipts: bool = True,
        limits: Limits = Limits(),  # noqa: B008  # a named tuple
    ) -> None:
        self.free = provider_class == "repeatable"
        self.keyed = provider_class == "keyed"
        self.queued = provider_class == "handle"
        self.receipts = receipts and provider_class in ("keyed", "opaque")
        self.rules = rules
        self.limits = limits

    def following(self, world: World) -> Iterator[Step]:
        """Each thing that may happen, with the world after it."""
        yield from self._people(world)
        for number, executor in enumerate(world.executors):
            yield from self._executor(world, number, executor)
        for number, attempt in enumerate(world.attempts):
            yield from self._time(world, number, attempt)
            yield from self._worker(world, number, attempt)
            if world.status in ("done", "failed") and attempt.state in OPEN:
                yield from self._reconciler(world, number, attempt)
        if world.crashes < self.limits.crashes and any(one.call or one.memory for one in world.attempts):
            yield "the worker crashes", self._worker_crashed(world)

    def _people(self, world: World) -> Iterator[Step]:
        if world.status in ("queued", "running") and world.owner < 0:
            yield "somebody cancels", world._replace(status="failed", epoch=world.epoch + 1)
        if world.status != "failed" or world.generation >= self.limits.retries:
            return
        if "a retry waits for open attempts" in self.rules and any(one.state in OPEN for one in world.attempts):
            return
        again = world._replace(status="queued", epoch=world.epoch + 1, generation=world.generation + 1)
        if any(one.state == "unknown" and one.generation == world.generation for one in world.attempts):
            yield "somebody retries and resends", again._replace(resends=world.resends + 1)
        else:
            yield "somebody retries", again

    # Executors

    def _executor(self, world: World, me: int, executor: Executor) -> Iterator[Step]:
        if executor.doing == "idle":
            yield from self._claim(world, me)
        elif world.crashes < self.limits.crashes:
            yield f"{me} crashes", _does(world, me, _IDLE)._replace(crashes=world.crashes + 1)
        if world.owner == me and world.status == "running":
            yield f"the lease of {me} ends", world._replace(owner=-1, epoch=world.epoch + 1)
        yield from self._goes_on(world, me, executor)

    def _goes_on(self, world: World, me: int, executor: Executor) -> Iterator[Step]:
        match executor.doing:
            case "decide":
                yield f"{me} looks at the job", self._decided(world, me)
            case "send":
                yield from self._send(world, me, executor)
            case "sent":
                yield from self._arrive(world, me, executor)
            case "joined":
                yield from self._hear(world, me, executor)
            case "doubt":
                yield from self._doubt(world, me, executor)
            case "poll":
                yield f"{me} polls", self._learns(world, me, "result")
                if world.attempts[executor.attempt].dead:
                    yield f"{me} has polled long enough", self._learns(world, me, "doubt")
            case "ask":
                yield f"{me} asks by the handle", self._learns(world, me, "result")
                asked = _does(world, me, executor._replace(doing="decide", attempt=-1, asked=True))
                yield f"{me} asks in vain", self._decided(asked, me)
            case "settle":
                yield f"{me} settles", self._settle(world, me, executor)

    def _owns(self, world: World, me: int, executor: Executor) -> bool:
        return world.status == "running" and (world.owner, world.epoch) == (me, executor.epoch)

    def _claim(self, world: World, me: int) -> Iterator[Step]:
        """The intent of a first call is part of the claim."""
        if world.status not in ("queued", "running") or world.owner >= 0 or world.epoch >= 2 * self.limits.claims:
            return
        claimed = world._replace(status="running", owner=me, epoch=world.epoch + 1)
        yield f"{me} claims", self._decided(_does(claimed, me, Executor("decide", claimed.epoch)), me)

    def _decided(self, world: World, me: int) -> World:
        """What the owner does about the last attempt."""
        executor = world.executors[me]
        if not world.attempts:
            return self._intend(world, me)
        number = len(world.attempts) - 1
        last = world.attempts[number]
        takes_up = executor._replace(attempt=number, again=True)
        match last.state:
            case "succeeded":
                return self._ends(world, me, "done")
            case "unknown" if last.handle and not executor.asked and self._asks:
                return _does(world, me, executor._replace(doing="ask", attempt=number))
            case "unknown":
                if last.generation < world.generation or "unknown is not resent" not in self.rules:
                    return self._intend(world, me)
                return self._ends(world, me, "failed")
            case "intended" | "pending" if "one call per key while another is open" not in self.rules:
                return self._intend(world, me)
            case "intended" if self.free:
                return self._intend(_attempt(world, number, last._replace(state="failed")), me)
            case "intended":
                return _does(world, me, takes_up._replace(doing="doubt"))
            case "pending":
                return _does(world, me, takes_up._replace(doing="poll"))
        return self._intend(world, me)

    def _ends(self, world: World, me: int, status: str) -> World:
        return _does(world, me, _IDLE)._replace(status=status, owner=-1, epoch=world.epoch + 1)

    def _intend(self, world: World, me: int) -> World:
        """Records the next attempt; what must not happen is noted."""
        if len(world.attempts) >= self.limits.attempts:
            return self._ends(world, me, "failed")
        wrong = ""
        if any(one.state == "succeeded" for one in world.attempts):
            wrong = "I6: a done step runs again"
        if not self.free and any(one.state in OPEN for one in world.attempts):
            wrong = "I3: a new call key while another is open"
        if not self.free and any(
            one.state == "unknown" and (one.generation == world.generation or not world.resends)
            for one in world.attempts
        ):
            wrong = "I3: a new call key while another is unresolved"
        if any(one.state == "unknown" and one.handle for one in world.attempts) and not world.executors[me].asked:
            wrong = "I3: a new call key although the handle of an earlier one was not asked for"
        number = len(world.attempts)
        world = world._replace(attempts=(*world.attempts, Attempt(generation=world.generation)), wrong=wrong)
        return _does(world, me, Executor("send", world.executors[me].epoch, number))

    def _send(self, world: World, me: int, executor: Executor) -> Iterator[Step]:
        """Sends what is durable, unless its time or the lease is over; the second cannot be known for certain."""
        yield f"{me} withholds its call", self._learns(world, me, "withheld")
        if not world.attempts[executor.attempt].late or "a call begins before not_after" not in self.rules:
            yield f"{me} sends", _does(world, me, executor._replace(doing="sent"))

    def _arrive(self, world: World, me: int, executor: Executor) -> Iterator[Step]:
        """A request reaches the worker, or is lost on its way."""
        yield f"the connection of {me} breaks", _does(world, me, executor._replace(doing="doubt"))
        attempt = world.attempts[executor.attempt]
        joined = _does(world, me, executor._replace(doing="joined"))
        if attempt.call in ("running", "paid") or (attempt.memory and not (self.keyed and attempt.memory == "doubt")):
            yield f"{me} joins the call", joined
        elif attempt.receipt:
            yield f"{me} finds the receipt", self._learns(world, me, "result")
        elif self._is_too_late(attempt, executor):
            yield f"{me} is too late", self._learns(world, me, "too late")
        else:
            yield f"{me} finds the worker busy", self._learns(world, me, "busy")
            begun = attempt._replace(call="running", memory="")
            yield f"{me} makes the call", _attempt(joined, executor.attempt, begun)

    def _is_too_late(self, attempt: Attempt, executor: Executor) -> bool:
        """A resend has a `not_after` of its own."""
        return attempt.late and not executor.again and "a call begins before not_after" in self.rules

    def _hear(self, world: World, me: int, executor: Executor) -> Iterator[Step]:
        """The worker's word; none when it has crashed."""
        attempt = world.attempts[executor.attempt]
        if attempt.memory:
            yield f"{me} hears {attempt.memory}", self._learns(world, me, attempt.memory)
        elif attempt.call not in ("running", "paid"):
            yield f"{me} hears nothing", _does(world, me, executor._replace(doing="doubt"))
        yield f"{me} loses the worker", _does(world, me, executor._replace(doing="doubt"))

    def _doubt(self, world: World, me: int, executor: Executor) -> Iterator[Step]:
        """Line 13's table: what may be done about a call of which nobody knows what came."""
        attempt = world.attempts[executor.attempt]
        if self.free:
            yield f"{me} gives a free call up", self._learns(world, me, "refused")
            return
        if attempt.dead and not attempt.receipt and not attempt.memory:
            yield f"{me} has waited long enough", self._learns(world, me, "unknown")
        if attempt.state not in OPEN:
            yield f"{me} reads that it is settled", self._learns(world, me, attempt.state)
        if self.keyed:
            if not attempt.dead or "nothing is sent again after the deadline" not in self.rules:
                yield f"{me} sends again", _does(world, me, executor._replace(doing="sent", again=True))
            elif attempt.memory == "result" or attempt.receipt:
                yield f"{me} recalls", self._learns(world, me, "result")
            return
        if attempt.memory or attempt.call in ("running", "paid"):
            yield f"{me} recalls", _does(world, me, executor._replace(doing="joined"))
        elif attempt.receipt:
            yield f"{me} finds the receipt", self._learns(world, me, "result")

    def _learns(self, world: World, me: int, what: str) -> World:
        executor = world.executors[me]
        in_doubt = what == "doubt" and self.keyed and not world.attempts[executor.attempt].dead
        refused_again = what in ("refused", "too late", "busy") and executor.again and self.keyed
        if in_doubt or (refused_again and "a refused resend proves nothing" in self.rules):
            return _does(world, me, executor._replace(doing="doubt"))
        return _does(world, me, executor._replace(doing="settle", learned=what))

    def _settle(self, world: World, me: int, executor: Executor) -> World:
        """Writes what was learned as evidence and, as the owner, decides what follows."""
        decides = self._owns(world, me, executor) or "decisions need the fence" not in self.rules
        state = _STATES.get(executor.learned, executor.learned)
        number = executor.attempt
        attempt = world.attempts[number]
        if executor.learned == "result":
            attempt = attempt._replace(heard=True)
        counts = decides or (
            "evidence needs no fence" in self.rules
            and not (self.keyed and state in ("failed", "not_sent") and self._zombies_prove_little)
        )
        if counts and state in _MOVES.get(attempt.state, ""):
            attempt = attempt._replace(state=state, handle=attempt.handle or state == "pending")
        world = _attempt(world, number, attempt)
        if not decides:
            return _does(world, me, _IDLE)
        if world.owner != me or world.epoch != executor.epoch:
            world = world._replace(wrong="I7: somebody decides who does not own the job")
        match state:
            case "not_sent" if executor.learned == "busy" and self._may_be_queued(world):
                return self._queued_again(world, me)
            case "pending":
                return _does(world, me, executor._replace(doing="poll", learned=""))
            case "succeeded":
                return self._ends(world, me, "done")
            case "unknown" if "unknown is not resent" in self.rules:
                return self._ends(world, me, "failed")
        return self._intend(world, me)

    def _may_be_queued(self, world: World) -> bool:
        """Whether nothing has come of a job but refusals; a retry begins it anew."""
        if "a job of which something has come is not queued again" not in self.rules:
            return True
        return all(one.state == "not_sent" or one.generation < world.generation for one in world.attempts)

    def _queued_again(self, world: World, me: int) -> World:
        begun = any(one.state != "not_sent" and one.generation == world.generation for one in world.attempts)
        wrong = "a job is queued of which something has come" if begun else world.wrong
        return self._ends(world, me, "queued")._replace(wrong=wrong)

    @property
    def _asks(self) -> bool:
        return "a handle is asked for before anything is sent anew" in self.rules

    @property
    def _zombies_prove_little(self) -> bool:
        return "only success of a zombie counts for a key that others may send" in self.rules

    # The world around

    def _time(self, world: World, number: int, attempt: Attempt) -> Iterator[Step]:
        if self.free or attempt.state not in OPEN:
            return
        if not attempt.late:
            yield f"not_after of {number} passes", _attempt(world, number, attempt._replace(late=True))
        under_way = attempt.call or any(
            executor.doing == "sent" and executor.attempt == number for executor in world.executors
        )
        if attempt.late and not attempt.dead and not under_way:
            yield f"the deadline of {number} passes", _attempt(world, number, attempt._replace(dead=True))

    def _worker(self, world: World, number: int, attempt: Attempt) -> Iterator[Step]:
        if attempt.call == "running":
            yield "the provider refuses", _attempt(world, number, attempt._replace(call="", memory="refused"))
            yield "the provider is not reached", _attempt(world, number, attempt._replace(call="", memory="doubt"))
            if self.free:
                yield "the model answers", _attempt(world, number, attempt._replace(call="", memory="result"))
                return
        if attempt.call in ("running", "adrift"):
            after = "paid" if attempt.call == "running" else ""
            charges = 1 if self.keyed else attempt.charges + 1
            yield "the provider charges", _attempt(world, number, attempt._replace(call=after, charges=charges))
        if attempt.call == "adrift":
            yield "nothing comes of it", _attempt(world, number, attempt._replace(call=""))
        if attempt.call == "paid":
            answered = attempt._replace(call="", memory="handle" if self.queued else "result", receipt=self.receipts)
            yield "the provider answers", _attempt(world, number, answered)
            yield "the answer is lost", _attempt(world, number, attempt._replace(call="", memory="doubt"))

    def _worker_crashed(self, world: World) -> World:
        """A request that was under way may still come to something."""
        after = tuple(
            one._replace(call="adrift" if one.call == "running" and not self.free else "", memory="")
            for one in world.attempts
        )
        return world._replace(attempts=after, crashes=world.crashes + 1)

    def _reconciler(self, world: World, number: int, attempt: Attempt) -> Iterator[Step]:
        """Asks what became of an attempt that has outlived its job; it sends nothing."""

        def closed(state: str) -> Step:
            return f"reconciled as {state}", _attempt(world, number, attempt._replace(state=state))

        if self.free:
            yield closed("failed")
        elif attempt.state == "pending" or attempt.memory == "result" or attempt.receipt:
            yield closed("succeeded")
        elif attempt.memory == "handle":
            yield closed("pending")
        elif attempt.memory == "refused" and not (self.keyed and "a refused resend proves nothing" in self.rules):
            yield closed("failed")
        elif attempt.dead or (attempt.memory == "doubt" and not self._waits_for_deadline):
            yield closed("unknown")

    @property
    def _waits_for_deadline(self) -> bool:
        return self.keyed and "a doubt about a key is final only after the deadline" in self.rules


_STATES = {
    "result": "succeeded",
    "handle": "pending",
    "refused": "failed",
    "withheld": "not_sent",
    "too late": "not_sent",
    "busy": "not_sent",
    "doubt": "unknown",
}


def _does(world: World, number: int, executor: Executor) -> World:
    before = world.executors
    return world._replace(executors=(*before[:number], executor, *before[number + 1 :]))


def _attempt(world: World, number: int, attempt: Attempt) -> World:
    before = world.attempts
    return world._replace(attempts=(*before[:number], attempt, *before[number + 1 :]))
