"""Finds the attempts whose outcome is unknown and can be asked for."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_CONDITION = sa.text("state = 'unknown' AND handle IS NOT NULL")


def upgrade() -> None:
    op.create_index(
        "attempts_in_doubt", "attempts", ["settled_at"], sqlite_where=_CONDITION, postgresql_where=_CONDITION
    )


def downgrade() -> None:
    op.drop_index("attempts_in_doubt", "attempts")
