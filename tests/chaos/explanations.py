"""Why nobody knows what came of an attempt: each unknown one needs a cause that the run itself has brought about."""

import os
import re
from collections.abc import Sequence

from tests.chaos.cluster import FAULT_RATE
from tests.chaos.faults import Outage
from tests.chaos.invariants import Remains
from tests.chaos.ledger import Row
from tests.support.paid_provider import PaidProvider

_MARK = re.compile(r"\[fault:([a-z-]+)")
_MOST_REQUESTS = 10
"""That one prompt may have led to."""
_MARGIN = 1_500
"""Milliseconds before and after an outage in which its effects begin and end."""
_WORKERS = {"text": "worker-llm", "image": "worker-image"}
_HARMLESS = {"", "pending", "rate-limited", "unavailable", "refused"}
_WITHOUT_TRACE = ("reset", "error")
"""Faults that leave the caller in doubt and no line in the journal, as nothing was charged."""


class Explainer:
    """Finds the cause of unknown attempts."""

    def __init__(self, seed: int, remains: Remains, outages: Sequence[Outage]) -> None:
        self._seed = seed
        self._outages = outages
        self._jobs = {job["id"]: job for job in remains.books.jobs}
        self._steps = {(step["job"], step["name"]): step for step in remains.books.steps}
        self._faults = {line["key"]: line["fault"] for line in remains.journal}
        self._cancels = remains.memory.cancels_asked

    def cause(self, attempt: Row) -> str | None:
        """In a few words; None where there is none."""
        code = (attempt["failure"] or {}).get("code")
        if code == "attempt-canceled" and attempt["job"] in self._cancels:
            return "canceled by a client"
        if fault := self._provider_fault(attempt):
            return f"provider: {fault}"
        if outage := self._outage(attempt):
            return f"{outage.blow} of {outage.process.partition('-')[0]}"
        return None

    def _provider_fault(self, attempt: Row) -> str | None:
        if (fault := self._faults.get(attempt["call_key"])) and fault not in _HARMLESS:
            return fault
        prompt = self._prompt(attempt)
        if mark := _MARK.search(prompt):
            return None if mark[1] in _HARMLESS else mark[1]
        provider = PaidProvider(os.devnull, str(self._seed), FAULT_RATE)
        drawn = {provider.fault(attempt["provider_class"], prompt)[0] for _ in range(_MOST_REQUESTS)}
        if attempt["call_key"] in self._faults:
            return None
        return next((fault for fault in _WITHOUT_TRACE if fault in drawn), None)

    def _prompt(self, attempt: Row) -> str:
        job = self._jobs[attempt["job"]]
        text = str(job["inputs"]["text"])
        if attempt["step"] == "enhance":
            return f"Light, colors and mood for: {text}, {job['options'].get('style')} style"
        enhanced = self._steps.get((attempt["job"], "enhance"))
        if attempt["step"] == "draw" and enhanced is not None and enhanced["output"]:
            return f"{text}, {enhanced['output']['text']}"
        return text

    def _outage(self, attempt: Row) -> Outage | None:
        worker = _WORKERS[self._steps[attempt["job"], attempt["step"]]["capability"]]
        for outage in self._outages:
            concerned = outage.process == worker or not outage.process.startswith("worker")
            overlaps = (
                outage.began <= attempt["settled_at"] + _MARGIN and attempt["created_at"] <= outage.ended + _MARGIN
            )
            if concerned and overlaps:
                return outage
        return None
