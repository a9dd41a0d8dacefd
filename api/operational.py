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


# What the mirror's audit of itself found, until a whole audit finds all equal again.
ALARMS: Final = Table(
    "alarms",
    KEPT,
    Column("alarm_id", Integer, primary_key=True, autoincrement=True),
    Column("raised_at", BigInteger, nullable=False),
    Column("block_number", BigInteger, nullable=False),
    Column("said", Text, nullable=False),
    Column("cleared_at", BigInteger),
)

# Where participants have events sent to. Their secrets are made from a key that is not in here.
WEBHOOKS: Final = Table(
    "webhooks",
    KEPT,
    Column("webhook_id", Text, primary_key=True),
    Column("chain_id", BigInteger, nullable=False),
    Column("participant_id", Text, nullable=False),
    Column("account", Text, nullable=False),
    Column("url", Text, nullable=False),
    Column("about", Text),
    Column("contract", Text),
    Column("name", Text),
    Column("is_final", Integer, nullable=False),
    Column("position", Text, nullable=False),
    Column("generation", Integer, nullable=False),
    Column("previous_until", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("due_at", BigInteger, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("changed_at", BigInteger, nullable=False),
    Index("webhooks_by_participant", "chain_id", "participant_id"),
)

WEBHOOK_DELIVERIES: Final = Table(
    "webhook_deliveries",
    KEPT,
    Column("webhook_id", Text, primary_key=True),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("message_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("position", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("attempted_at", BigInteger),
    Column("outcome", Text),
    Column("status", Integer),
    Index("webhook_deliveries_by_state", "webhook_id", "state", "number"),
)

WEBHOOK_ATTEMPTS: Final = Table(
    "webhook_attempts",
    KEPT,
    Column("attempt_id", Integer, primary_key=True, autoincrement=True),
    Column("webhook_id", Text, nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("milliseconds", BigInteger, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("status", Integer),
    Column("said", Text, nullable=False),
    Index("webhook_attempts_by_delivery", "webhook_id", "number", "attempt_id"),
)


# What the ledger names by digest, and what of it is kept here: who has it, as last looked at.
CONTENTS: Final = Table(
    "contents",
    KEPT,
    Column("digest", Text, primary_key=True),
    Column("algorithm", Text, nullable=False),
    Column("sha256", Text),
    Column("cid", Text),
    Column("size_bytes", BigInteger),
    Column("named_by", Text, nullable=False),
    Column("named_block", BigInteger),
    Column("kept_at", BigInteger),
    Column("state", Text, nullable=False),
    Column("copies", Text, nullable=False),
    Column("checked_at", BigInteger),
    # The server's round that read it last, and the run of a person's that did.
    Column("round_id", Integer, nullable=False),
    Column("run_id", Integer, nullable=False, server_default="0"),
    Index("contents_by_round", "round_id", "digest"),
    Index("contents_by_run", "run_id", "digest"),
    Index("contents_by_state", "state", "digest"),
    Index("contents_by_copies", "copies"),
)

# Each time that all of it is looked at, however often that is interrupted.
CONTENT_ROUNDS: Final = Table(
    "content_rounds",
    KEPT,
    Column("round_id", Integer, primary_key=True, autoincrement=True),
    Column("began_at", BigInteger, nullable=False),
    Column("ended_at", BigInteger),
    Column("trouble", Text, nullable=False),
    Column("purpose", Text, nullable=False, server_default="WATCH"),
)


def create_tables(engine: Engine) -> None:
    """
    Bring the operational database to this version's layout, whatever it was.

    :raises DatabaseNewer: if a newer version of this program wrote it
    """
    from api.migrations import upgrade

    upgrade(engine)
