"""The web page under `/app/`, where it has been built."""

from pathlib import Path

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, RedirectResponse

from genesis.errors import NotFound

_METHODS = ["GET", "HEAD"]
_IMMUTABLE = {"Cache-Control": "public, max-age=31536000, immutable"}
_FRESH = {
    "Cache-Control": "no-cache",
    "Content-Security-Policy": "default-src 'self'; frame-ancestors 'none'; base-uri 'self'; form-action 'self'; "
    "object-src 'none'",
}


def _file(root: Path, path: str) -> Path | None:
    """The file of the page at this path, if it is one."""
    try:
        file = (root / path).resolve()
        return file if file.is_relative_to(root) and file.is_file() else None
    except (OSError, ValueError):  # no file can have such a name
        return None


def page_router(folder: Path) -> APIRouter:
    """Routes that serve the built page; every path that is no file is the page itself, which routes on by its URL."""
    router = APIRouter(include_in_schema=False)
    root = folder.resolve()

    @router.api_route("/", methods=_METHODS)
    async def to_page() -> RedirectResponse:
        return RedirectResponse("/app/" if (root / "index.html").is_file() else "/docs")

    @router.api_route("/app", methods=_METHODS)
    async def to_page_root(request: Request) -> RedirectResponse:
        return RedirectResponse(f"/app/?{request.url.query}" if request.url.query else "/app/")

    @router.api_route("/app/{path:path}", methods=_METHODS)
    async def page(path: str) -> FileResponse:
        index = root / "index.html"
        if not index.is_file():
            raise NotFound(
                "The web page has not been built.", hint="`make up` builds it; the API is described at /docs."
            )
        file = _file(root, path)
        if file:
            return FileResponse(file, headers=_IMMUTABLE if path.startswith("assets/") else _FRESH)
        if path.startswith("assets/"):
            raise NotFound(f"The web page has no file {path}.", hint="Reload the page: it may have been updated.")
        return FileResponse(index, headers=_FRESH)

    return router
