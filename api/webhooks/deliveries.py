"""
What is sent to a webhook, in order: the queue, and the log of every attempt.

It sends nothing (`api.webhooks.deliverer`). A message's id is made from what it tells, so that it
is the same whenever the same thing is told again to the same webhook.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, Final

import orjson
from sqlalchemy import Connection, Engine, RowMapping, delete, func, insert, or_, select, update

from api.events import tell_event
from api.models import Json
from api.operational import WEBHOOK_ATTEMPTS, WEBHOOK_DELIVERIES, WEBHOOKS
from api.streaming.feed import Told
from api.streaming.positions import Position
from api.webhooks.calls import Called, Outcome
from api.webhooks.endpoints import Webhook, WebhookState
from api.webhooks.signing import message_id
from api.wire import time_text
from chain.failure import Conflict, NotFound

REWIND: Final = "rewind"
# So many deliveries of a webhook are kept; what is older was told, and is on the chain.
KEPT_MAX: Final = 10_000
PRUNED_AT_ONCE: Final = 500


class DeliveryUnknown(NotFound):
    """This webhook has no delivery of this number, or none any more."""

    webhook_id: str
    number: int


class DeliveryPending(Conflict):
    """The delivery is still being tried."""

    webhook_id: str
    number: int


class DeliveryState(Enum):
    """PENDING waits for its turn; ASKED was delivered, and is to be sent once more."""

    PENDING = auto()
    DELIVERED = auto()
    ASKED = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """A message of a webhook's queue; `number` counts its messages from 1, in order."""

    webhook_id: str
    number: int
    message_id: str
    kind: str
    position: str
    body: bytes
    state: DeliveryState
    attempts: int
    created_at: int
    attempted_at: int | None
    outcome: str | None
    status: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One attempt to send a message; `said` is how the answer began, or what went wrong."""

    number: int
    at: int
    milliseconds: int
    outcome: str
    status: int | None
    said: str


def enqueue(engine: Engine, webhook: Webhook, told: Told, *, now: int) -> bool:
    """
    Put what comes next into a webhook's queue, and say whether it is still active.

    ensures: the messages and the position after them are kept in one transaction, so that neither
             is lost nor told twice, whenever the process ends
    """
    with engine.begin() as connection:
        here = WEBHOOKS.c.webhook_id == webhook.webhook_id
        moved = connection.execute(
            update(WEBHOOKS)
            .where(
                here,
                WEBHOOKS.c.state == WebhookState.ACTIVE.name,
                WEBHOOKS.c.position == str(webhook.position),
            )
            .values(position=str(told.after))
        )
        if moved.rowcount != 1:
            return False
        highest = func.max(WEBHOOK_DELIVERIES.c.number)
        query = select(highest).where(WEBHOOK_DELIVERIES.c.webhook_id == webhook.webhook_id)
        last = connection.execute(query).scalar() or 0
        rows = [
            {**row, "number": last + place, "created_at": now}
            for place, row in enumerate(_rows(webhook, told), start=1)
        ]
        if rows:
            connection.execute(insert(WEBHOOK_DELIVERIES), rows)
            if last // PRUNED_AT_ONCE != (last + len(rows)) // PRUNED_AT_ONCE:
                _prune(connection, webhook.webhook_id, last)
    return True


def waiting(engine: Engine, webhook_id: str, *, limit: int) -> tuple[Sending, ...]:
    """Return the messages that are to be sent: what was asked for again, then the queue."""
    kept = WEBHOOK_DELIVERIES.c
    state = or_(kept.state == DeliveryState.ASKED.name, kept.state == DeliveryState.PENDING.name)
    query = select(WEBHOOK_DELIVERIES).where(kept.webhook_id == webhook_id, state)
    with engine.connect() as connection:
        ordered = query.order_by(kept.state, kept.number).limit(limit)
        found = connection.execution_options(reads=True).execute(ordered)
        return tuple(_sending(row) for row in found.mappings())


def note_attempt(
    engine: Engine, sending: Sending, called: Called, *, at: int, milliseconds: int
) -> None:
    """Keep what became of an attempt: delivered, or to be tried again unless it was a repeat."""
    is_done = called.outcome is Outcome.DELIVERED or sending.state is DeliveryState.ASKED
    state = DeliveryState.DELIVERED if is_done else DeliveryState.PENDING
    with engine.begin() as connection:
        connection.execute(
            insert(WEBHOOK_ATTEMPTS).values(
                webhook_id=sending.webhook_id,
                number=sending.number,
                at=at,
                milliseconds=milliseconds,
                outcome=called.outcome.name,
                status=called.status,
                said=called.said,
            )
        )
        connection.execute(
            update(WEBHOOK_DELIVERIES)
            .where(*_here(sending.webhook_id, sending.number))
            .values(
                state=state.name,
                attempts=WEBHOOK_DELIVERIES.c.attempts + 1,
                attempted_at=at,
                outcome=called.outcome.name,
                status=called.status,
            )
        )


def ask_again(engine: Engine, webhook_id: str, number: int) -> Sending:
    """
    Have a message sent once more, with the same id, and return it.

    :raises DeliveryUnknown: if there is none of that number
    :raises DeliveryPending: if it was not delivered yet
    """
    with engine.begin() as connection:
        query = select(WEBHOOK_DELIVERIES).where(*_here(webhook_id, number))
        row = connection.execute(query).mappings().first()
        if row is None:
            raise DeliveryUnknown(webhook_id=webhook_id, number=number)
        if row["state"] == DeliveryState.PENDING.name:
            raise DeliveryPending(webhook_id=webhook_id, number=number)
        asked = {"state": DeliveryState.ASKED.name}
        connection.execute(
            update(WEBHOOK_DELIVERIES).where(*_here(webhook_id, number)).values(asked)
        )
    return _sending({**row, **asked})


def log_of(
    engine: Engine, webhook_id: str, *, before: int | None, limit: int
) -> tuple[Sending, ...]:
    """Return messages, the newest first, below a number."""
    kept = WEBHOOK_DELIVERIES.c
    conditions = [kept.webhook_id == webhook_id]
    if before is not None:
        conditions.append(kept.number < before)
    query = select(WEBHOOK_DELIVERIES).where(*conditions)
    with engine.connect() as connection:
        ordered = query.order_by(kept.number.desc()).limit(limit)
        found = connection.execution_options(reads=True).execute(ordered)
        return tuple(_sending(row) for row in found.mappings())


def attempts_of(
    engine: Engine, webhook_id: str, numbers: Sequence[int]
) -> dict[int, list[Attempt]]:
    """Return the attempts to send these messages, in their order."""
    kept = WEBHOOK_ATTEMPTS.c
    query = (
        select(WEBHOOK_ATTEMPTS)
        .where(kept.webhook_id == webhook_id, kept.number.in_(list(numbers)))
        .order_by(kept.attempt_id)
    )
    found: dict[int, list[Attempt]] = {number: [] for number in numbers}
    with engine.connect() as connection:
        for row in connection.execution_options(reads=True).execute(query):
            found[row.number].append(
                Attempt(
                    number=row.number,
                    at=row.at,
                    milliseconds=row.milliseconds,
                    outcome=row.outcome,
                    status=row.status,
                    said=row.said,
                )
            )
    return found


def _rows(webhook: Webhook, told: Told) -> list[Json]:
    rows = []
    if told.rewound_to is not None:
        lost = {"to_block": told.rewound_to.block_number}
        at = time_text(told.tip.timestamp)
        rows.append(_row(webhook, REWIND, told.rewound_to, at, lost))
    for position, entry in told.entries:
        data = tell_event(entry, final_number=told.final_number)
        rows.append(_row(webhook, data["name"], position, data["time"], data))
    return rows


def _row(webhook: Webhook, kind: str, position: Position, at: str | None, data: Json) -> Json:
    place = str(position)
    body = {"type": kind, "timestamp": at, "data": {**data, "position": place}}
    return {
        "webhook_id": webhook.webhook_id,
        "message_id": message_id(webhook.webhook_id, kind, place),
        "kind": kind,
        "position": place,
        "body": orjson.dumps(body).decode("utf-8"),
        "state": DeliveryState.PENDING.name,
        "attempts": 0,
    }


def _prune(connection: Connection, webhook_id: str, last: int) -> None:
    for table in (WEBHOOK_DELIVERIES, WEBHOOK_ATTEMPTS):
        old = [table.c.webhook_id == webhook_id, table.c.number <= last - KEPT_MAX]
        if table is WEBHOOK_DELIVERIES:
            old.append(table.c.state == DeliveryState.DELIVERED.name)
        connection.execute(delete(table).where(*old))


def _here(webhook_id: str, number: int) -> list[Any]:
    kept = WEBHOOK_DELIVERIES.c
    return [kept.webhook_id == webhook_id, kept.number == number]


def _sending(row: RowMapping | Json) -> Sending:
    return Sending(
        webhook_id=row["webhook_id"],
        number=row["number"],
        message_id=row["message_id"],
        kind=row["kind"],
        position=row["position"],
        body=row["body"].encode("utf-8"),
        state=DeliveryState[row["state"]],
        attempts=row["attempts"],
        created_at=row["created_at"],
        attempted_at=row["attempted_at"],
        outcome=row["outcome"],
        status=row["status"],
    )
