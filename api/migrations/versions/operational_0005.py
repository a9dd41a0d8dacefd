"""
Tells the rounds of the server from the runs that a person asked for, and what each has read.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add the columns: so far all rounds count as the server's."""
    op.add_column("contents", sa.Column("run_id", sa.Integer, nullable=False, server_default="0"))
    op.create_index("contents_by_run", "contents", ["run_id", "digest"])
    op.add_column(
        "content_rounds", sa.Column("purpose", sa.Text, nullable=False, server_default="WATCH")
    )
