"""
Who may be told of an event: the rules of the lists (`api.access`, `api.certificates`), log by log.

Events of the catalogue are public. What hangs on a trade is told to those who see the trade, money
to those whose it is, and so are certificates about either. It logs nothing: its callers do.
"""

from dataclasses import dataclass, field
from typing import Any, Final, Self

from sqlmodel import Session

from api.access import sees_trade, supervised_by
from api.auth import Viewer
from chain import events as e
from chain import reads
from chain.codes import CertificateKind, Noun
from chain.event import Event
from chain.values import Address, ParticipantId
from registry.certificates import Certificate
from registry.participants import Account
from settlement.deliveries import Delivery
from settlement.funds import Withdrawal
from settlement.settlements import Settlement
from settlement.trades import Trade

# What contracts emit here is not public, whatever event it is; all others are public records.
RESERVED: Final = frozenset({"Trades", "Deliveries", "Settlements", "Funds"})
CERTIFIED: Final = (
    e.CertificateIssued,
    e.CertificateFlagged,
    e.CertificateUnflagged,
    e.CertificateCancelled,
    e.CertificateSuperseded,
)
# By event, the fields that hold the organisations whose money it is.
MONEY: Final[dict[type[Event], tuple[str, ...]]] = {
    e.FundsDeposited: ("participant_id",),
    e.FundsUnfrozen: ("participant_id",),
    e.WithdrawalRequested: ("participant_id",),
    e.FundsHeld: ("payer",),
    e.FundsReleased: ("payer",),
    e.FundsPosted: ("payee",),
}
WITHDRAWN: Final = (e.WithdrawalPaid, e.WithdrawalRejected)
REMEMBERED_MAX: Final = 4_096


@dataclass(slots=True)
class Audience:
    """
    Somebody who listens, as of one block; `viewer` is None for the public.

    shape: what was once judged is remembered, since neither parties nor subjects ever change; made
           anew (`at`) when roles may have changed
    """

    session: Session
    viewer: Viewer | None
    venues: tuple[ParticipantId, ...] | None
    _judged: dict[tuple[type, str], bool] = field(default_factory=dict)

    @classmethod
    def at(cls, session: Session, viewer: Viewer | None, now: int) -> Self:
        """Return somebody's eyes at a block's time."""
        return cls(session, viewer, () if viewer is None else supervised_by(viewer, now))

    def sees(self, event: Event) -> bool:
        """Return whether the event is theirs to see."""
        if isinstance(event, CERTIFIED):
            return self._certificate(event)
        # A name that the deployment did not give says nothing about who is concerned.
        if event.meta.contract not in RESERVED and not _is_reserved(event):
            return True
        if self.viewer is None:
            return False
        return self._reserved(event, self.viewer)

    def _reserved(self, event: Event, viewer: Viewer) -> bool:
        kind = type(event)
        if kind in MONEY:
            return viewer.participant_id in {getattr(event, name) for name in MONEY[kind]}
        if isinstance(event, WITHDRAWN):
            asked = reads.find(self.session, Withdrawal, event.withdrawal_id)
            return asked is not None and asked.record.participant_id == viewer.participant_id
        if isinstance(event, e.AuthorizationUsed):
            return self._owns(event.account, viewer)
        trade_id = getattr(event, "trade_id", None)
        if trade_id is None:
            # A log that nobody can read, or about nothing known: for who supervises everything.
            return self.venues is None
        return self._trade(trade_id)

    def _trade(self, trade_id: str) -> bool:
        return self._remembered(Trade, trade_id, lambda trade: self._sees(trade))

    def _certificate(self, event: Any) -> bool:
        if isinstance(event, e.CertificateIssued) and event.kind is CertificateKind.REGISTRATION:
            return True
        return self._remembered(Certificate, event.certificate_id, self._sees_subject)

    def _sees_subject(self, certificate: Certificate) -> bool:
        if certificate.kind is CertificateKind.REGISTRATION:
            return True
        if self.viewer is None:
            return False
        match certificate.subject_noun:
            case Noun.TRADE:
                return self._trade(certificate.subject_id)
            case Noun.DELIVERY:
                return self._remembered(Delivery, certificate.subject_id, self._sees_part)
            case Noun.SETTLEMENT:
                return self._remembered(Settlement, certificate.subject_id, self._sees_part)
        return False

    def _sees_part(self, part: Delivery | Settlement) -> bool:
        return self._trade(part.trade_id)

    def _sees(self, trade: Trade) -> bool:
        return self.viewer is not None and sees_trade(self.viewer, self.venues, trade)

    def _owns(self, account: Address, viewer: Viewer) -> bool:
        found = reads.find(self.session, Account, account)
        return found is not None and found.record.participant_id == viewer.participant_id

    def _remembered(self, record: type[Any], key: str, judge: Any) -> bool:
        place = (record, key)
        if place not in self._judged:
            found = reads.find(self.session, record, key)
            if len(self._judged) >= REMEMBERED_MAX:
                self._judged.clear()
            self._judged[place] = found is not None and bool(judge(found.record))
        return self._judged[place]


def _is_reserved(event: Event) -> bool:
    return type(event) in MONEY or isinstance(event, WITHDRAWN) or hasattr(event, "trade_id")
