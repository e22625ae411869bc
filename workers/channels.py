"""How a provider is spoken to: over HTTP, through the offline child process, or answered in place."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from typing import Protocol

from genesis.errors import ProviderAmbiguous, ProviderError, ProviderRejected, ProviderUnavailable
from genesis.net.client import HttpClient
from genesis.net.exchange import Reply, Request, StreamedReply
from genesis.providers import fake
from genesis.providers.base import Provider
from genesis.providers.local.child import LocalServer
from genesis.settings import Settings


class Channel(Protocol):
    """Exchanges one request for one reply; canceling it reaches the provider where that is possible.

    The deadline is that of the whole call, on the event loop's clock; None for a request with a call's time of its own.
    """

    async def send(self, request: Request, deadline: float | None = None) -> Reply: ...

    def stream(self, request: Request, deadline: float | None = None) -> AbstractAsyncContextManager[StreamedReply]: ...

    async def close(self) -> None: ...


class NoChannel:
    """Of what the platform does itself: nobody else is spoken to."""

    async def send(self, request: Request, deadline: float | None = None) -> Reply:  # noqa: ARG002
        """There is nobody."""
        raise ProviderRejected(f"Nobody is asked for {request.url}.")

    def stream(
        self,
        request: Request,
        deadline: float | None = None,  # noqa: ARG002
    ) -> AbstractAsyncContextManager[StreamedReply]:
        """There is nobody."""
        raise ProviderRejected(f"Nobody is asked for {request.url}.")

    async def close(self) -> None:
        """Nothing is open."""


_MARGIN = 0.95
"""Share of the time left that an exchange may take, so that the exchange itself notices what is late, and how far it has
come by then."""


@contextmanager
def _hinted() -> Iterator[None]:
    """Says what to do about answers that are late."""
    try:
        yield
    except ProviderAmbiguous as error:
        if isinstance(error.__cause__, TimeoutError):
            error.hint = "Raise CALL_TIMEOUT_SECONDS."
        raise


class HttpChannel:
    """A hosted provider, or a server of one's own."""

    def __init__(self, provider: Provider, client: HttpClient, settings: Settings) -> None:
        self._provider = provider
        self._client = client
        self._settings = settings

    async def send(self, request: Request, deadline: float | None = None) -> Reply:
        """The whole reply."""
        with _hinted():
            return await self._client.send(
                request,
                base_url=self._base_url(request),
                headers=self._provider.headers,
                timeout_seconds=_MARGIN * self._seconds_left(deadline),
                max_bytes=self._settings.max_fetch_bytes,
            )

    @asynccontextmanager
    async def stream(self, request: Request, deadline: float | None = None) -> AsyncIterator[StreamedReply]:
        """The reply as it arrives."""
        sending = self._client.stream(
            request,
            base_url=self._base_url(request),
            headers=self._provider.headers,
            timeout_seconds=_MARGIN * self._seconds_left(deadline),
            max_bytes=self._settings.max_fetch_bytes,
        )
        with _hinted():
            async with sending as reply:
                yield reply

    def _seconds_left(self, deadline: float | None) -> float:
        longest = self._settings.call_timeout_seconds
        return longest if deadline is None else min(longest, deadline - asyncio.get_running_loop().time())

    def _base_url(self, request: Request) -> str:
        return request.url if request.url in self._provider.own_urls else self._provider.base_url

    async def close(self) -> None:
        """The client belongs to whoever opened it."""


class LocalChannel:
    """The offline models, in a child process of this worker."""

    def __init__(self, server: LocalServer, client: HttpClient, settings: Settings) -> None:
        self._server = server
        self._client = client
        self._settings = settings

    async def send(self, request: Request, deadline: float | None = None) -> Reply:
        """The whole reply."""
        async with self.stream(request, deadline) as reply:
            body = b"".join([piece async for piece in reply.body])
            return Reply(reply.status, reply.headers, body)

    @asynccontextmanager
    async def stream(
        self,
        request: Request,
        deadline: float | None = None,  # noqa: ARG002  # whoever waits ends the model, which loses nothing
    ) -> AsyncIterator[StreamedReply]:
        """The reply as it arrives; whoever leaves it before its end ends the model."""
        async with self._server.use() as endpoint:
            try:
                async with self._client.stream(
                    request,
                    base_url=endpoint.base_url,
                    headers={"Authorization": f"Bearer {endpoint.token}"},
                    timeout_seconds=self._settings.call_timeout_seconds,
                    max_bytes=self._settings.max_fetch_bytes,
                ) as reply:
                    yield reply
            except ProviderError as error:
                await self._server.kill()
                raise self._as_model(error) from error
            except BaseException:
                # A model cannot be interrupted in the middle of its work, only ended with its process.
                await self._server.kill()
                raise

    async def close(self) -> None:
        """Ends the process."""
        await self._server.close()

    def _as_model(self, error: ProviderError) -> ProviderError:
        """The client's error in words for someone who knows of no address on the loopback."""
        if error.__cause__ is None and not isinstance(error, ProviderRejected):
            return error  # of whoever read the stream
        if isinstance(error, ProviderUnavailable):
            return ProviderUnavailable("The offline model ended before it began with its work.")
        if not isinstance(error, ProviderAmbiguous):
            return ProviderRejected("The offline model's answer cannot be used: it is too large.")
        if isinstance(error.__cause__, TimeoutError):
            return ProviderAmbiguous(
                f"The offline model did not finish within {self._settings.call_timeout_seconds:g} seconds.",
                hint="Raise CALL_TIMEOUT_SECONDS.",
            )
        return ProviderAmbiguous(
            "The offline model ended in the middle of its work.", hint="It may have run out of memory; see the log."
        )


class FakeChannel:
    """Made-up answers, after a made-up time."""

    def __init__(self, settings: Settings) -> None:
        self._delay_seconds = settings.fake_delay_ms / 1000

    async def send(self, request: Request, deadline: float | None = None) -> Reply:  # noqa: ARG002
        """The whole reply, after the delay."""
        await asyncio.sleep(self._delay_seconds)
        return fake.answer(request)

    @asynccontextmanager
    async def stream(
        self,
        request: Request,
        deadline: float | None = None,  # noqa: ARG002
    ) -> AsyncIterator[StreamedReply]:
        """The reply event by event; the delay is spread over them."""
        reply = fake.answer(request)
        yield StreamedReply(reply.status, reply.headers, self._paced(reply.body))

    async def _paced(self, body: bytes) -> AsyncIterator[bytes]:
        events = [event + b"\n\n" for event in body.split(b"\n\n") if event]
        for event in events:
            await asyncio.sleep(self._delay_seconds / len(events))
            yield event

    async def close(self) -> None:
        """Nothing is open."""


def open_channel(provider: Provider, capability: str, client: HttpClient, settings: Settings) -> Channel:
    """The channel to a provider."""
    if provider.name == "fake":
        return FakeChannel(settings)
    if provider.name == "local":
        return LocalChannel(LocalServer(capability, idle_seconds=settings.local_idle_seconds), client, settings)
    return HttpChannel(provider, client, settings)
