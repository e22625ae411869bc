"""What both kinds of database share about files: their rows as values, pieces of SQL, and what is refused."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass

from genesis.database.filters import LOOKED_THROUGH
from genesis.database.rows import Row, Values, dump
from genesis.database.states import IS_HELD, OPEN, TERMINAL, before
from genesis.domain.artifact import STORAGE_PREFIX, Artifact
from genesis.domain.attempt import Attempt, AttemptState
from genesis.domain.file import TRANSITIONS, File, FileSource, FileState, MediaDetails, file_id_of
from genesis.domain.job import Job
from genesis.domain.step import StepState
from genesis.domain.storable import storable_text
from genesis.errors import Conflict, FieldError, Gone, InvalidRequest, NotFound
from genesis.ports.files import FileFilter, FilePage

SECRET_BYTES = 32

FILE_COLUMNS = (
    "id",
    "organization",
    "key",
    "media_type",
    "size",
    "sha256",
    "source",
    "created_at",
    "state",
    "name",
    "folded_name",
    "job",
    "expires_at",
    "deleted_at",
    "details",
    "problem",
)
MADE_COLUMNS = ("attempt", "id", "key", "media_type", "size", "sha256", "created_at")
"""What the evidence of an attempt says of the file that the attempt has made."""
USE_COLUMNS = ("file", "job", "organization")
"""That a job takes a file, if there is one and it is the organization's."""

NOT_DELETED = f"files.state <> '{FileState.DELETED}'"
# Values, not `EXISTS`: PostgreSQL would look for all jobs that are not over at once, which it finds only among all of them.
IN_USE = (
    "(coalesce((SELECT maker.status NOT IN "  # noqa: S608  # all of it is ours
    f"({TERMINAL}) FROM jobs AS maker WHERE maker.id = files.job), false) "
    "OR (SELECT taker.id FROM file_uses JOIN jobs AS taker ON taker.id = file_uses.job "
    f"WHERE file_uses.file = files.id AND taker.status NOT IN ({TERMINAL}) LIMIT 1) IS NOT NULL)"
)
"""Whether a job that is not over has made a file, or takes it."""
AWAITS_WORD = f"SELECT EXISTS (SELECT 1 FROM jobs WHERE {IS_HELD})"  # noqa: S608  # all of it is ours
"""Whether jobs are held."""
UNEXAMINED = f"files.state = '{FileState.READY}' AND files.details IS NULL"
MAY_BE_DELETED = f"files.state IN ({before(TRANSITIONS, FileState.DELETED)})"
MAY_ARRIVE = f"files.state IN ({before(TRANSITIONS, FileState.READY)})"

TO_EXPIRE = f"files.expires_at IS NOT NULL AND {NOT_DELETED} AND files.expires_at <= {{now}}"
"""Files whose own time is over; the words of the partial index."""
TOO_OLD = (
    f"files.expires_at IS NULL AND {NOT_DELETED} AND files.created_at <= "
    "{now} - coalesce(1000 * organizations.file_retention_seconds, {default})"
)
"""Files without a time of their own that are older than their organization, or else the settings, lets them become."""

MAKERS = (
    "FROM attempts JOIN jobs ON jobs.id = attempts.job JOIN organizations ON organizations.id = jobs.organization "
    "WHERE attempts.id = {attempt}"
)
"""Whose a file is that an attempt has made."""

# Of a call that there is a record of, the record tells whether its content is needed.
_UNDER_WAY = f"(jobs.status NOT IN ({TERMINAL}) OR attempts.state IN ({OPEN}))"
_PUT_OUT = (
    "EXISTS (SELECT 1 FROM steps WHERE steps.job = attempts.job AND steps.name = attempts.step "  # noqa: S608  # the same
    f"AND steps.output LIKE '%{STORAGE_PREFIX}%/' || {{name}} || '.%')"
)
# A part of a recording is named by the call that has cut it, and its number.
_OF_USE_FOR_A_RETRY = (
    f"(attempts.state = '{AttemptState.UNKNOWN}' "  # noqa: S608  # the same
    f"OR attempts.output LIKE '%{STORAGE_PREFIX}%/' || {{name}} || '%' "
    "OR EXISTS (SELECT 1 FROM steps WHERE steps.job = attempts.job "
    f"AND steps.state <> '{StepState.DONE}' AND steps.part LIKE '%{STORAGE_PREFIX}%/' || {{name}} || '%'))"
)
_KEPT = "coalesce(coalesce(jobs.completed_at, jobs.created_at) > {now} - coalesce(1000 * {retention}, {default}), true)"
"""Whether the files of a job that is over are kept."""
_CALLS = (
    "SELECT {name} AS id FROM attempts JOIN jobs ON jobs.id = attempts.job "  # noqa: S608  # all of it is ours
    f"JOIN organizations ON organizations.id = jobs.organization WHERE {{name}} {{among}} AND {{kind}} AND ({_UNDER_WAY} "
    f"OR (jobs.status = 'completed' AND {_PUT_OUT}) "
    f"OR (jobs.status <> 'completed' AND {{kept}} AND ({_PUT_OUT} OR {_OF_USE_FOR_A_RETRY}))) "
    "AND NOT EXISTS (SELECT 1 FROM files WHERE files.id = {name})"
)
_DOUBTS = (
    "SELECT {name} AS id FROM attempts JOIN jobs ON jobs.id = attempts.job "  # noqa: S608  # all of it is ours
    f"WHERE {{name}} {{among}} AND {{kind}} AND ({_UNDER_WAY} OR attempts.state = '{AttemptState.UNKNOWN}')"
)


def known(among: str, *, now: str, default: str) -> str:
    """Which of some ids belong to what is kept.

    Args:
        among: compares with those ids.
        now, default: stand for the moment, and how long files are kept whose organization does not say it.
    """
    kept = _KEPT.format(now=now, default=default, retention="organizations.file_retention_seconds")
    files = f"SELECT files.id FROM files WHERE files.id {among} AND {NOT_DELETED}"  # noqa: S608  # all of it is ours
    return f"{files} UNION {_of_calls(_CALLS, among=among, kept=kept)}"


def in_doubt(among: str) -> str:
    """Which of some ids belong to calls whose outcome somebody may still ask for; see `known`."""
    return _of_calls(_DOUBTS, among=among)


def _of_calls(query: str, **values: str) -> str:
    """A query by the keys of calls: those that are the ids of their attempts, and the others, which have an index."""
    by_id = query.format(name="attempts.id", kind="attempts.call_key = attempts.id", **values)
    by_key = query.format(name="attempts.call_key", kind="attempts.call_key <> attempts.id", **values)
    return f"{by_id} UNION {by_key}"


def file_values(file: File) -> Values:
    """A file's row, in the order of `FILE_COLUMNS`."""
    name = storable_text(file.name)
    return (
        file.id,
        file.organization,
        file.key,
        storable_text(file.media_type),
        file.size,
        file.sha256,
        file.source.value,
        file.created_at,
        file.state.value,
        name,
        name.casefold(),
        file.job,
        file.expires_at,
        file.deleted_at,
        details_column(file.details),
        storable_text(file.problem),
    )


def details_column(details: MediaDetails | None) -> str | None:
    """What was found in a file's content, as it stands in its column."""
    if details is None:
        return None
    return dump({name: value for name, value in asdict(details).items() if value is not None})


def _details(column: str | None) -> MediaDetails | None:
    if column is None:
        return None
    found = {name: value for name, value in json.loads(column).items() if name in MediaDetails.__dataclass_fields__}
    return MediaDetails(**found | {"thumbnails": tuple(found.get("thumbnails", ()))})


def file_from(row: Row) -> File:
    """A file from its row."""
    return File(
        id=row["id"],
        organization=row["organization"],
        key=row["key"],
        media_type=row["media_type"],
        size=row["size"],
        sha256=row["sha256"],
        source=FileSource(row["source"]),
        created_at=row["created_at"],
        state=FileState(row["state"]),
        name=row["name"],
        job=row["job"],
        expires_at=row["expires_at"],
        deleted_at=row["deleted_at"],
        details=_details(row["details"]),
        problem=row["problem"],
    )


def made_by(attempts: Iterable[Attempt]) -> list[Values]:
    """What evidence says of files, in the order of `MADE_COLUMNS`; nothing where it speaks of none."""
    return [
        (attempt.id, file, *_content(attempt.artifact), attempt.settled_at or attempt.created_at)
        for attempt in attempts
        if attempt.artifact is not None
        and attempt.state is AttemptState.SUCCEEDED
        and (file := file_id_of(attempt.artifact.key)) is not None
    ]


def _content(artifact: Artifact) -> Values:
    return (artifact.key, artifact.media_type, artifact.size, artifact.sha256)


def uses_of(job: Job) -> list[Values]:
    """The files that a new job names in its inputs, in the order of `USE_COLUMNS`."""
    named = {
        file_id_of(value.removeprefix(STORAGE_PREFIX))
        for value in job.inputs.values()
        if isinstance(value, str) and value.startswith(STORAGE_PREFIX)
    }
    return [(file, job.id, job.organization) for file in sorted(file for file in named if file is not None)]


def file_gone(job: Job, file: str, place: str = "") -> InvalidRequest:
    """What a new job hears of a file that was deleted since it was looked up.

    Args:
        place: of the job among others, before the names of its fields.
    """
    names = [name for name, value in job.inputs.items() if isinstance(value, str) and file in value]
    wrong = tuple(FieldError(f"{place}inputs.{name}", "The file was deleted.") for name in names)
    return InvalidRequest(
        f"The file {file} was deleted.", hint="`GET /files` lists the files that there are.", errors=wrong
    )


_ID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.ASCII)


def place_of(cursor: str | None) -> str:
    """The id before which a page begins; ids are compared as text.

    Raises:
        InvalidRequest: the cursor is not one.
    """
    if cursor is None:
        return "g"  # after all of them
    if _ID.fullmatch(cursor) is None:
        raise InvalidRequest(
            f"{cursor[:100]!r} is no place in the list of files.", hint="Give the cursor of the page before, or none."
        )
    return cursor


FAMILY = "substr(media_type, 1, 5)"
"""`image` or `audio`; the words of an index."""


@dataclass(frozen=True, slots=True)
class Search:
    """How a page is found: by one of the conditions through an index, and by the others among what that finds.

    Attributes:
        index: the one that has the files in the order of their ids.
        first: columns that it has before the ids, beside the organization, with their values.
        others: further columns with their values.
        text: folded, to be found in the folded name.
        candidates: how many files the index is asked for at most.
    """

    index: str
    first: Mapping[str, str]
    others: Mapping[str, str]
    text: str | None
    candidates: int


def search_for(where: FileFilter, limit: int) -> Search:
    """How to find a page of up to `limit` files."""
    columns = {"job": (where.job, "files_of_job"), FAMILY: (where.family, "files_by_family")}
    columns["source"] = (where.source, "files_by_source")
    given = {column: (str(value), index) for column, (value, index) in columns.items() if value is not None}
    index = next((index for _, index in given.values()), "files_of_organization")
    values = {column: value for column, (value, _) in given.items()}
    first = dict(list(values.items())[:1])
    others = dict(list(values.items())[1:])
    text = None if where.text is None else where.text.casefold()
    return Search(index, first, others, text, limit + 1 if not others and text is None else LOOKED_THROUGH)


def page_of(found: Sequence[Row], limit: int, last_candidate: str | None) -> FilePage:
    """A page.

    Args:
        found: one more than the page has where there is one.
        last_candidate: where the search has stopped before it came to the end.
    """
    shown = [file_from(row) for row in found[:limit]]
    return FilePage(shown, shown[-1].id if shown and len(found) > limit else last_candidate)


def no_file(file_id: str) -> NotFound:
    return NotFound(f"There is no file {file_id[:100]}.", hint="GET /files lists the files there are.")


def deleted(file: File) -> Gone:
    return Gone(f"The file {file.id} was deleted.", hint="GET /files lists the files there are.")


def still_waiting(file: File) -> Conflict:
    return Conflict(
        f"The content of the file {file.id} has not been sent yet.",
        hint="Send it first; an upload that is not completed is given up by itself.",
    )


def in_use(file: File) -> Conflict:
    return Conflict(
        f"The file {file.id} is in use by a job that is not over.",
        hint="Wait for the job's end, or cancel it, and delete the file then.",
    )
