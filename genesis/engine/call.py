"""One attempt's exchange with its worker, until there is a final word; it writes nothing."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass, replace
from typing import Any

from genesis.domain.attempt import Attempt, ProviderClass
from genesis.engine.choice import NOT_AFTER_MILLISECONDS
from genesis.engine.deltas import DeltaSender
from genesis.engine.retry import LONGEST_PAUSE_SECONDS
from genesis.engine.surroundings import Surroundings
from genesis.errors import (
    AttemptCanceled,
    CallFailed,
    FailureClass,
    InputRejected,
    OutcomeUnknown,
    ProviderAmbiguous,
    WorkerBusy,
    WorkerLost,
    WorkerUnavailable,
)
from genesis.ports.workers import Call, CallPending, CallResult

logger = logging.getLogger(__name__)

_ASK_AGAIN_SECONDS = 1.0
_LONGEST_QUESTION_SECONDS = 10.0
_LONGEST_PATIENCE_SECONDS = 15.0
_NO_WORD = (WorkerUnavailable, WorkerLost, WorkerBusy)
"""Answers to a question about a call that say nothing about the call."""

OnPending = Callable[[CallPending], Awaitable[None]]


class StillOpen(Exception):
    """Nobody knows yet what became of the call; to be asked again after some seconds."""

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.seconds = seconds


@dataclass(frozen=True, slots=True)
class Exchange:
    """A call and all that its exchange needs.

    Attributes:
        on_pending: makes the handle durable; the provider is asked only after that.
        deltas: where pieces of text go; None for calls that do not write any.
    """

    around: Surroundings
    attempt: Attempt
    call: Call
    on_pending: OnPending
    deltas: DeltaSender | None = None

    async def made(self) -> CallResult:
        """Makes the call and returns its result.

        Raises:
            CallFailed: what became of it.
            StillOpen: it may be under way elsewhere.
        """
        try:
            return await self._until_known(self._made())
        finally:
            if self.deltas is not None:
                self.deltas.flush()  # all of the text comes before the word that it is complete

    async def _made(self) -> CallResult:
        try:
            answer = await self.around.workers.generate(self.call, self.deltas)
        except (WorkerLost, ProviderAmbiguous) as error:
            match self.attempt.provider_class:
                case ProviderClass.KEYED:
                    answer = await self._sent_again()
                case ProviderClass.HANDLE | ProviderClass.OPAQUE if isinstance(error, WorkerLost):
                    answer = await self._asked()
                case _:
                    raise
        return await self._finished(answer)

    async def resumed(self) -> CallResult:
        """Finds out what became of a call that somebody else made; one of a keyed provider is sent again.

        Raises:
            CallFailed: what became of it.
            StillOpen: it is not known yet.
        """
        if self.attempt.provider_class is ProviderClass.KEYED and self.attempt.handle is None:
            return await self._until_known(self._resent())
        return await self.looked_for()

    async def _resent(self) -> CallResult:
        return await self._finished(await self._sent_again())

    async def looked_for(self) -> CallResult:
        """Asks once what became of a call; it is not sent again.

        Raises:
            CallFailed: what became of it.
            StillOpen: it is not known yet.
        """
        return await self._until_known(self._looked_for())

    async def replaced(self) -> CallResult:
        """As `looked_for`, before another call is made in this one's place: who still works on it is told to stop.

        Raises:
            CallFailed, StillOpen: as there.
        """
        try:
            return await self.looked_for()
        except OutcomeUnknown:
            try:
                async with asyncio.timeout(_LONGEST_QUESTION_SECONDS):
                    await self.around.workers.cancel(self.call.capability, self.attempt.id, self.attempt.handle)
            except (CallFailed, TimeoutError) as error:
                logger.warning("attempt %s: the cancel did not reach the worker: %s", self.attempt.id, error)
            raise

    async def _until_known(self, result: Coroutine[Any, Any, CallResult]) -> CallResult:
        """Keeps in mind when the call ends, as long as nobody knows what has become of it."""
        ends = self.around.call_ends
        ends.note(self.attempt)
        try:
            known = await result
        except CallFailed:
            ends.forget(self.attempt)
            raise
        ends.forget(self.attempt)
        return known

    async def _looked_for(self) -> CallResult:
        handle = self.attempt.handle
        try:
            answer = await self._asked() if handle is None else await self._polled(handle)
        except CallFailed as error:
            if self.attempt.provider_class is not ProviderClass.KEYED:
                raise
            # What is remembered may be about one sending of several, and somebody may be about to send again.
            raise (_unknown() if self._is_over else StillOpen(self._patience)) from error
        if isinstance(answer, CallResult):
            return answer
        if answer.handle != handle:
            await self.on_pending(answer)
        raise StillOpen(min(max(answer.wait_seconds, _ASK_AGAIN_SECONDS), LONGEST_PAUSE_SECONDS))

    async def _sent_again(self) -> CallResult | CallPending:
        """The provider charges once for a call key, so that asking again with the same one is safe.

        An earlier sending may have been charged: a refusal of this one that does not speak of the key proves nothing. Its
        text is not told piece by piece: some of it may have been told before.
        """
        while True:
            if self._is_over:
                return await self._last_word()
            call = replace(self.call, not_after=self.around.machine.now() + NOT_AFTER_MILLISECONDS)
            try:
                return await self.around.workers.generate(call)
            except CallFailed as error:
                about_the_key = error.failure is FailureClass.FINAL and not isinstance(error, InputRejected)
                if about_the_key or isinstance(error, AttemptCanceled):
                    raise
                await asyncio.sleep(max(error.retry_after or 0.0, _ASK_AGAIN_SECONDS))

    async def _last_word(self) -> CallResult | CallPending:
        """What a worker knows of a key that is not sent any more; a refusal speaks of one sending of several."""
        try:
            return await self._asked()
        except CallFailed as error:
            raise _unknown() from error

    async def _asked(self) -> CallResult | CallPending:
        """What the worker knows of the call. Another worker may have it, so that only time tells that nobody does."""
        try:
            async with asyncio.timeout(_LONGEST_QUESTION_SECONDS):
                answer = await self.around.workers.recall(self.call)
        except (*_NO_WORD, TimeoutError) as error:
            self._check_deadline()
            raise StillOpen(self._patience) from error
        if answer is not None:
            return answer
        if self.around.ledger.exclusive and self.around.workers.shares_fate:
            raise _unknown()  # nobody else could have made it
        self._check_deadline()
        raise StillOpen(self._patience)

    @property
    def _patience(self) -> float:
        """Seconds until the next question: few at first, more for a call that has been in doubt for long."""
        return min(max(_ASK_AGAIN_SECONDS, self.around.call_ends.age(self.attempt) / 4), _LONGEST_PATIENCE_SECONDS)

    async def _finished(self, answer: CallResult | CallPending) -> CallResult:
        """Asks for the result of a pending call until there is one."""
        handle: Mapping[str, Any] | None = None
        while isinstance(answer, CallPending):
            if answer.handle != handle:
                await self.on_pending(answer)
                handle = answer.handle
            await asyncio.sleep(min(answer.wait_seconds, LONGEST_PAUSE_SECONDS))
            answer = await self._polled(handle)
        return answer

    async def _polled(self, handle: Mapping[str, Any]) -> CallResult | CallPending:
        try:
            answer = await self.around.workers.poll(self.call, handle)
        except _NO_WORD:
            answer = CallPending(handle, _ASK_AGAIN_SECONDS)
        if isinstance(answer, CallPending):
            self._check_deadline()
        return answer

    @property
    def _is_over(self) -> bool:
        return self.around.call_ends.is_over(self.attempt)

    def _check_deadline(self) -> None:
        if self._is_over:
            raise _unknown()


def _unknown() -> CallFailed:
    return OutcomeUnknown(
        "The call may have been made, and nobody can tell what became of it.",
        hint="Look at the provider's own records; retry the job with `resend` if nothing was made.",
    )
