"""The exchanges around one call of a provider: its file's upload, the call itself, and the question what it has cost."""

import asyncio
import logging
from dataclasses import replace

from genesis.domain.attempt import ProviderClass
from genesis.domain.money import Money
from genesis.errors import CallFailed, FailureClass, ProviderAmbiguous, ProviderUnavailable
from genesis.net.client import ReplyCutOff
from genesis.ports.workers import OnDelta
from genesis.providers.base import (
    Adapter,
    BillingAdapter,
    Done,
    Pending,
    ProviderCall,
    RecoverableAdapter,
    StreamingAdapter,
    UploadingAdapter,
)
from workers.channels import Channel
from workers.streaming import InDoubt, read, stream

logger = logging.getLogger(__name__)

_COST_PAUSES_SECONDS = (0.0, 0.5, 1.0, 2.0)
_COST_QUESTION_SECONDS = 5.0


async def uploaded(adapter: Adapter, channel: Channel, call: ProviderCall, deadline: float) -> ProviderCall:
    """The call with its file at the provider, where the provider wants that.

    Args:
        deadline: of the call, on the event loop's clock.

    Raises:
        ProviderError: the file was not taken; as nothing was asked for yet, that is never in doubt.
    """
    if (
        call.media is None
        or not isinstance(adapter, UploadingAdapter)
        or (request := adapter.build_upload(call)) is None
    ):
        return call
    try:
        return replace(call, media_url=adapter.parse_upload(await channel.send(request, deadline)))
    except CallFailed as error:
        if error.failure is not FailureClass.AMBIGUOUS:
            raise
        raise ProviderUnavailable(error.message, hint=error.hint, retry_after=error.retry_after) from error


async def asked(
    adapter: Adapter,
    channel: Channel,
    call: ProviderCall,
    provider_class: ProviderClass,
    on_delta: OnDelta | None,
    deadline: float,
) -> Done | Pending:
    """One call, streamed where somebody listens and the provider can. One whose reply leaves it in doubt is asked for
    where that is possible.

    Args:
        deadline: of the call, on the event loop's clock.

    Raises:
        ProviderError: any of its kinds.
    """
    try:
        if on_delta is not None and isinstance(adapter, StreamingAdapter):
            return await stream(adapter, channel, call, provider_class, on_delta, deadline)
        return read(adapter, await channel.send(adapter.build_request(call), deadline))
    except (InDoubt, ReplyCutOff) as error:
        pending = adapter.recover(error.headers) if isinstance(adapter, RecoverableAdapter) else None
        if pending is None:
            raise ProviderAmbiguous(error.message, hint=error.hint, cost=error.cost) from error
        logger.info("a call is in doubt, and the provider is asked what became of it")
        return pending


async def cost_of(adapter: Adapter, channel: Channel, done: Done) -> Money | None:
    """What a call has cost; None where the provider does not tell within some seconds."""
    if done.cost is not None or done.cost_request is None or not isinstance(adapter, BillingAdapter):
        return done.cost
    for pause in _COST_PAUSES_SECONDS:
        await asyncio.sleep(pause)
        try:
            async with asyncio.timeout(_COST_QUESTION_SECONDS):
                cost = adapter.parse_cost(await channel.send(done.cost_request))
        except (CallFailed, TimeoutError) as error:
            logger.warning("the provider was asked for a cost in vain: %s", getattr(error, "code", "it took too long"))
            continue
        if cost is not None:
            return cost
    return None
