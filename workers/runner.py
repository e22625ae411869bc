"""Makes one call of one provider: input file in, exchange, output file into the store; and asks for pending results."""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any

from genesis.capabilities.catalog import Capability, field_kind
from genesis.capabilities.fields import Kind
from genesis.domain.attempt import ProviderClass
from genesis.domain.quantity import Quantities, Unit
from genesis.errors import (
    CallFailed,
    FailureClass,
    GenesisError,
    InputTooLong,
    ProviderAmbiguous,
    ProviderRateLimited,
    ProviderUnavailable,
    ReplyTooLarge,
    ResultLost,
    StorageUnavailable,
    Unavailable,
    WorkerUnavailable,
)
from genesis.net.exchange import Request
from genesis.net.fetcher import FetchInterrupted
from genesis.ports.workers import CallPending, CallResult, OnDelta
from genesis.providers.base import (
    Adapter,
    Done,
    Media,
    OverAndFree,
    Pending,
    PollingAdapter,
    Provider,
    ProviderCall,
    options_of,
)
from genesis.providers.options import honored, warnings_of
from genesis.providers.secrets import without_secrets
from workers.asking import asked, cost_of, uploaded
from workers.channels import Channel
from workers.handles import cancel_request, handle_of, poll_request
from workers.inputs import InputFiles
from workers.keeper import FAMILIES, ResultKeeper
from workers.measure import measured
from workers.memory import digest
from workers.outputs import MADE_HERE, output_of
from workers.parts import PartsRunner
from workers.receipts import Receipts

logger = logging.getLogger(__name__)

_POLL_AGAIN_SECONDS = 1.0
_CUT_BY_JOBS = "Jobs cut it into parts by themselves; here, give a shorter one."
_TELLS_NOTHING = {
    HTTPStatus.REQUEST_TIMEOUT,
    HTTPStatus.TOO_EARLY,
    HTTPStatus.TOO_MANY_REQUESTS,
    HTTPStatus.UNAUTHORIZED,  # of whoever asks, and not of what was asked for; the key may be set right again
    HTTPStatus.PAYMENT_REQUIRED,
    HTTPStatus.FORBIDDEN,
    HTTPStatus.PROXY_AUTHENTICATION_REQUIRED,
}
"""Statuses of a poll that say nothing about the call."""


@dataclass(frozen=True, slots=True)
class Order:
    """What a provider is to do.

    Attributes:
        call_input, options: checked, only what was given.
    """

    provider: Provider
    model: str
    channel: Channel
    call_key: str
    call_input: Mapping[str, Any]
    options: Mapping[str, Any]


class CallRunner:
    """Makes calls of one capability.

    Args:
        call_seconds: longest that the exchange with a provider may take.

    Attributes:
        parts: does what is not done by a provider.
    """

    def __init__(
        self,
        capability: Capability,
        files: InputFiles,
        receipts: Receipts,
        keeper: ResultKeeper,
        parts: PartsRunner,
        *,
        call_seconds: float,
    ) -> None:
        self._capability = capability
        self._makes_files = capability.output_kind is not Kind.TEXT
        self._files = files
        self._receipts = receipts
        self._keeper = keeper
        self.parts = parts
        self._call_seconds = call_seconds
        self._input_field = next(iter(capability.input.model_fields))
        self._input_kind = field_kind(capability.input, self._input_field)

    def keeps_receipts(self, provider: Provider) -> bool:
        """Whether results of a provider have receipts: files that may have been paid for."""
        return self._makes_files and provider.provider_class is not ProviderClass.REPEATABLE

    async def submit(self, order: Order, on_delta: OnDelta | None = None) -> CallResult | CallPending:
        """One call.

        Args:
            on_delta: told each piece of a text, where the provider can stream.

        Raises:
            CallFailed: any of its kinds.
        """
        with without_secrets(order.provider):
            return await self._submit(order, on_delta)

    async def _submit(self, order: Order, on_delta: OnDelta | None) -> CallResult | CallPending:
        adapter = order.provider.services[self._capability.name].adapter
        deadline = asyncio.get_running_loop().time() + self._call_seconds
        call = await self._prepared(order, adapter, deadline)
        try:
            async with asyncio.timeout_at(deadline):
                answer = await asked(adapter, order.channel, call, order.provider.provider_class, on_delta, deadline)
        except ReplyTooLarge as error:
            if order.provider.provider_class is ProviderClass.REPEATABLE:
                raise
            raise _lost(error) from error
        except TimeoutError:
            raise ProviderAmbiguous(
                f"{order.provider.name} did not answer within {self._call_seconds:g} seconds.",
                hint="Raise CALL_TIMEOUT_SECONDS.",
            ) from None
        return await self._outcome(order, adapter, answer, deadline, call.media)

    async def _prepared(self, order: Order, adapter: Adapter, deadline: float) -> ProviderCall:
        """The call with its file, at the provider where that is wanted; nothing has been asked for yet.

        Raises:
            InputRejected: the file cannot be used.
            StorageUnavailable: it could not be had in time.
            ProviderError: it was not taken.
        """
        if self._input_kind is Kind.TEXT:
            return await self._call(order, adapter)  # there is no file to wait for
        try:
            async with asyncio.timeout_at(deadline):
                return await uploaded(adapter, order.channel, await self._call(order, adapter), deadline)
        except TimeoutError:
            raise StorageUnavailable(
                f"The input file was not at hand within {self._call_seconds:g} seconds.",
                hint="Raise CALL_TIMEOUT_SECONDS, or give a smaller file.",
            ) from None

    async def _call(self, order: Order, adapter: Adapter) -> ProviderCall:
        given = order.call_input[self._input_field]
        media = None if self._input_kind is Kind.TEXT else await self._files.read(given, FAMILIES[self._input_kind])
        await self._check_length(order, media)
        return ProviderCall(
            model=order.model,
            text="" if media else given,
            media=media,
            options=honored(options_of(adapter, order.model), _given(order)),
            provider_options=order.options.get("provider_options") or {},
            call_key=order.call_key,
        )

    async def _check_length(self, order: Order, media: Media | None) -> None:
        """Nothing is sent that the provider would refuse, or silently cut off.

        Raises:
            InputTooLong: the recording has to be cut.
        """
        name, service = order.provider.name, order.provider.services[self._capability.name]
        if media is None:
            return
        largest, longest = service.largest_audio_bytes, service.longest_audio_seconds
        if largest is not None and len(media.data) > largest:
            raise InputTooLong(
                f"The recording has {len(media.data):,} bytes; {name} takes {largest:,} at once.", hint=_CUT_BY_JOBS
            )
        if longest is None:
            return
        seconds = (await measured(self._capability.name, {}, media, None)).get(Unit.AUDIO_SECONDS)
        if seconds is not None and seconds > longest:
            raise InputTooLong(
                f"The recording lasts {seconds:,} seconds; {name} takes {longest:g} at once.", hint=_CUT_BY_JOBS
            )

    async def poll(self, order: Order, handle: Mapping[str, Any]) -> CallResult | CallPending:
        """Asks once for the result of a pending call.

        Raises:
            WorkerUnavailable: the provider or the store could not be reached, which says nothing about the call.
            CallFailed: what became of the call. What the provider says of the poll never allows to ask for the work
                again, which would pay twice.
        """
        with without_secrets(order.provider):
            return await self._poll(order, handle)

    async def _poll(self, order: Order, handle: Mapping[str, Any]) -> CallResult | CallPending:
        adapter = order.provider.services[self._capability.name].adapter
        request = poll_request(order.provider, handle)
        answer = await _polled(adapter, order.channel, request)
        try:
            return await self._outcome(order, adapter, answer, asyncio.get_running_loop().time())
        except ResultLost as error:
            if isinstance(error.__cause__, Unavailable | FetchInterrupted):
                raise _ask_again(error) from error
            raise

    async def wait(self, order: Order, pending: CallPending) -> CallResult:
        """Asks for the result of a pending call until it is there.

        Raises:
            CallFailed: what became of the call; ProviderAmbiguous where that takes too long.
        """
        adapter = order.provider.services[self._capability.name].adapter
        deadline = asyncio.get_running_loop().time() + self._call_seconds
        try:
            with without_secrets(order.provider):
                async with asyncio.timeout_at(deadline):
                    done = await _polled_to_the_end(adapter, order, pending)
        except TimeoutError:
            raise ProviderAmbiguous(
                f"{order.provider.name} did not finish within {self._call_seconds:g} seconds.",
                hint="Raise CALL_TIMEOUT_SECONDS.",
            ) from None
        return await self._result(order, adapter, done, deadline)

    async def cancel(self, provider: Provider, channel: Channel, handle: Mapping[str, Any]) -> None:
        """Asks the provider to give up a pending call, where it can be asked; what it answers is only logged."""
        try:
            with without_secrets(provider):
                request = cancel_request(provider, handle)
                reply = request and await channel.send(request)
        except CallFailed as error:
            logger.warning("%s could not be asked to give up a call: %s", provider.name, error.message)
            return
        if reply and reply.status >= HTTPStatus.BAD_REQUEST:
            logger.warning("%s answered %s when asked to give up a call", provider.name, reply.status)

    async def _outcome(
        self, order: Order, adapter: Adapter, answer: Done | Pending, deadline: float, given: Media | None = None
    ) -> CallResult | CallPending:
        if isinstance(answer, Pending):
            return CallPending(handle_of(order.provider, answer), answer.wait_seconds)
        return await self._result(order, adapter, answer, deadline, given)

    async def _result(
        self, order: Order, adapter: Adapter, answer: Done, deadline: float, given: Media | None = None
    ) -> CallResult:
        """The result of an answer.

        Args:
            given: the input file, where it is at hand.
        """
        answer = await self._keeper.fetched(answer, deadline)
        artifact, unkept = await self._keeper.keep(answer, order.call_key, deadline, order.options.get("format"))
        output, unmade = output_of(self._capability, artifact, answer, order.options)
        result = CallResult(
            output=output,
            target=f"{order.provider.name}:{answer.model or order.model}",
            cost=answer.cost,
            usage=answer.usage,
            quantities=await self._quantities(order, answer, given),
            warnings=(*_warnings(order, adapter), *answer.warnings, *unkept, *unmade),
            artifact=artifact,
        )
        if self.keeps_receipts(order.provider):
            result = await self._with_receipt(order, result)
        # Once the result is safe: what more is known of its price may take a while to find out.
        cost = await cost_of(adapter, order.channel, answer)
        return result if cost == result.cost else replace(result, cost=cost)

    async def _quantities(self, order: Order, answer: Done, given: Media | None) -> Quantities:
        """What was used: measured where it may be charged for, and the provider's own word above that."""
        if order.provider.provider_class is ProviderClass.REPEATABLE:
            return answer.quantities
        found = await measured(self._capability.name, order.call_input, given, answer.media)
        if Unit.MEGAPIXELS in found:  # of the image that is kept; its provider makes all of them in one size
            found = {**found, Unit.MEGAPIXELS: found[Unit.MEGAPIXELS] * answer.quantities.get(Unit.IMAGES, 1)}
        return {**found, **answer.quantities}

    async def _with_receipt(self, order: Order, result: CallResult) -> CallResult:
        try:
            return await self._receipts.write(order.call_key, digest(order.call_input, order.options), result)
        except GenesisError as error:
            # The file is kept and the answer is at hand: a worker that now goes down loses its word, not the result.
            logger.error("no receipt of call %s could be written: %s", order.call_key, error.message)
            return result


def _given(order: Order) -> dict[str, Any]:
    return {name: value for name, value in order.options.items() if name not in ("model", "provider_options")}


def _warnings(order: Order, adapter: Adapter) -> tuple[str, ...]:
    return warnings_of(order.provider.name, options_of(adapter, order.model), _given(order), without=MADE_HERE)


async def _polled_to_the_end(adapter: Adapter, order: Order, pending: CallPending) -> Done:
    wait_seconds, request = pending.wait_seconds, poll_request(order.provider, pending.handle)
    while True:
        await asyncio.sleep(wait_seconds)
        try:
            answer = await _polled(adapter, order.channel, request)
        except WorkerUnavailable as error:
            wait_seconds = max(error.retry_after or 0.0, _POLL_AGAIN_SECONDS)
            continue
        if isinstance(answer, Done):
            return answer
        wait_seconds, request = answer.wait_seconds, answer.poll


async def _polled(adapter: Adapter, channel: Channel, request: Request) -> Done | Pending:
    try:
        reply = await channel.send(request)
    except (ProviderUnavailable, ProviderRateLimited, ProviderAmbiguous) as error:
        raise _ask_again(error) from error
    except ReplyTooLarge as error:
        raise _lost(error) from error
    try:
        if isinstance(adapter, PollingAdapter):
            return adapter.parse_poll(request, reply)
        return adapter.parse_reply(reply)
    except CallFailed as error:
        if error.failure is FailureClass.FINAL or isinstance(error, ResultLost | OverAndFree):
            raise
        if reply.status in _TELLS_NOTHING or reply.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise _ask_again(error) from error
        raise ProviderAmbiguous(error.message, hint=error.hint, cost=error.cost) from error


def _lost(error: ReplyTooLarge) -> ResultLost:
    return ResultLost(
        f"The provider has made the result, but it could not be read: {error.message}",
        hint="Raise MAX_FETCH_BYTES, or ask for less.",
    )


def _ask_again(error: CallFailed) -> WorkerUnavailable:
    return WorkerUnavailable(error.message, hint=error.hint, retry_after=error.retry_after)
