"""
Where participants have events sent to: made, listed, paused, given new secrets, ended.

Nothing is deleted: what ended keeps its row and its log. What is sent is
`api.webhooks.deliveries`', when is `api.webhooks.deliverer`'s. Whoever owns a webhook sees it, and
nobody else learns that it exists.
"""

import secrets
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, Final

from sqlalchemy import Engine, RowMapping, func, insert, select, update

from api.operational import WEBHOOKS
from api.streaming.positions import Position
from api.streaming.wanted import Wanted
from api.webhooks.calls import Reach, check_url
from api.webhooks.signing import SecretKey, secret_text
from chain.failure import Conflict, NotFound
from chain.values import Address, ParticipantId

# How many webhooks an organisation may have at a time.
WEBHOOKS_MAX: Final = 16
# How long the secret before still signs beside the new one.
ROTATION_SECONDS: Final = 24 * 3600
ID_BYTES: Final = 16
ID_PATTERN: Final = r"^wh_[0-9a-f]{32}$"


class WebhookNotFound(NotFound):
    """You have no webhook of this id."""

    webhook_id: str


class TooManyWebhooks(Conflict):
    """You have as many webhooks as one may: end one first."""

    webhooks_max: int


class WebhookStateWrong(Conflict):
    """The webhook's state does not allow this."""

    webhook_id: str
    state: str


class WebhookState(Enum):
    """What becomes of new events: sent, kept until somebody resumes it, or nothing any more."""

    ACTIVE = auto()
    PAUSED = auto()
    ENDED = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """
    An address that events are sent to.

    shape: `position` is that of the last event that was put into its queue; `failures` counts since
           the last success; `reason` says why it is paused
    """

    webhook_id: str
    participant_id: ParticipantId
    account: Address
    url: str
    wanted: Wanted
    position: Position
    generation: int
    previous_until: int
    state: WebhookState
    reason: str
    failures: int
    due_at: int
    created_at: int
    changed_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhooks:
    """The webhooks of one chain, in the operational database."""

    engine: Engine
    chain_id: int
    key: SecretKey
    reach: Reach

    def add(
        self,
        *,
        participant_id: ParticipantId,
        account: Address,
        url: str,
        wanted: Wanted,
        position: Position,
        now: int,
    ) -> tuple[Webhook, str]:
        """
        Make a webhook, and return it with its secret, which is never told again.

        :raises WebhookUrlRefused: if nothing is sent to such a URL
        :raises TooManyWebhooks: if the participant has as many as one may
        """
        check_url(url, self.reach)
        webhook_id = f"wh_{secrets.token_hex(ID_BYTES)}"
        row = {
            "webhook_id": webhook_id,
            "chain_id": self.chain_id,
            "participant_id": participant_id,
            "account": account,
            "url": url,
            "about": wanted.about,
            "contract": wanted.contract,
            "name": wanted.name,
            "is_final": int(wanted.is_final),
            "position": str(position),
            "generation": 1,
            "previous_until": 0,
            "state": WebhookState.ACTIVE.name,
            "reason": "",
            "failures": 0,
            "due_at": now,
            "created_at": now,
            "changed_at": now,
        }
        with self.engine.begin() as connection:
            held = select(func.count()).where(*self._of(participant_id))
            if connection.execute(held).scalar_one() >= WEBHOOKS_MAX:
                raise TooManyWebhooks(webhooks_max=WEBHOOKS_MAX)
            connection.execute(insert(WEBHOOKS).values(row))
        return self.require(webhook_id, participant_id), self._secret(webhook_id, 1)

    def browse(self, participant_id: ParticipantId | None = None) -> tuple[Webhook, ...]:
        """Return the webhooks of a participant, or of everybody, oldest first."""
        query = select(WEBHOOKS).where(*self._of(participant_id))
        query = query.order_by(WEBHOOKS.c.created_at, WEBHOOKS.c.webhook_id)
        with self.engine.connect() as connection:
            found = connection.execution_options(reads=True).execute(query)
            return tuple(_webhook(row) for row in found.mappings())

    def require(self, webhook_id: str, participant_id: ParticipantId | None = None) -> Webhook:
        """
        Return a webhook: of this participant, if one is given.

        :raises WebhookNotFound: if there is none, it ended, or it is somebody else's
        """
        query = select(WEBHOOKS).where(
            WEBHOOKS.c.webhook_id == webhook_id, *self._of(participant_id)
        )
        with self.engine.connect() as connection:
            row = connection.execution_options(reads=True).execute(query).mappings().first()
        if row is None:
            raise WebhookNotFound(webhook_id=webhook_id)
        return _webhook(row)

    def end(self, webhook: Webhook, *, now: int) -> None:
        """End a webhook: nothing is sent to it any more."""
        self._change(webhook, now, state=WebhookState.ENDED.name)

    def pause(self, webhook: Webhook, *, reason: str, now: int) -> None:
        """Pause a webhook until somebody resumes it; what happens meanwhile is sent then."""
        self._change(webhook, now, state=WebhookState.PAUSED.name, reason=reason)

    def resume(self, webhook: Webhook, *, now: int) -> Webhook:
        """
        Go on with a webhook that was paused.

        :raises WebhookStateWrong: if it was not
        """
        if webhook.state is not WebhookState.PAUSED:
            raise WebhookStateWrong(webhook_id=webhook.webhook_id, state=webhook.state.name)
        active = {"state": WebhookState.ACTIVE.name, "reason": "", "failures": 0, "due_at": now}
        self._change(webhook, now, **active)
        return self.require(webhook.webhook_id)

    def rotate(self, webhook: Webhook, *, now: int) -> tuple[Webhook, str]:
        """
        Give a webhook a new secret and return both; the one before signs too for a day.

        ensures: of several at once each makes another secret
        """
        with self.engine.begin() as connection:
            connection.execute(
                update(WEBHOOKS)
                .where(WEBHOOKS.c.webhook_id == webhook.webhook_id)
                .values(
                    generation=WEBHOOKS.c.generation + 1,
                    previous_until=now + ROTATION_SECONDS,
                    changed_at=now,
                )
            )
            query = select(WEBHOOKS.c.generation).where(WEBHOOKS.c.webhook_id == webhook.webhook_id)
            generation = int(connection.execute(query).scalar_one())
        return self.require(webhook.webhook_id), self._secret(webhook.webhook_id, generation)

    def put_off(self, webhook: Webhook, *, failures: int, due_at: int) -> None:
        """Note how often in a row it failed, and when to try again."""
        with self.engine.begin() as connection:
            connection.execute(
                update(WEBHOOKS)
                .where(WEBHOOKS.c.webhook_id == webhook.webhook_id)
                .values(failures=failures, due_at=due_at)
            )

    def keys(self, webhook: Webhook, *, now: int) -> list[bytes]:
        """Return the secrets that sign now, the newest first."""
        generations = [webhook.generation]
        if webhook.generation > 1 and now < webhook.previous_until:
            generations.append(webhook.generation - 1)
        return [self.key.secret(webhook.webhook_id, one) for one in generations]

    def _secret(self, webhook_id: str, generation: int) -> str:
        return secret_text(self.key.secret(webhook_id, generation))

    def _change(self, webhook: Webhook, now: int, **values: Any) -> None:
        with self.engine.begin() as connection:
            connection.execute(
                update(WEBHOOKS)
                .where(
                    WEBHOOKS.c.webhook_id == webhook.webhook_id,
                    WEBHOOKS.c.state != WebhookState.ENDED.name,
                )
                .values(changed_at=now, **values)
            )

    def _of(self, participant_id: ParticipantId | None) -> list[Any]:
        there = [
            WEBHOOKS.c.chain_id == self.chain_id,
            WEBHOOKS.c.state != WebhookState.ENDED.name,
        ]
        if participant_id is not None:
            there.append(WEBHOOKS.c.participant_id == participant_id)
        return there


def _webhook(row: RowMapping) -> Webhook:
    return Webhook(
        webhook_id=row["webhook_id"],
        participant_id=ParticipantId(row["participant_id"]),
        account=Address(row["account"]),
        url=row["url"],
        wanted=Wanted(
            about=row["about"],
            contract=row["contract"],
            name=row["name"],
            is_final=bool(row["is_final"]),
        ),
        position=Position.parse(row["position"]),
        generation=row["generation"],
        previous_until=row["previous_until"],
        state=WebhookState[row["state"]],
        reason=row["reason"],
        failures=row["failures"],
        due_at=row["due_at"],
        created_at=row["created_at"],
        changed_at=row["changed_at"],
    )
