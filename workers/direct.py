"""`POST /generate` without what frameworks do for each request; it is on the way of every call."""

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from workers.problems import EXPECTED, problem_response
from workers.routes import Handler


class Shortcut:
    """Pure ASGI application in front of a worker's: calls do not pass through its middleware and routing.

    Args:
        generate: answers `POST /generate`.
    """

    def __init__(self, app: ASGIApp, generate: Handler) -> None:
        self._app = app
        self._generate = generate

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] != "/generate" or scope["method"] != "POST":
            await self._app(scope, receive, send)
            return
        scope["app"] = self._app  # as Starlette does, for whoever asks the request for it
        request = Request(scope, receive)
        begun = False

        async def noted(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            response = await self._answer(request)
            await response(scope, receive, noted)
        except Exception as error:
            if not begun:
                await problem_response(request, error)(scope, receive, send)
            raise  # the server logs it

    async def _answer(self, request: Request) -> ASGIApp:
        try:
            return await self._generate(request)
        except EXPECTED as error:
            return problem_response(request, error)
