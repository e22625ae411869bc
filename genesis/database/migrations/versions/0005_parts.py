"""Parts of steps that are too long for one call, as steps of their own."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("steps", sa.Column("part", sa.Text(), nullable=True))


def downgrade() -> None:
    # Parts stay as what they are without the column: steps that the plan does not have. What was paid for them is not lost.
    op.drop_column("steps", "part")
