"""What models think aloud before they answer, where their server does not keep it apart: `<think>…</think>` and then the
answer, as DeepSeek-R1 and Qwen3 write it behind a vLLM without `--reasoning-parser`, say."""

from dataclasses import replace
from enum import Enum

from genesis.errors import ProviderRejected
from genesis.providers.base import Done

_OPEN, _CLOSE = "<think>", "</think>"
_MOST_SPACE = 256
"""Characters of white space before thoughts."""
_LEFT_OUT = "What the model has thought before its answer was left out of the text."


class _State(Enum):
    UNKNOWN = "it is not known yet whether there are thoughts"
    THINKS = "thoughts have begun"
    THOUGHT = "thoughts are over, and nothing but white space has followed"
    ANSWER = "the answer has begun"


class AnswerOnly:
    """Lets an answer through, piece by piece, and holds back what stands before it.

    Attributes:
        has_thoughts: whether there was any.
    """

    def __init__(self) -> None:
        self.has_thoughts = False
        self._held = ""
        self._state = _State.UNKNOWN

    def feed(self, piece: str) -> str:
        """What is known to be of the answer."""
        if self._state is _State.ANSWER:
            return piece
        self._held += piece
        if self._state is _State.UNKNOWN:
            self._look_for_thoughts()
        if self._state is _State.THINKS:
            self._leave_out_thoughts()
        if self._state is _State.THOUGHT:
            self._held = self._held.lstrip()
            self._state = _State.ANSWER if self._held else _State.THOUGHT
        return self._let_go() if self._state is _State.ANSWER else ""

    def rest(self) -> str:
        """What was held back in vain, once nothing follows; thoughts that do not end are no answer."""
        if self._state is _State.THINKS:
            self.has_thoughts = True
            return ""
        return self._let_go()

    def _look_for_thoughts(self) -> None:
        begun = self._held.lstrip()
        may_begin = len(self._held) - len(begun) < _MOST_SPACE
        if may_begin and begun.startswith(_OPEN):
            self._held, self._state = begun.removeprefix(_OPEN), _State.THINKS
        elif not may_begin or not _OPEN.startswith(begun):
            self._state = _State.ANSWER

    def _leave_out_thoughts(self) -> None:
        thought, closed, after = self._held.partition(_CLOSE)
        if closed:
            self._state = _State.THOUGHT
        else:  # the tag may be under way
            thought, after = self._held[: 1 - len(_CLOSE)], self._held[1 - len(_CLOSE) :]
        self.has_thoughts = self.has_thoughts or bool(thought.strip())
        self._held = after

    def _let_go(self) -> str:
        held, self._held = self._held, ""
        return held


def without_thoughts(done: Done) -> Done:
    """A result with the answer alone, and a warning where something was left out.

    Raises:
        ProviderRejected: it holds thoughts and no answer.
    """
    reading = AnswerOnly()
    text = done.text or ""
    answer = reading.feed(text) + reading.rest()
    if not answer.strip():
        raise ProviderRejected(
            "The model has thought, but not answered.",
            hint="Raise options.max_tokens, leave `stop` out, or have the server keep thoughts apart.",
            cost=done.cost,
        )
    more = (_LEFT_OUT,) if reading.has_thoughts else ()
    return replace(done, text=answer, warnings=(*done.warnings, *more))
