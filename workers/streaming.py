"""Reads a text that a provider streams: tells each piece, and puts the result together."""

from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace

from genesis.domain.attempt import ProviderClass
from genesis.errors import ProviderAmbiguous, ProviderUnavailable
from genesis.net.events import MEDIA_TYPE, EventSplitter
from genesis.net.exchange import Reply, StreamedReply
from genesis.providers.base import (
    Adapter,
    BillingAdapter,
    Chunk,
    Done,
    Pending,
    ProviderCall,
    StreamingAdapter,
    thinks_aloud,
)
from genesis.providers.thoughts import AnswerOnly
from workers.channels import Channel

OnText = Callable[[str], None]


class InDoubt(ProviderAmbiguous):
    """Nobody knows what became of a call, but its reply had begun.

    Args:
        headers: of the reply, by lower-case name.
    """

    def __init__(self, error: ProviderAmbiguous, headers: Mapping[str, str]) -> None:
        super().__init__(error.message, hint=error.hint, retry_after=error.retry_after, cost=error.cost)
        self.headers = headers


@contextmanager
def _told_by(headers: Mapping[str, str]) -> Iterator[None]:
    """Adds a reply's headers to what leaves its call in doubt."""
    try:
        yield
    except ProviderAmbiguous as error:
        raise InDoubt(error, headers) from None


def read(adapter: Adapter, reply: Reply) -> Done | Pending:
    """What a whole reply says.

    Raises:
        InDoubt: nobody knows what became of the call.
        ProviderError: as `Adapter.parse_reply` otherwise.
    """
    with _told_by(reply.headers):
        return adapter.parse_reply(reply)


async def stream(
    adapter: StreamingAdapter,
    channel: Channel,
    call: ProviderCall,
    provider_class: ProviderClass,
    on_text: OnText,
    deadline: float,
) -> Done | Pending:
    """One call whose answer is streamed; the same result as without streaming.

    A server that does not stream after all is understood as well.

    Args:
        deadline: of the call, on the event loop's clock.

    Raises:
        ProviderError: as without streaming. A stream that breaks off is in doubt, except where asking again is free.
    """
    try:
        async with channel.stream(adapter.build_stream(call), deadline) as reply:
            with _told_by(reply.headers):
                plain = None if _is_stream(reply) else await _whole(reply)
                whole = await _read(adapter, reply, on_text) if plain is None else Chunk()
        with _told_by(reply.headers):
            return _assembled(adapter, reply, whole) if plain is None else adapter.parse_reply(plain)
    except ProviderAmbiguous as error:
        if provider_class is not ProviderClass.REPEATABLE:
            raise
        raise ProviderUnavailable(error.message, hint=error.hint) from error


def _assembled(adapter: StreamingAdapter, reply: StreamedReply, whole: Chunk) -> Done:
    done = adapter.assemble(whole)
    if done.cost is not None or not isinstance(adapter, BillingAdapter):
        return done
    return replace(done, cost_request=adapter.cost_request(reply.headers))


def _is_stream(reply: StreamedReply) -> bool:
    media_type = reply.headers.get("content-type", "").partition(";")[0].strip().lower()
    return 200 <= reply.status < 300 and media_type == MEDIA_TYPE


async def _whole(reply: StreamedReply) -> Reply:
    return Reply(reply.status, reply.headers, b"".join([piece async for piece in reply.body]))


async def _read(adapter: StreamingAdapter, reply: StreamedReply, on_text: OnText) -> Chunk:
    """The chunks as one.

    Raises:
        ProviderAmbiguous: the stream ended before the text did.
    """
    events, texts, refusals, known = EventSplitter(), [], [], Chunk()
    answer = AnswerOnly() if thinks_aloud(adapter) else None
    async for piece in _to_the_end(reply):
        for event in events.feed(piece):
            chunk = adapter.parse_chunk(event)
            if chunk.text and not known.last:
                texts.append(chunk.text)
                _tell(on_text, chunk.text if answer is None else answer.feed(chunk.text))
            refusals.append(chunk.refusal)
            known = _updated(known, chunk)
        if known.last:  # some servers leave the connection open behind it
            break
    if answer is not None:
        _tell(on_text, answer.rest())
    if not known.last and known.finish_reason is None:
        raise ProviderAmbiguous("The provider's stream ended before the text did; it may have done the work.")
    return replace(known, text="".join(texts), refusal="".join(refusals))


def _tell(on_text: OnText, text: str) -> None:
    if text:
        on_text(text)


async def _to_the_end(reply: StreamedReply) -> AsyncIterator[bytes]:
    """The pieces of a stream, and the end of its last event, which some servers forget."""
    async for piece in reply.body:
        yield piece
    yield b"\n\n"


def _updated(known: Chunk, chunk: Chunk) -> Chunk:
    """What is known beside the text, with the last word of each kind."""
    is_named = chunk.model in (None, known.model) and chunk.tier in (None, known.tier)
    if chunk.finish_reason is None and chunk.usage is None and is_named and not chunk.last:
        return known
    return Chunk(
        finish_reason=chunk.finish_reason or known.finish_reason,
        usage=known.usage if chunk.usage is None else chunk.usage,
        model=chunk.model or known.model,
        tier=chunk.tier or known.tier,
        last=chunk.last or known.last,
    )
