"""
What each participant has at each settlement bank, what is held for trades, and every posting.

It is not the bank: money comes in and goes out only by a bank's attestation, and every posting has
two sides.
"""

from dataclasses import dataclass, field, replace
from typing import ClassVar

from chain import events as e
from chain.codes import LegKind, WithdrawalState
from chain.records import INDEXED, Projected, Records, View
from chain.values import Bytes32, ParticipantId, TradeId, WithdrawalId


@dataclass(frozen=True, slots=True)
class FundsAccount:
    """
    Money of one participant at one bank, in fen; `frozen_fen` came in while it was not active.
    """

    KEY: ClassVar = ("participant_id", "bank")
    VIEW: ClassVar = View("Funds", "fundsAccountOf", ("participant_id", "bank"))

    participant_id: ParticipantId = field(metadata=INDEXED)
    bank: ParticipantId = field(metadata=INDEXED)
    available_fen: int
    held_fen: int
    frozen_fen: int


@dataclass(frozen=True, slots=True)
class FundsHold:
    """Money held for a trade; an ended hold keeps zero, a blocked one moves neither way."""

    KEY: ClassVar = ("trade_id",)
    VIEW: ClassVar = View("Funds", "fundsHoldOf", ("trade_id",))

    trade_id: TradeId
    payer: ParticipantId = field(metadata=INDEXED)
    bank: ParticipantId
    held_fen: int
    is_blocked: bool
    blocked_until: int


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """A payout that a participant asked its bank for."""

    KEY: ClassVar = ("withdrawal_id",)
    VIEW: ClassVar = View("Funds", "withdrawalOf", ("withdrawal_id",))

    withdrawal_id: WithdrawalId
    participant_id: ParticipantId = field(metadata=INDEXED)
    bank: ParticipantId
    amount_fen: int
    state: WithdrawalState


@dataclass(frozen=True, slots=True)
class BankReference:
    """A bank's booking entry: used once, so that nothing is credited or paid twice."""

    KEY: ClassVar = ("bank", "bank_reference_digest")
    VIEW: ClassVar = View("Funds", "isBankReferenceUsed", ("bank", "bank_reference_digest"))

    bank: ParticipantId
    bank_reference_digest: Bytes32
    is_used: bool


@dataclass(frozen=True, slots=True)
class Posting:
    """
    One leg of a settlement as it was posted; accounts and the settlement's legs hash account for
    it.
    """

    KEY: ClassVar = ("trade_id", "leg_index")
    VIEW: ClassVar = None

    trade_id: TradeId = field(metadata=INDEXED)
    leg_index: int
    kind: LegKind
    payer: ParticipantId
    payee: ParticipantId = field(metadata=INDEXED)
    bank: ParticipantId
    amount_fen: int
    is_frozen: bool


def apply_funds_deposited(records: Records, event: e.FundsDeposited) -> Projected:
    """Credit what the bank attested."""
    yield _moved(records, event.participant_id, event.bank, available=event.amount_fen)
    yield BankReference(
        bank=event.bank, bank_reference_digest=event.bank_reference_digest, is_used=True
    )


def apply_funds_held(records: Records, event: e.FundsHeld) -> Projected:
    """Hold the payer's money for a trade."""
    amount = event.amount_fen
    yield _moved(records, event.payer, event.bank, available=-amount, held=amount)
    yield FundsHold(
        trade_id=event.trade_id,
        payer=event.payer,
        bank=event.bank,
        held_fen=amount,
        is_blocked=False,
        blocked_until=0,
    )


def apply_funds_hold_blocked(records: Records, event: e.FundsHoldBlocked) -> Projected:
    """Stop or free the money that is held for a trade."""
    yield replace(
        records.require(FundsHold, event.trade_id),
        is_blocked=event.is_blocked,
        blocked_until=event.blocked_until,
    )


def apply_funds_released(records: Records, event: e.FundsReleased) -> Projected:
    """Give the held money back to its payer."""
    amount = event.amount_fen
    yield _moved(records, event.payer, event.bank, available=amount, held=-amount)
    yield replace(records.require(FundsHold, event.trade_id), held_fen=0)


def apply_funds_posted(records: Records, event: e.FundsPosted) -> Projected:
    """Post one leg: out of the payer's hold, into the payee's account, fen for fen."""
    amount = event.amount_fen
    hold = records.require(FundsHold, event.trade_id)
    yield replace(hold, held_fen=hold.held_fen - amount)
    credit = {"frozen": amount} if event.is_frozen else {"available": amount}
    if event.payee == event.payer:
        yield _moved(records, event.payer, event.bank, held=-amount, **credit)
    else:
        yield _moved(records, event.payer, event.bank, held=-amount)
        yield _moved(records, event.payee, event.bank, **credit)
    yield Posting(
        trade_id=event.trade_id,
        leg_index=event.leg_index,
        kind=event.kind,
        payer=event.payer,
        payee=event.payee,
        bank=event.bank,
        amount_fen=amount,
        is_frozen=event.is_frozen,
    )


def apply_funds_unfrozen(records: Records, event: e.FundsUnfrozen) -> Projected:
    """Make available what came in while the participant was not active."""
    amount = event.amount_fen
    yield _moved(records, event.participant_id, event.bank, available=amount, frozen=-amount)


def apply_withdrawal_requested(records: Records, event: e.WithdrawalRequested) -> Projected:
    """Hold the amount until the bank paid."""
    amount = event.amount_fen
    yield _moved(records, event.participant_id, event.bank, available=-amount, held=amount)
    yield Withdrawal(
        withdrawal_id=event.withdrawal_id,
        participant_id=event.participant_id,
        bank=event.bank,
        amount_fen=amount,
        state=WithdrawalState.REQUESTED,
    )


def apply_withdrawal_paid(records: Records, event: e.WithdrawalPaid) -> Projected:
    """Let the paid amount leave the ledger."""
    asked = records.require(Withdrawal, event.withdrawal_id)
    yield replace(asked, state=WithdrawalState.PAID)
    yield _moved(records, asked.participant_id, asked.bank, held=-asked.amount_fen)
    yield BankReference(
        bank=event.bank, bank_reference_digest=event.bank_reference_digest, is_used=True
    )


def apply_withdrawal_rejected(records: Records, event: e.WithdrawalRejected) -> Projected:
    """Make the amount available again."""
    asked = records.require(Withdrawal, event.withdrawal_id)
    yield replace(asked, state=WithdrawalState.REJECTED)
    amount = asked.amount_fen
    yield _moved(records, asked.participant_id, asked.bank, available=amount, held=-amount)


def _moved(
    records: Records,
    participant_id: ParticipantId,
    bank: ParticipantId,
    *,
    available: int = 0,
    held: int = 0,
    frozen: int = 0,
) -> FundsAccount:
    """Return the account after a movement; no balance is ever negative."""
    before = records.get(FundsAccount, participant_id, bank) or FundsAccount(
        participant_id=participant_id, bank=bank, available_fen=0, held_fen=0, frozen_fen=0
    )
    after = replace(
        before,
        available_fen=before.available_fen + available,
        held_fen=before.held_fen + held,
        frozen_fen=before.frozen_fen + frozen,
    )
    assert min(after.available_fen, after.held_fen, after.frozen_fen) >= 0, f"{after=}"
    return after
