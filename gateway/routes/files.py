"""Files: send, announce, look up, list, share, delete."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from gateway.bodies import pieces_of
from gateway.dependencies import FilesDependency, OrganizationDependency, files_of, organization_of, settings_of
from gateway.direct import direct_route, json_response, read_fields
from gateway.errors import problem_responses
from gateway.multipart import FileForm, boundary_of
from gateway.schemas.file import (
    FORM_SCHEMA,
    ArrivalFields,
    FileChange,
    FileListQuery,
    FileView,
    LinkRequest,
    LinkView,
    PresignRequest,
    PresignView,
    UploadFields,
)
from gateway.views import file_document, moment
from genesis.errors import FieldError, Forbidden, InvalidRequest
from genesis.files.receiving import check_size
from genesis.files.service import Wishes
from genesis.files.signing import EXPIRES, SIGNATURE

router = APIRouter(tags=["files"])

FORM_BYTES = 1024 * 1024
"""A form may be so much larger than its file."""

_BINARY = {"schema": {"type": "string", "format": "binary"}}
_EXPIRES_IN = "expires_in"


async def _upload_file(request: Request) -> Response:
    files, organization, settings = files_of(request), organization_of(request), settings_of(request)
    pieces = pieces_of(request, settings.upload_idle_seconds)
    boundary = boundary_of(request.headers.get("content-type", ""))
    announced = int(request.headers.get("content-length", 0))
    given = read_fields(dict(request.query_params), UploadFields, "query")
    if boundary is None:
        check_size(announced, settings.max_upload_bytes)
        file = await files.upload(organization, pieces, lambda: _wishes(given))
    else:
        check_size(announced - FORM_BYTES, settings.max_upload_bytes)
        form = FileForm(boundary, frozenset(UploadFields.model_fields))
        file = await files.upload(organization, form.file(pieces), lambda: _form_wishes(form, request.query_params))
    return json_response(file_document(file), 201, {"Location": f"/files/{file.id}"})


def _wishes(given: UploadFields) -> Wishes:
    return Wishes(given.name, given.expires_in, given.strip_metadata)


def _form_wishes(form: FileForm, query: Mapping[str, str]) -> Wishes:
    """What is said in the form, in the URL, and by the file's own name in the form, in this order."""
    given = read_fields({"name": form.file_name} | dict(query) | form.fields, UploadFields, "body")
    return _wishes(given)


async def _upload(query: Annotated[UploadFields, Query()]) -> None:  # the description alone
    """Takes an image or a recording, of which the content alone tells the type: as the whole body, or as the part `file`
    of a form. It is stored durably when this answers, and its `details` follow a moment later.

    `url`, or the id as `image_file` or `audio_file`, is what jobs take as an input.
    """


router.add_api_route(
    "/files",
    _upload,
    methods=["POST"],
    name="upload_file",
    status_code=201,
    response_model=FileView,
    responses=problem_responses(408, 413, 415, 422, 503),
    route_class_override=direct_route(_upload_file),
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"application/octet-stream": _BINARY, "multipart/form-data": {"schema": FORM_SCHEMA}},
        }
    },
)


@router.post(
    "/files/presign", status_code=201, response_model=PresignView, responses=problem_responses(413, 415, 422, 503)
)
async def presign_file(body: PresignRequest, files: FilesDependency, organization: OrganizationDependency) -> Response:
    """Announces a file whose content is sent afterwards with the request that `upload` describes: to this API, or straight
    to an S3 store. Make the request `complete` then, and within the hours that the store keeps what nobody completes."""
    wished = "" if body.expires_in is None else f"?{urlencode({_EXPIRES_IN: body.expires_in})}"
    made = await files.announce(
        organization,
        name=body.name,
        media_type=body.media_type,
        size=body.size,
        seconds=body.seconds,
        put_path=lambda file_id: f"/files/{file_id}/content{wished}",
    )
    upload = {"method": made.upload.method, "url": made.upload.url, "headers": made.upload.headers}
    document = {
        "file": file_document(made.file),
        "upload": upload | {"expires_at": moment(made.until)},
        "complete": {"method": "POST", "url": f"/files/{made.file.id}/complete{wished}"},
    }
    return json_response(document, 201, {"Location": f"/files/{made.file.id}"})


async def _put_content(request: Request) -> Response:
    file_id = _identity(request)
    query, settings = request.query_params, settings_of(request)
    wished = query.get(_EXPIRES_IN)
    path = request.url.path if wished is None else f"{request.url.path}?{urlencode({_EXPIRES_IN: wished})}"
    files = files_of(request)
    await files.check_link("PUT", path, query.get(EXPIRES, ""), query.get(SIGNATURE, ""))
    given = read_fields(dict(query), ArrivalFields, "query")
    check_size(int(request.headers.get("content-length", 0)), settings.max_upload_bytes)
    pieces = pieces_of(request, settings.upload_idle_seconds)
    file = await files.receive(organization_of(request), file_id, pieces, given.expires_in)
    return json_response(file_document(file))


async def _put(
    file_id: UUID,
    expires: Annotated[int, Query()],
    signature: Annotated[str, Query()],
    query: Annotated[ArrivalFields, Query()],
) -> None:  # the description alone
    """Takes the content of an announced file; the URL is the one that `POST /files/presign` gave."""


router.add_api_route(
    "/files/{file_id}/content",
    _put,
    methods=["PUT"],
    name="send_content",
    response_model=FileView,
    responses=problem_responses(403, 404, 408, 409, 410, 413, 415, 422, 503),
    route_class_override=direct_route(_put_content),
    openapi_extra={"requestBody": {"required": True, "content": {"application/octet-stream": _BINARY}}},
)


@router.post(
    "/files/{file_id}/complete",
    response_model=FileView,
    responses=problem_responses(404, 409, 410, 413, 415, 422, 503),
)
async def complete_file(
    file_id: UUID,
    query: Annotated[ArrivalFields, Query()],
    files: FilesDependency,
    organization: OrganizationDependency,
) -> Response:
    """Says that the content of an announced file was sent. It may be said again."""
    return json_response(file_document(await files.complete(organization, str(file_id), query.expires_in)))


@router.get("/files", response_model=list[FileView], responses=problem_responses(422, 503))
async def list_files(
    query: Annotated[FileListQuery, Query()], files: FilesDependency, organization: OrganizationDependency
) -> Response:
    """Lists files, newest first. The `Link` header leads to the next page, with the same filters."""
    page = await files.page(organization, limit=query.limit, cursor=query.cursor, where=query.filter())
    headers = {}
    if page.cursor is not None:
        following = query.model_dump(mode="json", exclude_none=True) | {"cursor": page.cursor}
        headers["Link"] = f'</files?{urlencode(following)}>; rel="next"'
    return json_response([file_document(file) for file in page.files], headers=headers)


@router.get("/files/{file_id}", response_model=FileView, responses=problem_responses(404, 410, 422, 503))
async def get_file(file_id: UUID, files: FilesDependency, organization: OrganizationDependency) -> Response:
    """Looks up a file."""
    return json_response(file_document(await files.file(organization, str(file_id))))


@router.patch("/files/{file_id}", response_model=FileView, responses=problem_responses(404, 409, 410, 422, 503))
async def change_file(
    file_id: UUID, body: FileChange, files: FilesDependency, organization: OrganizationDependency
) -> Response:
    """Changes when a file is deleted. A file that a job still needs is kept until that is over."""
    if body.expires_at is not None and body.expires_at <= datetime.now(UTC):
        message = "it has to be in the future"
        raise InvalidRequest(
            f"expires_at: {message}.",
            hint="`DELETE /files/{id}` deletes a file at once.",
            errors=(FieldError("expires_at", message),),
        )
    until = None if body.expires_at is None else round(body.expires_at.timestamp() * 1000)
    return json_response(file_document(await files.keep_until(organization, str(file_id), until)))


@router.delete("/files/{file_id}", status_code=204, responses=problem_responses(404, 409, 422, 503))
async def delete_file(file_id: UUID, files: FilesDependency, organization: OrganizationDependency) -> Response:
    """Deletes a file for good, with all that was made of it. One that a job still needs is a conflict."""
    await files.delete(organization, str(file_id))
    return Response(status_code=204)


@router.post(
    "/files/{file_id}/links",
    status_code=201,
    response_model=LinkView,
    responses=problem_responses(404, 409, 410, 422, 503),
)
async def share_file(
    file_id: UUID, files: FilesDependency, organization: OrganizationDependency, body: LinkRequest | None = None
) -> Response:
    """Makes a link to a file's content that anybody can open until its time is over. `?download=1` may be added to it."""
    link = await files.link(organization, str(file_id), (body or LinkRequest()).expires_in)
    return json_response({"url": link.url, "expires_at": moment(link.until)}, 201)


def _identity(request: Request) -> str:
    """The id of the file that the path names.

    Raises:
        Forbidden: it is none, so that nobody has been given a link to it.
    """
    try:
        return str(UUID(request.path_params["file_id"]))
    except ValueError:
        raise Forbidden("This is not the URL of a file's content.", hint="`POST /files/presign` gives one.") from None
