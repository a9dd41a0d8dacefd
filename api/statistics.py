"""
Counts over the six links: registration, listing, trade, delivery, settlement, certificate.

Totals only, so that nothing about one trade can be read from them.
"""

from typing import Any, Final

from api.deps import Reading
from api.models import AsOf, Json, described
from api.wire import make_model
from chain.codes import (
    AssetKind,
    CertificateKind,
    DeliveryState,
    ListingState,
    ParticipantState,
    RegistrationState,
    SettlementState,
    TradeState,
)
from chain.reads import count
from registry.assets import Asset
from registry.certificates import Certificate
from registry.participants import Participant
from registry.registrations import Registration
from settlement.deliveries import Delivery
from settlement.listings import Listing
from settlement.settlements import Settlement
from settlement.store import settled_fen
from settlement.trades import Trade

_COUNTED: Final[dict[str, tuple[type, str, Any, str]]] = {
    "participants": (Participant, "state", ParticipantState, "Organisations, by state."),
    "assets": (Asset, "kind", AssetKind, "Versions of assets, by kind."),
    "registrations": (Registration, "state", RegistrationState, "Registrations, by state."),
    "listings": (Listing, "state", ListingState, "Offers, by state."),
    "trades": (Trade, "state", TradeState, "Trades, by state."),
    "deliveries": (Delivery, "state", DeliveryState, "Attempts to deliver, by state."),
    "settlements": (Settlement, "state", SettlementState, "Settlements, by state."),
    "certificates": (Certificate, "kind", CertificateKind, "Certificates, by kind."),
}
_COUNT: Final = make_model(
    "Count",
    described(
        {
            "total": (int, "How many."),
            "by": (dict[str, int], "How many of each; those without any are left out."),
        }
    ),
    doc="A count and its parts.",
)
STATISTICS: Final = make_model(
    "StatisticsOut",
    described(
        {
            **{name: (_COUNT, said) for name, (_, _, _, said) in _COUNTED.items()},
            "settled_fen": (
                str | None,
                "Gross amount of all settlements, in fen, as digits; null as of an earlier block.",
            ),
            "as_of": (AsOf, "The block the counts are as of."),
        }
    ),
    doc="How many of everything there is.",
)


def tell_statistics(reading: Reading) -> Json:
    """
    Return the counts as of a block.

    ensures: the amount is told as of the tip alone: two blocks would tell what one trade cost
    """
    amount = None if reading.at_block is not None else str(settled_fen(reading.session))
    return {
        **{name: _count(reading, *one[:3]) for name, one in _COUNTED.items()},
        "settled_fen": amount,
        "as_of": reading.as_of(),
    }


def _count(reading: Reading, record: type, field: str, codes: Any) -> Json:
    by = {
        code.name: count(reading.session, record, where={field: code}, at_block=reading.at_block)
        for code in codes
    }
    return {"total": sum(by.values()), "by": {name: found for name, found in by.items() if found}}
