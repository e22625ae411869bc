"""Several executors with leases, fair turns, deadlines, idempotency, batches, and the feed of events."""

import hashlib
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
REAL: sa.types.TypeEngine[Any] = sa.Double().with_variant(sa.REAL(), "sqlite")
TEXT = sa.Text()

_WAITING = "owner IS NULL AND status IN ('queued', 'running')"
_CLAIMABLE = f"{_WAITING} AND wake_at = 0"


def _column(name: str, kind: sa.types.TypeEngine[Any], **options: Any) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=False, **options)


def _optional(name: str, kind: sa.types.TypeEngine[Any]) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=True)


def _partial_index(name: str, table: str, columns: list[Any], condition: str) -> None:
    where = sa.text(condition)
    op.create_index(name, table, columns, sqlite_where=where, postgresql_where=where)


def _is_sqlite() -> bool:
    return op.get_bind().dialect.name == "sqlite"


def _jobs() -> None:
    for column in (
        _optional("batch", TEXT),
        _optional("start_by", INTEGER),
        _optional("finish_by", INTEGER),
        _column("on_ambiguous", TEXT, server_default="fail"),
        _column("crash_count", INTEGER, server_default="0"),
        _column("alone", INTEGER, server_default="0"),
        _column("lone_crash_count", INTEGER, server_default="0"),
        _optional("retried_at", INTEGER),
    ):
        op.add_column("jobs", column)
    op.drop_index("jobs_claimable", "jobs")
    op.drop_index("jobs_owned", "jobs")
    priority = sa.text("priority DESC")
    unsuspected = f"{_CLAIMABLE} AND crash_count < 2"
    _partial_index("jobs_claimable", "jobs", ["lane", "organization", priority, "id"], unsuspected)
    _partial_index("jobs_suspect", "jobs", ["id"], f"{_CLAIMABLE} AND crash_count >= 2")
    _partial_index("jobs_sleeping", "jobs", ["wake_at"], f"{_WAITING} AND wake_at > 0")
    _partial_index("jobs_to_start", "jobs", ["start_by"], "status = 'queued' AND start_by IS NOT NULL")
    _partial_index("jobs_to_finish", "jobs", ["finish_by"], f"{_WAITING} AND finish_by IS NOT NULL")
    _partial_index("jobs_owned", "jobs", ["organization", "owner"], "owner IS NOT NULL")
    _partial_index("jobs_of_batch", "jobs", ["batch", "status"], "batch IS NOT NULL")
    op.create_index("jobs_by_status", "jobs", ["organization", "status", "id"])
    op.create_index("jobs_by_pipeline", "jobs", ["organization", "pipeline", "status", "id"])


def _plans_out_of_jobs() -> None:
    """Thousands of jobs share a few plans: each is kept once, under its digest, as `plan_digest` in the code."""
    op.create_table("plans", _column("digest", TEXT, primary_key=True), _column("document", TEXT), sqlite_strict=True)
    connection = op.get_bind()
    for (document,) in connection.execute(sa.text("SELECT DISTINCT plan FROM jobs")).all():
        names = {"digest": hashlib.sha256(document.encode()).hexdigest(), "document": document}
        connection.execute(sa.text("INSERT INTO plans (digest, document) VALUES (:digest, :document)"), names)
        connection.execute(sa.text("UPDATE jobs SET plan = :digest WHERE plan = :document"), names)


def _attempts() -> None:
    op.add_column("attempts", _column("not_after", INTEGER, server_default="0"))
    op.add_column("attempts", _column("call_deadline", INTEGER, server_default="0"))
    op.add_column("attempts", _optional("handle", TEXT))
    op.add_column("attempts", _optional("output", TEXT))
    _retry_after(sa.Double())
    _partial_index("attempts_open", "attempts", ["created_at"], "state IN ('intended', 'pending')")


def _retry_after(kind: sa.types.TypeEngine[Any]) -> None:
    """PostgreSQL's REAL has half the bits of a number in Python; SQLite's has all of them."""
    if not _is_sqlite():
        op.alter_column("attempts", "retry_after", type_=kind)


def _events() -> None:
    """The feed needs one order over all jobs; on PostgreSQL that is the order of transactions that have ended."""
    op.rename_table("events", "events_of_0001")
    columns = [
        sa.Column("id", INTEGER, sa.Identity(), primary_key=True, autoincrement=True),
        _column("organization", TEXT),
        sa.Column("job", TEXT, sa.ForeignKey("jobs.id", ondelete="CASCADE"), nullable=False),
        _column("seq", INTEGER),
        _column("type", TEXT),
        _column("at", INTEGER),
        _column("data", TEXT),
    ]
    op.create_table("events", *columns, sqlite_strict=True, sqlite_autoincrement=True)
    op.execute(
        "INSERT INTO events (organization, job, seq, type, at, data) "
        "SELECT jobs.organization, job, seq, type, at, data FROM events_of_0001 JOIN jobs ON jobs.id = job "
        "ORDER BY at, job, seq"
    )
    op.drop_table("events_of_0001")
    op.create_index("events_of_job", "events", ["job", "seq"], unique=True)
    if _is_sqlite():
        op.create_index("events_of_organization", "events", ["organization", "id"])
    else:
        op.execute("ALTER TABLE events ADD COLUMN transaction_id xid8 NOT NULL DEFAULT pg_current_xact_id()")
        op.create_index("events_of_organization", "events", ["organization", "transaction_id", "id"])


def upgrade() -> None:
    op.add_column("organizations", _column("weight", REAL, server_default="1"))
    op.add_column("organizations", _optional("max_running", INTEGER))
    op.create_table(
        "executors",
        _column("id", TEXT, primary_key=True),
        _column("started_at", INTEGER),
        _column("lease_until", INTEGER),
        _column("state", TEXT),
        sqlite_strict=True,
    )
    op.create_table("lanes", _column("lane", TEXT, primary_key=True), _column("virtual_time", REAL), sqlite_strict=True)
    op.create_table(
        "shares",
        _column("lane", TEXT, primary_key=True),
        _column("organization", TEXT, primary_key=True),
        _column("virtual_time", REAL),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "batches",
        _column("id", TEXT, primary_key=True),
        sa.Column("organization", TEXT, sa.ForeignKey("organizations.id"), nullable=False),
        _column("created_at", INTEGER),
        _column("size", INTEGER),
        sqlite_strict=True,
    )
    op.create_table(
        "idempotency",
        _column("organization", TEXT, primary_key=True),
        _column("key", TEXT, primary_key=True),
        _column("fingerprint", TEXT),
        _optional("job", TEXT),
        _optional("batch", TEXT),
        _column("created_at", INTEGER),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_index("idempotency_by_age", "idempotency", ["created_at"])
    if not _is_sqlite():
        op.create_table(
            "writers",
            _column("id", TEXT, primary_key=True),
            _column("flush_number", INTEGER),
            _column("written_at", sa.DateTime(timezone=True), server_default=sa.text("now()")),
        )
    _jobs()
    _plans_out_of_jobs()
    _attempts()
    _events()


def downgrade() -> None:
    op.rename_table("events", "events_of_0002")
    op.create_table(
        "events",
        sa.Column("job", TEXT, sa.ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True),
        _column("seq", INTEGER, primary_key=True),
        _column("type", TEXT),
        _column("at", INTEGER),
        _column("data", TEXT),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.execute("INSERT INTO events (job, seq, type, at, data) SELECT job, seq, type, at, data FROM events_of_0002")
    op.drop_table("events_of_0002")
    op.drop_index("attempts_open", "attempts")
    for name in ("not_after", "call_deadline", "handle", "output"):
        op.drop_column("attempts", name)
    _retry_after(sa.REAL())
    op.execute("UPDATE jobs SET plan = (SELECT document FROM plans WHERE digest = jobs.plan)")
    _jobs_of_0001()
    tables = ["plans", "idempotency", "batches", "shares", "lanes", "executors"]
    for table in tables if _is_sqlite() else [*tables, "writers"]:
        op.drop_table(table)
    op.drop_column("organizations", "max_running")
    op.drop_column("organizations", "weight")


def _jobs_of_0001() -> None:
    for index in (
        "jobs_claimable",
        "jobs_suspect",
        "jobs_sleeping",
        "jobs_to_start",
        "jobs_to_finish",
        "jobs_owned",
        "jobs_of_batch",
        "jobs_by_status",
        "jobs_by_pipeline",
    ):
        op.drop_index(index, "jobs")
    for column in (
        "batch",
        "start_by",
        "finish_by",
        "on_ambiguous",
        "crash_count",
        "alone",
        "lone_crash_count",
        "retried_at",
    ):
        op.drop_column("jobs", column)
    _partial_index("jobs_claimable", "jobs", ["lane", "wake_at"], _WAITING)
    _partial_index("jobs_owned", "jobs", ["owner"], "owner IS NOT NULL")
