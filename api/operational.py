"""
The tables that this package keeps in the operational database, beside the outbox's.

Columns only. None of this is on the chain, and none of it is lost when the mirror is rebuilt.
"""

from typing import Final

from sqlalchemy import BigInteger, Column, Engine, Index, Integer, MetaData, Table, Text

KEPT: Final = MetaData()

# Nonces and tokens are kept as SHA-256 only: who reads this database can sign in as nobody.
NONCES: Final = Table(
    "sign_in_nonces",
    KEPT,
    Column("nonce_hash", Text, primary_key=True),
    Column("expires_at", BigInteger, nullable=False),
)

SESSIONS: Final = Table(
    "sessions",
    KEPT,
    Column("token_hash", Text, primary_key=True),
    Column("chain_id", BigInteger, nullable=False),
    Column("account", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("ended_at", BigInteger),
)

ACCESSES: Final = Table(
    "accesses",
    KEPT,
    Column("access_id", Integer, primary_key=True, autoincrement=True),
    Column("at", BigInteger, nullable=False),
    Column("participant_id", Text, nullable=False),
    Column("account", Text, nullable=False),
    Column("method", Text, nullable=False),
    Column("path", Text, nullable=False),
    Column("query", Text, nullable=False),
    Column("is_allowed", Integer, nullable=False),
    Index("accesses_by_participant", "participant_id", "access_id"),
)

# What documents call the things they describe: a copy, by digest, of a few fields for searching.
DOCUMENTS: Final = Table(
    "documents",
    KEPT,
    Column("digest", Text, primary_key=True),
    Column("title", Text, nullable=False),
    Column("overview", Text, nullable=False),
    Column("searched", Text, nullable=False),
)


def create_tables(engine: Engine) -> None:
    """Make the tables that are not there yet."""
    KEPT.create_all(engine)
