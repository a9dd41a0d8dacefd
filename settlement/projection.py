"""
Which noun answers which event of market and settlement, and the registry's beside them: the
ledger's one projection.

It is not the store: it reads current records, returns the new versions, and touches nothing.
"""

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any

from chain import events as e
from chain.event import Event
from chain.records import Projected, Records
from registry import projection as registry_projection
from settlement import deliveries, funds, listings, settlements, trades

RECORDS: tuple[type, ...] = (
    listings.Listing,
    listings.ListingMirror,
    trades.Trade,
    deliveries.Delivery,
    funds.FundsAccount,
    funds.FundsHold,
    funds.Withdrawal,
    funds.BankReference,
    funds.Posting,
    settlements.Settlement,
    settlements.SettlementHold,
)
"""Every record of market and settlement; its table derives from it."""

ALL_RECORDS: tuple[type, ...] = (*registry_projection.RECORDS, *RECORDS)

APPLIES: Mapping[type[Event], Callable[[Records, Any], Projected]] = MappingProxyType(
    {
        e.ListingSubmitted: listings.apply_listing_submitted,
        e.ListingApproved: listings.apply_listing_approved,
        e.ListingRejected: listings.apply_listing_rejected,
        e.ListingRepriced: listings.apply_listing_repriced,
        e.ListingSuspended: listings.apply_listing_suspended,
        e.ListingResumed: listings.apply_listing_resumed,
        e.ListingDelisted: listings.apply_listing_delisted,
        e.ListingMirrored: listings.apply_listing_mirrored,
        e.ListingMirrorHidden: listings.apply_listing_mirror_hidden,
        e.TradeConcluded: trades.apply_trade_concluded,
        e.TradeAdvanced: trades.apply_trade_advanced,
        e.TradeTerminated: trades.apply_trade_terminated,
        e.DeliveryMade: deliveries.apply_delivery_made,
        e.DeliveryAccepted: deliveries.apply_delivery_accepted,
        e.DeliveryRejected: deliveries.apply_delivery_rejected,
        e.FundsDeposited: funds.apply_funds_deposited,
        e.FundsHeld: funds.apply_funds_held,
        e.FundsHoldBlocked: funds.apply_funds_hold_blocked,
        e.FundsReleased: funds.apply_funds_released,
        e.FundsPosted: funds.apply_funds_posted,
        e.FundsUnfrozen: funds.apply_funds_unfrozen,
        e.WithdrawalRequested: funds.apply_withdrawal_requested,
        e.WithdrawalPaid: funds.apply_withdrawal_paid,
        e.WithdrawalRejected: funds.apply_withdrawal_rejected,
        e.SettlementSettled: settlements.apply_settlement_settled,
        e.SettlementHoldPlaced: settlements.apply_settlement_hold_placed,
        e.SettlementHoldLifted: settlements.apply_settlement_hold_lifted,
    }
)


def apply(records: Records, event: Event) -> Iterable[Any]:
    """Return the record versions that an event makes: the whole ledger's projection."""
    answer = APPLIES.get(type(event)) or registry_projection.APPLIES.get(type(event))
    return () if answer is None else answer(records, event)
