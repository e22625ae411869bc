"""Stored files, as jobs name them in their outputs."""

from fastapi import APIRouter
from fastapi.responses import FileResponse

from gateway.dependencies import StoreDependency
from gateway.errors import problem_responses
from genesis.net.media import type_of_extension

router = APIRouter(tags=["files"])

_HEADERS = {
    # A name is given once and its content never changes.
    "Cache-Control": "private, max-age=31536000, immutable",
    "Content-Security-Policy": "default-src 'none'; sandbox",
}


@router.get("/storage/{key:path}", response_class=FileResponse, responses=problem_responses(404, 422))
@router.head("/storage/{key:path}", include_in_schema=False)
async def get_file(key: str, store: StoreDependency) -> FileResponse:
    """Serves a stored file, in ranges where asked."""
    path = await store.local_path(key)
    return FileResponse(path, media_type=type_of_extension(path.suffix.removeprefix(".")), headers=_HEADERS)
