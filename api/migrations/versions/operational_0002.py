"""
Adds what the mirror's audit of itself found.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "alarms",
        sa.Column("alarm_id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("raised_at", sa.BigInteger, nullable=False),
        sa.Column("block_number", sa.BigInteger, nullable=False),
        sa.Column("said", sa.Text, nullable=False),
        sa.Column("cleared_at", sa.BigInteger),
    )
