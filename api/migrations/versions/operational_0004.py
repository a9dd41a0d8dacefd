"""
Adds what of the ledger's content is kept here, and the rounds of looking at it.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "contents",
        sa.Column("digest", sa.Text, primary_key=True),
        sa.Column("algorithm", sa.Text, nullable=False),
        sa.Column("sha256", sa.Text),
        sa.Column("cid", sa.Text),
        sa.Column("size_bytes", sa.BigInteger),
        sa.Column("named_by", sa.Text, nullable=False),
        sa.Column("named_block", sa.BigInteger),
        sa.Column("kept_at", sa.BigInteger),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("copies", sa.Text, nullable=False),
        sa.Column("checked_at", sa.BigInteger),
        sa.Column("round_id", sa.Integer, nullable=False),
    )
    op.create_index("contents_by_round", "contents", ["round_id", "digest"])
    op.create_index("contents_by_state", "contents", ["state", "digest"])
    op.create_index("contents_by_copies", "contents", ["copies"])
    op.create_table(
        "content_rounds",
        sa.Column("round_id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("began_at", sa.BigInteger, nullable=False),
        sa.Column("ended_at", sa.BigInteger),
        sa.Column("trouble", sa.Text, nullable=False),
    )
