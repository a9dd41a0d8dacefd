"""
How many of everything there is: the six links in figures.

The same that `/v1/statistics` tells, without a server.
"""

from typing import Any

from sqlmodel import Session

from chain.codes import AssetKind, CertificateKind
from chain.reads import count
from registry.certificates import Certificate
from registry.registrations import Registration
from registry.store import count_assets
from settlement.deliveries import Delivery
from settlement.listings import Listing
from settlement.settlements import Settlement
from settlement.trades import Trade

CERTIFICATES = tuple(kind for kind in CertificateKind if kind is not CertificateKind.NONE)


def counts_of(session: Session) -> dict[str, Any]:
    """Return how many there are, certificates by kind."""
    return {
        "registrations": count(session, Registration),
        "resources": count_assets(session, AssetKind.RESOURCE),
        "elements": count_assets(session, AssetKind.ELEMENT),
        "products": count_assets(session, AssetKind.PRODUCT),
        "listings": count(session, Listing),
        "trades": count(session, Trade),
        "deliveries": count(session, Delivery),
        "settlements": count(session, Settlement),
        "certificates": {
            kind.name: count(session, Certificate, where={"kind": kind}) for kind in CERTIFICATES
        },
    }


def rows_of(counts: dict[str, Any]) -> list[tuple[str, str]]:
    """Return the counts as lines for people."""
    plain = [(name, str(one)) for name, one in counts.items() if name != "certificates"]
    kinds = counts["certificates"].items()
    return [*plain, *((f"certificates of {kind.lower()}", str(one)) for kind, one in kinds)]
