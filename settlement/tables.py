"""
The read tables of market and settlement, each derived from its record: columns and constraints,
nothing else.

It is not where fields are written: whoever adds one touches the contract and the record.
"""

from chain.tables import versioned_table
from settlement.deliveries import Delivery
from settlement.funds import BankReference, FundsAccount, FundsHold, Posting, Withdrawal
from settlement.listings import Listing, ListingMirror
from settlement.settlements import Settlement, SettlementHold
from settlement.trades import Trade

listings = versioned_table(Listing, name="listings")
listing_mirrors = versioned_table(ListingMirror, name="listing_mirrors")
trades = versioned_table(Trade, name="trades")
deliveries = versioned_table(Delivery, name="deliveries")
funds_accounts = versioned_table(FundsAccount, name="funds_accounts")
funds_holds = versioned_table(FundsHold, name="funds_holds")
withdrawals = versioned_table(Withdrawal, name="withdrawals")
bank_references = versioned_table(BankReference, name="bank_references")
postings = versioned_table(Posting, name="postings")
settlements = versioned_table(Settlement, name="settlements")
settlement_holds = versioned_table(SettlementHold, name="settlement_holds")
