"""What attempts cost, by whose word and by what quantities, and what jobs may cost."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TEXT = sa.Text()


def upgrade() -> None:
    op.add_column("attempts", sa.Column("cost_source", TEXT, nullable=True))
    op.add_column("attempts", sa.Column("quantities", TEXT, nullable=False, server_default="{}"))
    op.add_column("jobs", sa.Column("max_cost", INTEGER, nullable=True))
    # Until now, only providers told costs.
    op.execute("UPDATE attempts SET cost_source = 'provider' WHERE cost IS NOT NULL")


def downgrade() -> None:
    op.drop_column("jobs", "max_cost")
    op.drop_column("attempts", "quantities")
    op.drop_column("attempts", "cost_source")
