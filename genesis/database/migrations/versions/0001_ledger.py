"""The job ledger: organizations, jobs, steps, attempts, events."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from genesis.domain.organization import DEFAULT_ORGANIZATION

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TEXT = sa.Text()


def _column(name: str, kind: sa.types.TypeEngine[Any], **options: Any) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=False, **options)


def _optional(name: str, kind: sa.types.TypeEngine[Any]) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=True)


def _jobs() -> None:
    op.create_table(
        "jobs",
        _column("id", TEXT, primary_key=True),
        sa.Column("organization", TEXT, sa.ForeignKey("organizations.id"), nullable=False),
        _column("pipeline", TEXT),
        _column("status", TEXT),
        _column("lane", TEXT),
        _column("priority", INTEGER, server_default="0"),
        _column("wake_at", INTEGER),
        _optional("owner", TEXT),
        _column("epoch", INTEGER, server_default="0"),
        _optional("cancel_requested_at", INTEGER),
        _column("event_seq", INTEGER, server_default="0"),
        _column("created_at", INTEGER),
        _optional("started_at", INTEGER),
        _optional("completed_at", INTEGER),
        _column("inputs", TEXT),
        _column("options", TEXT),
        _column("plan", TEXT),
        _column("outputs", TEXT, server_default="{}"),
        _optional("failure", TEXT),
        sqlite_strict=True,
    )
    op.create_index("jobs_of_organization", "jobs", ["organization", "id"])
    claimable = sa.text("owner IS NULL AND status IN ('queued', 'running')")
    op.create_index("jobs_claimable", "jobs", ["lane", "wake_at"], sqlite_where=claimable, postgresql_where=claimable)
    owned = sa.text("owner IS NOT NULL")
    op.create_index("jobs_owned", "jobs", ["owner"], sqlite_where=owned, postgresql_where=owned)


def _steps() -> None:
    op.create_table(
        "steps",
        sa.Column("job", TEXT, sa.ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True),
        _column("number", INTEGER, primary_key=True),
        _column("name", TEXT),
        _column("capability", TEXT),
        _column("state", TEXT),
        _optional("output", TEXT),
        _optional("failure", TEXT),
        _optional("started_at", INTEGER),
        _optional("completed_at", INTEGER),
        _optional("retry_at", INTEGER),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )


def _attempts() -> None:
    op.create_table(
        "attempts",
        _column("id", TEXT, primary_key=True),
        sa.Column("job", TEXT, sa.ForeignKey("jobs.id", ondelete="CASCADE"), nullable=False),
        _column("step", TEXT),
        _column("number", INTEGER),
        _column("call_key", TEXT),
        _column("target", TEXT),
        _column("provider_class", TEXT),
        _column("state", TEXT),
        _column("created_at", INTEGER),
        _optional("settled_at", INTEGER),
        _optional("failure", TEXT),
        _optional("cost", INTEGER),
        _optional("retry_after", sa.REAL()),
        _column("warnings", TEXT, server_default="[]"),
        _column("usage", TEXT, server_default="{}"),
        sqlite_strict=True,
    )
    op.create_index("attempts_of_job", "attempts", ["job", "step", "number"], unique=True)


def _events() -> None:
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


def upgrade() -> None:
    organizations = op.create_table(
        "organizations", _column("id", TEXT, primary_key=True), _column("name", TEXT), sqlite_strict=True
    )
    op.bulk_insert(organizations, [{"id": DEFAULT_ORGANIZATION, "name": "default"}])
    _jobs()
    _steps()
    _attempts()
    _events()


def downgrade() -> None:
    for table in ("events", "attempts", "steps", "jobs", "organizations"):
        op.drop_table(table)
