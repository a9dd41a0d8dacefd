"""
The layout of version 0.1.0, which had no number: what of it is there is taken as it is.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make what is not there."""
    _outbox()
    _sign_in()
    op.create_table(
        "documents",
        sa.Column("digest", sa.Text, primary_key=True),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("overview", sa.Text, nullable=False),
        sa.Column("searched", sa.Text, nullable=False),
        if_not_exists=True,
    )


def _outbox() -> None:
    op.create_table(
        "outbox_intents",
        sa.Column("chain_id", sa.BigInteger, primary_key=True),
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("intent", sa.Text, nullable=False),
        if_not_exists=True,
    )
    op.create_table(
        "outbox_entries",
        sa.Column("sequence", sa.Integer, primary_key=True),
        sa.Column("chain_id", sa.BigInteger, nullable=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in _TEXTS),
        sa.Column("prepared_at", sa.BigInteger, nullable=False),
        sa.Column("nonce", sa.BigInteger),
        sa.Column("raw", sa.Text),
        sa.Column("transaction_hash", sa.Text),
        sa.Column("target", sa.BigInteger),
        sa.Column("offset_seconds", sa.BigInteger),
        sa.Column("block_number", sa.BigInteger),
        sa.Column("block_hash", sa.Text),
        sa.Column("timestamp", sa.BigInteger),
        sa.Column("transaction_index", sa.Integer),
        sa.Column("problem", sa.Text),
        if_not_exists=True,
    )
    for name, columns, options in _INDEXES:
        op.create_index(name, "outbox_entries", list(columns), if_not_exists=True, **options)


def _sign_in() -> None:
    op.create_table(
        "sign_in_nonces",
        sa.Column("nonce_hash", sa.Text, primary_key=True),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        if_not_exists=True,
    )
    op.create_table(
        "sessions",
        sa.Column("token_hash", sa.Text, primary_key=True),
        sa.Column("chain_id", sa.BigInteger, nullable=False),
        sa.Column("account", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.Column("ended_at", sa.BigInteger),
        if_not_exists=True,
    )
    op.create_table(
        "accesses",
        sa.Column("access_id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("participant_id", sa.Text, nullable=False),
        sa.Column("account", sa.Text, nullable=False),
        sa.Column("method", sa.Text, nullable=False),
        sa.Column("path", sa.Text, nullable=False),
        sa.Column("query", sa.Text, nullable=False),
        sa.Column("is_allowed", sa.Integer, nullable=False),
        if_not_exists=True,
    )
    columns = ["participant_id", "access_id"]
    op.create_index("accesses_by_participant", "accesses", columns, if_not_exists=True)


_TEXTS = (
    "kind",
    "state",
    "key",
    "contract",
    "function",
    "content",
    "actor",
    "sender",
    "noun_id",
)
_INDEXES: tuple[tuple[str, tuple[str, ...], dict[str, Any]], ...] = (
    ("outbox_nonce", ("chain_id", "sender", "nonce"), {"unique": True}),
    ("outbox_block", ("chain_id", "block_number", "transaction_index"), {}),
    ("outbox_transaction", ("transaction_hash",), {}),
    ("outbox_state", ("chain_id", "state"), {}),
    (
        "outbox_key",
        ("chain_id", "key"),
        {"unique": True, "sqlite_where": sa.text("state <> 'FAILED'")},
    ),
)
