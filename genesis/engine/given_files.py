"""The files that orders name, by their ids or by their paths: found, and known to be of use."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any
from uuid import UUID

from genesis.capabilities.fields import Kind
from genesis.domain.artifact import STORAGE_PREFIX
from genesis.domain.file import File, FileState, file_id_of
from genesis.engine.assumptions import Recording
from genesis.engine.order import Order
from genesis.errors import FieldError, InvalidRequest
from genesis.net.media import family_of
from genesis.pipelines.contract import Contract, file_field
from genesis.ports.files import FileRecords

_FAMILIES = {Kind.IMAGE_URL: "image", Kind.AUDIO_URL: "audio"}
_HINT = "`GET /files` lists the files that there are, and `POST /files` takes new ones."


class GivenFiles:
    """Puts the paths of files in the place of their ids."""

    def __init__(self, records: FileRecords, pipelines: Mapping[str, Contract]) -> None:
        self._records = records
        self._pipelines = pipelines

    async def resolved(self, organization: str, order: Order) -> Order:
        """The order with a path for each file that it names, and how long recordings last; the same one where it names none.

        Raises:
            InvalidRequest: there is no such file, or it cannot be used for this; all that is wrong is listed.
            Unavailable: the database does not answer.
        """
        contract = self._pipelines.get(order.pipeline)
        wanted = _named(contract, order.inputs) if contract else {}
        if not wanted:
            return order
        wrong = [FieldError(f"inputs.{one.field}", one.trouble) for one in wanted.values() if one.trouble]
        found = await self._records.files(organization, {one.file for one in wanted.values() if not one.trouble})
        for one in wanted.values():
            trouble = "" if one.trouble else _trouble(one, found.get(one.file))
            if trouble:
                wrong.append(FieldError(f"inputs.{one.field}", trouble))
        if wrong:
            raise InvalidRequest(f"{wrong[0].field}: {wrong[0].message}", hint=_HINT, errors=tuple(wrong))
        fields = {one.field for one in wanted.values()}
        others = {name: value for name, value in order.inputs.items() if name not in fields}
        files = {name: found[one.file] for name, one in wanted.items()}
        recorded = {file.url: long for file in files.values() if (long := _recording(file)) is not None}
        return replace(order, inputs=others | {name: file.url for name, file in files.items()}, recorded=recorded)


def _recording(file: File) -> Recording | None:
    """How long a recording lasts; None where it is none, or does not tell."""
    if file.details is None and file.size is not None and family_of(file.media_type) == "audio":
        return Recording.of_size(file.size, file.media_type)
    milliseconds = file.details.duration_ms if file.details else None
    return None if milliseconds is None else Recording(Decimal(milliseconds) / 1000)


@dataclass(frozen=True, slots=True)
class _Named:
    """A file that an order names.

    Attributes:
        field: the input by which it does so.
        file: its id.
        path: by which it does so; "" where it does so by its id.
        trouble: why that cannot be looked up.
    """

    field: str
    kind: Kind
    file: str
    path: str = ""
    trouble: str = ""


def _named(contract: Contract, inputs: Mapping[str, Any]) -> dict[str, _Named]:
    """The files that inputs name, by the name of the input that takes their path."""
    found: dict[str, _Named] = {}
    for given in contract.pipeline.inputs:
        kind = Kind(given.kind)
        if kind not in _FAMILIES:
            continue
        field, value = file_field(given.name), inputs.get(given.name)
        if inputs.get(field) is not None:
            found[given.name] = _by_id(field, kind, inputs[field], given.name if value is not None else "")
        elif isinstance(value, str) and value.startswith(STORAGE_PREFIX):
            key = value.removeprefix(STORAGE_PREFIX)
            if file := file_id_of(key):  # what has another name was put there by hand
                found[given.name] = _Named(given.name, kind, file, value)
    return found


def _by_id(field: str, kind: Kind, value: object, also: str) -> _Named:
    if also:
        return _Named(field, kind, "", trouble=f"Give either {field} or {also}.")
    try:
        return _Named(field, kind, str(UUID(str(value))))
    except ValueError:
        return _Named(field, kind, "", trouble="The id of a file is a UUID.")


def _trouble(named: _Named, file: File | None) -> str:
    """Why a file cannot be used; "" where it can."""
    if file is None or (named.path and file.url != named.path):
        return "There is no such file."
    match file.state:
        case FileState.DELETED:
            return "The file was deleted."
        case FileState.WAITING:
            return "The file has no content yet: send it to the URL that `POST /files/presign` gave, and complete it."
    if file.problem:
        return file.problem
    family = _FAMILIES[named.kind]
    return "" if family_of(file.media_type) == family else f"The file is {file.media_type}, but {family} is wanted."
