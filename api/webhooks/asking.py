"""
Making a webhook for somebody: from where on they are told, resolved against the mirror.

Not the webhooks themselves (`api.webhooks.endpoints`), which know no mirror.
"""

from dataclasses import dataclass

from api.deps import Reading
from api.streaming.feed import NEWEST, place, require_known, settle
from api.streaming.wanted import Wanted
from api.webhooks.endpoints import Webhook, Webhooks
from chain.values import Address, ParticipantId


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What somebody asks to have sent where; `after` as `api.streaming.feed.place` takes it."""

    url: str
    about: str | None = None
    contract: str | None = None
    name: str | None = None
    is_final: bool = True
    after: str = NEWEST


def make_webhook(
    webhooks: Webhooks,
    reading: Reading,
    asked: Asked,
    *,
    participant_id: ParticipantId,
    account: Address,
    now: int,
) -> tuple[Webhook, str]:
    """
    Make a webhook of an organisation, and return it with its secret.

    :raises LedgerError: as `Webhooks.add`, `Wanted`, `require_known`, `place` and `settle` do
    """
    wanted = Wanted(
        about=asked.about, contract=asked.contract, name=asked.name, is_final=asked.is_final
    )
    require_known(reading.session, wanted)
    start = place(reading, asked.after, is_final=asked.is_final)
    return webhooks.add(
        participant_id=participant_id,
        account=account,
        url=asked.url,
        wanted=wanted,
        position=settle(reading.session, start, reading.block),
        now=now,
    )
