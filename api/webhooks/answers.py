"""
What the API and the command line answer about webhooks, their messages and attempts.

It decides nothing.
"""

from collections.abc import Sequence
from typing import Final

import orjson
from sqlalchemy import Engine

from api.models import Json, described, names_of
from api.webhooks.calls import Outcome
from api.webhooks.deliveries import Attempt, DeliveryState, Sending, attempts_of, log_of
from api.webhooks.endpoints import Webhook, WebhookState
from api.wire import make_model, time_text
from chain.values import checksum_address

_WEBHOOK = {
    "webhook_id": (str, "Its id."),
    "participant_id": (str, "Whose it is."),
    "account": (str, "The account that made it."),
    "url": (str, "Where events are sent."),
    "about": (str | None, "Only events that hold this id."),
    "contract": (str | None, "Only events of this contract."),
    "name": (str | None, "Only events of this name."),
    "is_final": (bool, "Whether only what no fork can undo is sent."),
    "state": (names_of(WebhookState), "PAUSED until somebody resumes it."),
    "reason": (str, "Why it is paused."),
    "failures": (int, "Failures since the last success."),
    "due_at": (str | None, "When it is tried next, RFC 3339 in UTC."),
    "position": (str, "Up to where events were put into its queue."),
    "previous_secret_until": (str | None, "Until when the secret before signs too."),
    "created_at": (str | None, "When it was made, RFC 3339 in UTC."),
}
WEBHOOK: Final = make_model("WebhookOut", described(_WEBHOOK), doc="A webhook.")
WEBHOOK_LIST: Final = make_model(
    "WebhookList",
    described({"items": (list[WEBHOOK], "All of them, oldest first.")}),  # type: ignore[valid-type]
    doc="Your webhooks.",
)
MADE: Final = make_model(
    "WebhookMade",
    described({**_WEBHOOK, "secret": (str, "What signs from now on; it is never shown again.")}),
    doc="A webhook with its secret.",
)
ATTEMPT: Final = make_model(
    "WebhookAttempt",
    described(
        {
            "at": (str | None, "When, RFC 3339 in UTC."),
            "milliseconds": (int, "How long it took."),
            "outcome": (names_of(Outcome), "What became of it."),
            "status": (int | None, "The status that was answered."),
            "said": (str, "How the answer began, or what went wrong."),
        }
    ),
    doc="An attempt to send.",
)
DELIVERY: Final = make_model(
    "WebhookDelivery",
    described(
        {
            "number": (int, "Its number among the webhook's messages, from 1, in order."),
            "message_id": (str, "The `webhook-id`: the same however often it is sent."),
            "type": (str, "The event's name, or `rewind`."),
            "position": (str, "Where it stands in the order of events."),
            "state": (
                names_of(DeliveryState),
                "PENDING; DELIVERED; ASKED: delivered, and to be sent once more.",
            ),
            "attempt_count": (int, "How often it was tried."),
            "outcome": (str | None, "What became of the last attempt."),
            "status": (int | None, "The status that was answered last."),
            "created_at": (str | None, "When it came into the queue, RFC 3339 in UTC."),
            "attempted_at": (str | None, "When it was last tried."),
            "attempts": (list[ATTEMPT], "Every attempt."),  # type: ignore[valid-type]
            "body": (dict[str, object], "What is sent."),
        }
    ),
    doc="A message to a webhook.",
)
DELIVERY_PAGE: Final = make_model(
    "WebhookDeliveryPage",
    described(
        {
            "items": (list[DELIVERY], "The newest first."),  # type: ignore[valid-type]
            "next": (int | None, "What to give as `before` for older ones; null at the end."),
        }
    ),
    doc="Messages to a webhook.",
)


def tell_webhook(webhook: Webhook) -> Json:
    """Return a webhook as JSON, without any secret."""
    return {
        "webhook_id": webhook.webhook_id,
        "participant_id": webhook.participant_id,
        "account": checksum_address(webhook.account),
        "url": webhook.url,
        "about": webhook.wanted.about,
        "contract": webhook.wanted.contract,
        "name": webhook.wanted.name,
        "is_final": webhook.wanted.is_final,
        "state": webhook.state.name,
        "reason": webhook.reason,
        "failures": webhook.failures,
        "due_at": time_text(webhook.due_at),
        "position": str(webhook.position),
        "previous_secret_until": time_text(webhook.previous_until),
        "created_at": time_text(webhook.created_at),
    }


def tell_made(webhook: Webhook, secret: str) -> Json:
    """Return a webhook with its secret, once."""
    return {**tell_webhook(webhook), "secret": secret}


def tell_deliveries(webhook: Webhook, engine: Engine, *, before: int | None, limit: int) -> Json:
    """Return a page of a webhook's messages."""
    found = log_of(engine, webhook.webhook_id, before=before, limit=limit + 1)
    shown = found[:limit]
    attempts = attempts_of(engine, webhook.webhook_id, [one.number for one in shown])
    return {
        "items": [tell_sending(one, attempts[one.number]) for one in shown],
        "next": shown[-1].number if len(found) > limit else None,
    }


def tell_sending(sending: Sending, attempts: Sequence[Attempt]) -> Json:
    """Return a message as JSON."""
    return {
        "number": sending.number,
        "message_id": sending.message_id,
        "type": sending.kind,
        "position": sending.position,
        "state": sending.state.name,
        "attempt_count": sending.attempts,
        "outcome": sending.outcome,
        "status": sending.status,
        "created_at": time_text(sending.created_at),
        "attempted_at": None if sending.attempted_at is None else time_text(sending.attempted_at),
        "attempts": [_attempt(one) for one in attempts],
        "body": orjson.loads(sending.body),
    }


def _attempt(attempt: Attempt) -> Json:
    return {
        "at": time_text(attempt.at),
        "milliseconds": attempt.milliseconds,
        "outcome": attempt.outcome,
        "status": attempt.status,
        "said": attempt.said,
    }
