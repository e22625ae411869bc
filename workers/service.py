"""One worker's service: what it can do, its slots, its calls under way, and what it remembers of those that are over."""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from genesis.capabilities.catalog import Capability
from genesis.domain.attempt import ProviderClass
from genesis.errors import (
    AttemptCanceled,
    CallFailed,
    FailureClass,
    GenesisError,
    InputRejected,
    ProviderAmbiguous,
    ProviderMisconfigured,
    ProviderRejected,
    StorageUnavailable,
    TooLate,
    Unavailable,
    WorkerBusy,
    WorkerUnavailable,
)
from genesis.net.words import presentable
from genesis.ports.clock import Clock
from genesis.ports.workers import Call, CallPending, CallResult, Link, OnDelta, ProviderDescription, WorkerDescription
from genesis.providers.base import Provider
from workers.channels import Channel, NoChannel
from workers.flights import Asked, Flight, Flights, Waiting
from workers.memory import CallMemory, Outcome, digest, recalled
from workers.parts import OWN_PROVIDER
from workers.receipts import Receipts
from workers.runner import CallRunner, Order

logger = logging.getLogger(__name__)

_BUSY_SECONDS = 1.0
_OTHER_CALL = "The call key belongs to another call."
_NEW_IDS = "Use new ids for a new call."


@dataclass(frozen=True, slots=True)
class _Plan:
    """What a flight does.

    Attributes:
        pending: what the provider has taken already.
        to_the_end: whether it asks for a pending result until it is there.
    """

    order: Order
    stream: bool = False
    pending: CallPending | None = None
    to_the_end: bool = False


class WorkerService:
    """One worker. There is one call per call key, whoever asks and whenever (protocol, line 8)."""

    def __init__(
        self,
        capability: Capability,
        channels: Mapping[str, tuple[Provider, Channel]],
        links: tuple[Link, ...],
        runner: CallRunner,
        receipts: Receipts,
        memory: CallMemory,
        *,
        slots: int,
        clock: Clock,
    ) -> None:
        self._capability = capability
        self._channels = channels
        self._links = links
        self._runner = runner
        self._parts = runner.parts
        self._receipts = receipts
        self._memory = memory
        self._slots_of_all = slots
        self.clock = clock
        self._in_use = dict.fromkeys((*channels, OWN_PROVIDER.name), 0)
        self._flights = Flights()

    @property
    def busy(self) -> int:
        """Calls under way."""
        return sum(self._in_use.values())

    def describe(self) -> WorkerDescription:
        """What this worker can do."""
        described = tuple(self._described(provider) for provider, _ in self._channels.values())
        return WorkerDescription(self._capability.worker, self._capability.name, described, self._links)

    async def generate(self, call: Call, on_delta: OnDelta | None = None) -> CallResult | CallPending:
        """Makes one call of one provider; the first configured one where the call names no model.

        A call whose key is under way or remembered is not made again. Whoever gives up waiting does not end it.

        Raises:
            CallFailed: any of its kinds; WorkerBusy when all slots are taken, or when the key or the attempt is under
                way with another call.
        """
        return await (await self.begin(call, on_delta)).result()

    async def complete(self, call: Call) -> CallResult:
        """As `generate`, for callers that do not poll: ends when the provider has a result.

        Raises:
            CallFailed: any of its kinds.
        """
        outcome = await (await self.begin(call, to_the_end=True)).result()
        while isinstance(outcome, CallPending):  # of a call that somebody else has begun, or that is remembered
            flight = self._flights.of_key(call.call_key)
            if flight is None:
                plan = _Plan(self._order(call, self._checked(call)), pending=outcome, to_the_end=True)
                flight = self._started(plan)
            self._flights.join(flight, call.attempt)
            outcome = await Waiting(flight.task, flight).result()
        return outcome

    async def begin(self, call: Call, on_delta: OnDelta | None = None, *, to_the_end: bool = False) -> Waiting:
        """Begins a call, or joins the one that is under way.

        Raises:
            CallFailed: nothing was begun, or the outcome is known already.
        """
        asked = self._checked(call)
        flight, other = self._flights.of_key(call.call_key), self._flights.of_attempt(call.attempt)
        if (flight is not None and flight.asked != asked) or other not in (None, flight):
            message = "The call key or the attempt is under way with another call."
            raise WorkerBusy(message, hint=_NEW_IDS, retry_after=_BUSY_SECONDS)
        if flight is None:
            order = self._order(call, asked)
            known = await self._known(order, late=bool(call.not_after and self.clock.now() > call.not_after))
            if known is not None:
                return Waiting.over(known)
            flight = self._flights.of_key(call.call_key) or self._started(
                _Plan(order, stream=on_delta is not None, to_the_end=to_the_end)
            )
        self._flights.join(flight, call.attempt)
        return Waiting(flight.task, flight, on_delta)

    async def poll(self, call: Call, handle: Mapping[str, Any]) -> CallResult | CallPending:
        """Asks the provider once for the result of a pending call.

        Args:
            call: its input may be left out; then the result is not remembered, for a call that comes again has to be
                compared with it.

        Raises:
            CallFailed: what became of the call; WorkerUnavailable says nothing about it.
        """
        if (entry := self._memory.find(call.call_key)) and _is_settled(entry.outcome):
            return recalled(entry.outcome)
        try:
            order = self._order(call, self._checked(call) if call.input else ({}, dict(call.options)))
        except CallFailed as error:  # of this worker, and not of the call
            raise WorkerUnavailable(error.message, hint=error.hint) from error
        try:
            outcome = await self._runner.poll(order, handle)
        except CallFailed as error:
            if call.input and not isinstance(error, WorkerUnavailable) and _is_settled(error):
                self._remember(order, error)
            raise
        if call.input:
            self._remember(order, outcome)
        return outcome

    async def recall(self, call: Call) -> CallResult | CallPending | None:
        """What became of a call, by its key; waits for one that is under way. None when nothing is known of it.

        Raises:
            CallFailed: what became of the call; WorkerUnavailable says nothing about it.
        """
        waiting = await self.recalling(call.call_key)
        return None if waiting is None else await waiting.result()

    async def recalling(self, call_key: str) -> Waiting | None:
        """As `recall`, without waiting yet."""
        if flight := self._flights.of_key(call_key):
            return Waiting(flight.task, flight)
        if entry := self._memory.find(call_key):
            return Waiting.over(recalled(entry.outcome))
        try:
            receipt = await self._receipts.find(call_key)
        except Unavailable as error:
            raise WorkerUnavailable(error.message, hint=error.hint) from error
        return Waiting.over(receipt[1]) if receipt else None

    async def cancel(self, attempt: str, handle: Mapping[str, Any] | None = None) -> None:
        """Gives up a call, for all attempts that wait for it; unknown attempts are ignored, since their calls are over.

        Args:
            handle: of a pending call, which the provider is then asked to give up.
        """
        if flight := self._flights.of_attempt(attempt):
            flight.given_up = True
            flight.task.cancel()
        if handle is not None and (known := self._channels.get(str(handle.get("provider")))):
            await self._runner.cancel(*known, handle)

    async def close(self) -> None:
        """Ends all calls under way; whoever waits for one learns that the worker is lost."""
        tasks = [flight.task for flight in self._flights]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _known(self, order: Order, *, late: bool) -> CallResult | CallPending | None:
        """What is known of a call that is not under way.

        Raises:
            CallFailed: that is known of it; TooLate where nothing is and it came too late.
        """
        entry = self._memory.find(order.call_key)
        if entry is not None and (late or not _may_be_sent_again(order, entry.outcome)):
            if entry.asked != digest(order.call_input, order.options):
                raise InputRejected(_OTHER_CALL, hint=_NEW_IDS)
            return recalled(entry.outcome)
        if not late:
            return None
        if (result := await self._by_receipt(order)) is not None:
            return result
        raise TooLate("The call reached the worker after its time.", hint="Are its clock and the engine's alike?")

    async def _by_receipt(self, order: Order) -> CallResult | None:
        """The result that a receipt of an earlier worker proves.

        Raises:
            StorageUnavailable: it cannot be looked up; nothing was sent.
            InputRejected: it is of another call.
        """
        if not self._runner.keeps_receipts(order.provider):
            return None
        try:
            receipt = await self._receipts.find(order.call_key)
        except Unavailable as error:
            raise StorageUnavailable(error.message, hint=error.hint) from error
        if receipt is None:
            return None
        if receipt[0] != digest(order.call_input, order.options):
            raise InputRejected(_OTHER_CALL, hint=_NEW_IDS)
        return receipt[1]

    def _started(self, plan: _Plan) -> Flight:
        order, name = plan.order, plan.order.provider.name
        slots = self._slots(order.provider)
        if self._in_use[name] >= slots:
            raise WorkerBusy(f"All {slots} slots of {name} are taken.", retry_after=_BUSY_SECONDS)
        flight = Flight(order.call_key, (dict(order.call_input), dict(order.options)))

        def ended(task: asyncio.Task[CallResult | CallPending]) -> None:
            self._in_use[name] -= 1
            self._flights.remove(flight)
            self._remember(order, _outcome(task))

        self._in_use[name] += 1
        self._flights.add(flight)
        flight.task = asyncio.create_task(self._run(plan, flight))
        flight.task.add_done_callback(ended)
        return flight

    async def _run(self, plan: _Plan, flight: Flight) -> CallResult | CallPending:
        order = plan.order
        try:
            outcome: CallResult | CallPending | None = plan.pending or await self._by_receipt(order)
            if outcome is None and order.provider is OWN_PROVIDER:
                outcome = await self._parts.submit(order.call_key, order.call_input, order.options)
            if outcome is None:
                outcome = await self._runner.submit(order, flight.tell if plan.stream else None)
            if isinstance(outcome, CallPending) and plan.to_the_end:
                return await self._waited(order, outcome)
            return outcome
        except CallFailed:
            raise
        except GenesisError as error:
            raise ProviderAmbiguous(error.message, hint=error.hint) from error
        except Exception as error:
            logger.exception("unexpected error in a call of %s", order.provider.name)
            raise ProviderAmbiguous(
                "The worker met an error of its own, so nobody knows whether the provider did the work.",
                hint="The worker's log has the details; please report it.",
            ) from error

    async def _waited(self, order: Order, pending: CallPending) -> CallResult:
        self._remember(order, pending)
        try:
            return await self._runner.wait(order, pending)
        except asyncio.CancelledError:
            await self._runner.cancel(order.provider, order.channel, pending.handle)
            raise

    def _remember(self, order: Order, outcome: Outcome) -> None:
        if order.provider.provider_class is not ProviderClass.REPEATABLE:
            self._memory.keep(order.call_key, digest(order.call_input, order.options), outcome)

    def _checked(self, call: Call) -> Asked:
        capability = self._capability
        own = self._parts.does(call.options.get("model"))
        input_model, options_model = self._parts.contract if own else (capability.input, capability.options)
        try:
            call_input = input_model.model_validate(call.input)
            options = options_model.model_validate(call.options)
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(str(part) for part in first["loc"])
            raise InputRejected(presentable(f"{place}: {first['msg']}")) from None
        return call_input.model_dump(mode="json"), options.model_dump(mode="json", exclude_none=True)

    def _order(self, call: Call, asked: Asked) -> Order:
        call_input, options = asked
        if self._parts.does(options.get("model")):
            model = options["model"].partition(":")[2]
            return Order(OWN_PROVIDER, model, NoChannel(), call.call_key, call_input, options)
        provider, model = self._target(options.get("model"))
        return Order(provider, model, self._channels[provider.name][1], call.call_key, call_input, options)

    def _target(self, model: str | None) -> tuple[Provider, str]:
        if model is None:
            first = next((link for link in self._links if not self._channels[link.provider][0].missing), None)
            if first is None:
                missing = "; ".join(f"{name}: {provider.missing}" for name, (provider, _) in self._channels.items())
                raise ProviderMisconfigured(f"No provider of {self._capability.name} is configured.", hint=missing)
            return self._target(first.target)
        name, _, model_name = model.partition(":")
        if name not in self._channels:
            raise ProviderRejected(
                f"There is no provider `{name}` here.", hint=f"There are {', '.join(self._channels)}."
            )
        provider = self._channels[name][0]
        if provider.missing:
            raise ProviderMisconfigured(f"Provider `{name}` is not configured.", hint=provider.missing)
        service = provider.services[self._capability.name]
        if model_name not in service.models and not service.any_model:
            known = ", ".join(service.models)
            raise ProviderRejected(f"Provider `{name}` has no model `{model_name}`.", hint=f"It has {known}.")
        return provider, model_name

    def _described(self, provider: Provider) -> ProviderDescription:
        service = provider.services[self._capability.name]
        return ProviderDescription(
            name=provider.name,
            configured=not provider.missing,
            missing=provider.missing,
            models=service.models,
            any_model=service.any_model,
            provider_class=provider.provider_class,
            slots=self._slots(provider),
            longest_text=service.longest_text,
            longest_audio_seconds=service.longest_audio_seconds,
            list_prices=provider.list_prices,
        )

    def _slots(self, provider: Provider) -> int:
        return provider.slots or self._slots_of_all


def _may_be_sent_again(order: Order, outcome: Outcome) -> bool:
    """Whether a resend is no second call: the provider itself knows the key, and nobody knows the outcome."""
    in_doubt = isinstance(outcome, CallFailed) and outcome.failure is FailureClass.AMBIGUOUS
    return in_doubt and order.provider.provider_class is ProviderClass.KEYED


def _is_settled(outcome: Outcome) -> bool:
    """Whether it is the last word on a call."""
    if isinstance(outcome, CallFailed):
        return outcome.failure is not FailureClass.AMBIGUOUS
    return isinstance(outcome, CallResult)


def _outcome(task: asyncio.Task[CallResult | CallPending]) -> Outcome:
    if task.cancelled():
        return AttemptCanceled("The attempt was canceled.")
    error = task.exception()  # seen, also when nobody waits any more
    if error is None:
        return task.result()
    return error if isinstance(error, CallFailed) else ProviderAmbiguous("The worker ended during the call.")
