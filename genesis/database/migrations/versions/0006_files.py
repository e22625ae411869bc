"""Records of files: of those that are uploaded, and of those that jobs make, the ones made until now among them."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql, sqlite

from genesis.domain.artifact import STORAGE_PREFIX
from genesis.net.media import type_of_extension

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TEXT = sa.Text()

_NOT_DELETED = "state <> 'deleted'"
# What a step put into the store: `folder/ID.extension`. Parts of recordings have more than an id in their names.
_MADE = re.compile(
    re.escape(STORAGE_PREFIX) + r"([a-z0-9_-]+/([0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12})\.([a-z0-9]{1,8}))",
    re.ASCII,
)
# 500 rows are read, and written, at a time: with seven parameters each, of which SQLite takes 32,766.
_STEPS = sa.text(
    "SELECT steps.job, steps.number, steps.output, jobs.organization, "
    "coalesce(steps.completed_at, jobs.completed_at, jobs.created_at) AS made_at "
    "FROM steps JOIN jobs ON jobs.id = steps.job "
    "WHERE (steps.job, steps.number) > (:job, :number) AND steps.output LIKE '%/storage/%' "
    "ORDER BY steps.job, steps.number LIMIT 500"
)
# Their output is kept where it came when their job had gone on without it.
_ATTEMPTS = sa.text(
    "SELECT attempts.id, attempts.job, attempts.output, jobs.organization, "
    "coalesce(attempts.settled_at, attempts.created_at) AS made_at "
    "FROM attempts JOIN jobs ON jobs.id = attempts.job "
    "WHERE attempts.id > :id AND attempts.output LIKE '%/storage/%' ORDER BY attempts.id LIMIT 500"
)
_JOBS = sa.text(
    "SELECT id, organization, inputs FROM jobs WHERE id > :job AND inputs LIKE '%/storage/%' ORDER BY id LIMIT 500"
)


def _column(name: str, kind: sa.types.TypeEngine[Any], **options: Any) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=False, **options)


def _optional(name: str, kind: sa.types.TypeEngine[Any]) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=True)


def _partial_index(name: str, table: str, columns: list[Any], condition: str) -> None:
    where = sa.text(condition)
    op.create_index(name, table, columns, sqlite_where=where, postgresql_where=where)


def _files() -> sa.Table:
    files = op.create_table(
        "files",
        _column("id", TEXT, primary_key=True),
        sa.Column("organization", TEXT, sa.ForeignKey("organizations.id"), nullable=False),
        _column("key", TEXT, unique=True),
        _column("media_type", TEXT),
        _optional("size", INTEGER),
        _optional("sha256", TEXT),
        _column("source", TEXT),
        _column("created_at", INTEGER),
        _column("state", TEXT, server_default="ready"),
        _column("name", TEXT, server_default=""),
        _column("folded_name", TEXT, server_default=""),
        _optional("job", TEXT),
        _optional("expires_at", INTEGER),
        _optional("deleted_at", INTEGER),
        _optional("details", TEXT),
        _column("problem", TEXT, server_default=""),
        sqlite_strict=True,
    )
    family = sa.text("substr(media_type, 1, 5)")
    _partial_index("files_of_organization", "files", ["organization", "id"], _NOT_DELETED)
    _partial_index("files_by_source", "files", ["organization", "source", "id"], _NOT_DELETED)
    _partial_index("files_by_family", "files", ["organization", family, "id"], _NOT_DELETED)
    _partial_index("files_of_job", "files", ["organization", "job", "id"], f"job IS NOT NULL AND {_NOT_DELETED}")
    _partial_index("files_unexamined", "files", ["id"], "state = 'ready' AND details IS NULL")
    _partial_index("files_to_expire", "files", ["expires_at"], f"expires_at IS NOT NULL AND {_NOT_DELETED}")
    _partial_index("files_by_age", "files", ["organization", "created_at"], f"expires_at IS NULL AND {_NOT_DELETED}")
    return files


def _file_uses() -> sa.Table:
    uses = op.create_table(
        "file_uses",
        sa.Column("file", TEXT, sa.ForeignKey("files.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("job", TEXT, sa.ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_index("file_uses_of_job", "file_uses", ["job"])
    return uses


def upgrade() -> None:
    op.add_column("organizations", _optional("file_retention_seconds", INTEGER))
    op.create_table(
        "secrets", _column("name", TEXT, primary_key=True), _column("value", sa.LargeBinary()), sqlite_strict=True
    )
    # An attempt whose key is its id is found by that.
    _partial_index("attempts_by_call", "attempts", ["call_key"], "call_key <> id")
    files, uses = _files(), _file_uses()
    for query, place in ((_STEPS, {"job": "", "number": -1}), (_ATTEMPTS, {"id": ""})):
        for rows in _made(query, place):
            _add(files, rows)
    for rows in _used():
        _add(uses, rows)


def downgrade() -> None:
    op.drop_index("attempts_by_call", "attempts")
    for table in ("file_uses", "files", "secrets"):
        op.drop_table(table)
    op.drop_column("organizations", "file_retention_seconds")


def _add(table: sa.Table, rows: list[dict[str, Any]]) -> None:
    """Adds rows, leaving out those that there are."""
    connection = op.get_bind()
    if rows:
        dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
        connection.execute(dialect.insert(table).values(rows).on_conflict_do_nothing())


def _made(query: sa.TextClause, place: Mapping[str, Any]) -> Iterator[list[dict[str, Any]]]:
    """Records of what steps or attempts have made; size and digest are found out when their contents are looked at.

    Args:
        place: before the first of them, by the columns that they are in the order of.
    """
    connection = op.get_bind()
    while outputs := connection.execute(query, place).mappings().all():
        yield [
            {
                "id": match[2],
                "organization": output["organization"],
                "key": match[1],
                "media_type": type_of_extension(match[3]),
                "source": "job",
                "created_at": output["made_at"],
                "job": output["job"],
            }
            for output in outputs
            for match in _named(output["output"], "_url")
        ]
        place = {name: outputs[-1][name] for name in place}


def _used() -> Iterator[list[dict[str, Any]]]:
    """Which jobs take files of their own organization as inputs."""
    connection, last = op.get_bind(), ""
    owners = sa.text("SELECT id, organization FROM files WHERE id IN :ids").bindparams(
        sa.bindparam("ids", expanding=True)
    )
    while jobs := connection.execute(_JOBS, {"job": last}).mappings().all():
        named = {(match[2], job["id"]): job["organization"] for job in jobs for match in _named(job["inputs"])}
        ids = sorted({file for file, _ in named})
        found = connection.execute(owners, {"ids": ids}).mappings().all() if ids else []
        owner = {row["id"]: row["organization"] for row in found}
        yield [
            {"file": file, "job": job} for (file, job), organization in named.items() if owner.get(file) == organization
        ]
        last = jobs[-1]["id"]


def _named(document: str, ending: str = "") -> Iterable[re.Match[str]]:
    """The files that a JSON object names, each of which is a value of its own.

    Args:
        ending: of the names that such values have.
    """
    values = json.loads(document)
    fields: Mapping[str, Any] = values if isinstance(values, dict) else {}
    texts = (value for name, value in fields.items() if name.endswith(ending) and isinstance(value, str))
    return [match for text in texts if (match := _MADE.fullmatch(text))]
