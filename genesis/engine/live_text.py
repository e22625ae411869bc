"""The text that attempts are writing now, kept for those who begin to read in the middle of it."""

from collections import OrderedDict
from collections.abc import Collection
from dataclasses import dataclass

from genesis.ports.signals import TextDelta

_MOST_CHARACTERS = 8_000_000
"""Characters of all texts together; those that were written to the longest ago go first."""


@dataclass(slots=True)
class LiveText:
    """What one attempt has written.

    Attributes:
        offset: characters before `text` that nobody here has seen, or that were dropped.
        written: when the last piece came, in seconds of the caller's clock.
    """

    organization: str
    job: str
    step: str
    attempt: str
    offset: int
    text: str
    written: float

    @property
    def end(self) -> int:
        """Characters that the attempt has written so far."""
        return self.offset + len(self.text)

    def after(self, offset: int) -> TextDelta | None:
        """What follows these characters; None when nothing does."""
        if offset >= self.end:
            return None
        start = max(offset, self.offset)
        text = self.text[start - self.offset :]
        return TextDelta(self.organization, self.job, self.step, self.attempt, start, text)


class LiveTexts:
    """The newest text of each step that is being written."""

    def __init__(self) -> None:
        self._texts: OrderedDict[str, dict[str, LiveText]] = OrderedDict()
        self._characters = 0

    def of(self, job: str) -> Collection[LiveText]:
        """The texts of a job's steps."""
        return self._texts.get(job, {}).values()

    def add(self, delta: TextDelta, now: float) -> None:
        """Takes a piece. One of an older attempt is dropped, and so is what is known already; after a gap the text
        begins anew at the piece."""
        texts = self._texts.setdefault(delta.job, {})
        known = texts.get(delta.step)
        if known is not None and delta.attempt < known.attempt:  # ids of attempts sort by time
            return
        if known is None or known.attempt != delta.attempt or delta.offset > known.end:
            self._characters += len(delta.text) - (len(known.text) if known else 0)
            texts[delta.step] = LiveText(
                delta.organization, delta.job, delta.step, delta.attempt, delta.offset, delta.text, now
            )
        else:
            news = delta.text[known.end - delta.offset :]
            known.text += news
            known.written = now
            self._characters += len(news)
        self._texts.move_to_end(delta.job)
        while self._characters > _MOST_CHARACTERS:
            self._drop(next(iter(self._texts)))

    def forget(self, before: float) -> None:
        """Drops the texts of jobs that nothing was written to since."""
        while self._texts:
            job, texts = next(iter(self._texts.items()))
            if any(text.written >= before for text in texts.values()):
                return
            self._drop(job)

    def _drop(self, job: str) -> None:
        self._characters -= sum(len(text.text) for text in self._texts.pop(job).values())
