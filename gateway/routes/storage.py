"""Contents of files, as they are shown and saved."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from gateway.dependencies import ContentsDependency, FilesDependency, OrganizationDependency, contents_of, files_of
from gateway.direct import direct_route
from gateway.errors import problem_responses
from gateway.serving import ASK_FIRST, asked_disposition
from genesis.domain.file import File, MediaDetails, peaks_key, thumbnail_key
from genesis.errors import NotFound
from genesis.files.signing import EXPIRES, SIGNATURE

router = APIRouter(tags=["files"])

_CONTENT: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The content",
        "content": {"*/*": {"schema": {"type": "string", "format": "binary"}}},
    },
    206: {"description": "The part of it that the header Range asks for"},
    304: {"description": "It is the one that the client has"},
    307: {"description": "Where the store itself serves it"},
}
_NOT_YET = (
    "Its content is examined some seconds after it has come; `details` of `GET /files/{id}` say when that is done."
)

Download = Annotated[
    str | None, Query(description="1 for saving it instead of showing it; any other text is the name to save it under.")
]


async def get_content(request: Request) -> Response:
    """Answers GET and HEAD of `/storage/{key}`."""
    key: str = request.path_params["key"]
    await _check_link(request)
    name = key.rpartition("/")[2]
    return await contents_of(request).response(request, key, disposition=asked_disposition(request, key, name))


async def _content(
    key: str,
    download: Download = None,
    expires: Annotated[int | None, Query(description="Of a signed link.")] = None,
    signature: Annotated[str | None, Query(description="Of a signed link.")] = None,
) -> None:  # the description alone
    """Serves the content of a file: whole or a range of it, unless the client has it already. It never changes."""


for _method in ("GET", "HEAD"):
    router.add_api_route(
        "/storage/{key:path}",
        _content,
        methods=[_method],
        name="get_content",
        response_class=Response,
        responses=_CONTENT | problem_responses(403, 404, 416, 422, 503),
        route_class_override=direct_route(get_content),
        include_in_schema=_method == "GET",
    )


async def _check_link(request: Request) -> None:
    """Lets a request pass that carries no signature, or a good one.

    Raises:
        Forbidden: its signature is wrong, or its time is over.
        Unavailable: it cannot be told, for the database with the key does not answer.
    """
    if not request.scope["query_string"]:
        return
    query = request.query_params
    if EXPIRES in query or SIGNATURE in query:
        expires, given = query.get(EXPIRES, ""), query.get(SIGNATURE, "")
        await files_of(request).check_link("GET", request.url.path, expires, given)


@router.get(
    "/files/{file_id}/content",
    response_class=Response,
    responses=_CONTENT | problem_responses(404, 409, 410, 416, 422, 503),
)
@router.head("/files/{file_id}/content", include_in_schema=False)
async def get_file_content(
    request: Request,
    file_id: UUID,
    files: FilesDependency,
    contents: ContentsDependency,
    organization: OrganizationDependency,
    download: Download = None,  # noqa: ARG001  # described here, read where all contents are served
) -> Response:
    """Serves the content of a file by its id; it is saved under the file's own name."""
    file = await files.ready_file(organization, str(file_id))
    name = file.name or file.key.rpartition("/")[2]
    disposition = asked_disposition(request, file.key, name)
    return await contents.response(request, file.key, cache=ASK_FIRST, disposition=disposition)


@router.get(
    "/files/{file_id}/thumbnails/{width}",
    response_class=Response,
    responses=_CONTENT | problem_responses(404, 409, 410, 422, 503),
)
@router.head("/files/{file_id}/thumbnails/{width}", include_in_schema=False)
async def get_thumbnail(
    request: Request,
    file_id: UUID,
    width: int,
    files: FilesDependency,
    contents: ContentsDependency,
    organization: OrganizationDependency,
) -> Response:
    """Serves a smaller copy of an image, in WebP."""
    file = await files.ready_file(organization, str(file_id))
    widths = _details(file).thumbnails
    if width not in widths:
        there = f"There are {', '.join(map(str, widths))}." if widths else "There is none of this file."
        raise NotFound(f"The file has no thumbnail of {width} pixels.", hint=there)
    return await contents.response(request, thumbnail_key(file.id, width))


@router.get(
    "/files/{file_id}/peaks",
    response_class=Response,
    responses=_CONTENT | problem_responses(404, 409, 410, 422, 503),
)
@router.head("/files/{file_id}/peaks", include_in_schema=False)
async def get_peaks(
    request: Request,
    file_id: UUID,
    files: FilesDependency,
    contents: ContentsDependency,
    organization: OrganizationDependency,
) -> Response:
    """Serves the waveform of a recording: the lowest and the highest value of each of its equal parts, as JSON."""
    file = await files.ready_file(organization, str(file_id))
    if not _details(file).has_peaks:
        raise NotFound("The file has no waveform.", hint="Recordings have one, if they can be decoded.")
    return await contents.response(request, peaks_key(file.id))


def _details(file: File) -> MediaDetails:
    """What is known of a file's content.

    Raises:
        NotFound: nobody has looked yet.
    """
    if file.details is None:
        raise NotFound("The content of this file has not been examined yet.", hint=_NOT_YET)
    return file.details
