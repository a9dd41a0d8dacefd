"""
Who sees how much of a certificate. Those of registration are public; those of trades, deliveries
and settlements tell who bought from whom and for how much.

It is not the file that proves one (`api.bundles`), which holds all of it.
"""

from typing import Any, Final

from api.access import Looker
from api.deps import Reading
from api.models import Answer, Derived, Json, bits, status
from api.paging import Where
from api.problems import SignInRequired
from api.statuses import FlagBit, certificate_status
from api.wire import make_model
from chain.codes import CertificateKind, Noun
from chain.reads import Recorded
from registry.certificates import Certificate, CertificateStatus, code_text
from registry.store import certificate_missing, find_certificate
from settlement.deliveries import Delivery
from settlement.settlements import Settlement
from settlement.trades import Trade

CERTIFICATE: Final = Answer(
    Certificate,
    status(CertificateStatus, "What it is worth.", certificate_status),
    bits("flag_names", FlagBit, "The flags set.", "flags"),
    Derived("code_text", str, "The code that people read.", lambda one, _: code_text(one.code)),
)
# What everybody may know of a certificate whose code they hold: enough to tell whether it holds.
PUBLIC: Final = (
    "kind",
    "code",
    "code_text",
    "issuer",
    "issued_at",
    "valid_until",
    "status",
    "as_of",
)
_SHOWN: Final[Any] = CERTIFICATE.model.model_fields
REDACTED: Final = make_model(
    "CertificateRedactedOut",
    {name: (_SHOWN[name].annotation, _SHOWN[name]) for name in PUBLIC},
    doc="A certificate about a trade that is not the caller's to see.",
)


def tell_certificate(looker: Looker, name: str) -> Json:
    """
    Return a certificate, or only what is public of it.

    :raises CertificateNotFound: CertificateCodeUnknown: if there is none
    """
    reading = looker.reading
    found = find_certificate(reading.session, name, at_block=reading.at_block)
    told = reading.told(CERTIFICATE, found)
    if _is_shown(looker, found.record):
        return told
    return {name: told[name] for name in PUBLIC}


def require_certificate(looker: Looker, name: str) -> Recorded[Certificate]:
    """
    Return a certificate that the caller may see whole.

    :raises CertificateNotFound: CertificateCodeUnknown: if there is none, or not theirs to see
    :raises SignInRequired: if it is not public and nobody is signed in
    """
    reading = looker.reading
    found = find_certificate(reading.session, name, at_block=reading.at_block)
    if not _is_shown(looker, found.record):
        raise SignInRequired() if looker.look is None else certificate_missing(name)
    return found


def seen(looker: Looker, where: Where) -> Where:
    """Return a list's filters, kept to what the caller may see whole; log who is signed in."""
    looker.log()
    ids = looker.certificates()
    return where if ids is None else {**where, "certificate_id": ids}


def _is_shown(looker: Looker, certificate: Certificate) -> bool:
    if certificate.kind is CertificateKind.REGISTRATION:
        return True
    return looker.judge(_trade_of(looker.reading, certificate))


def _trade_of(reading: Reading, certificate: Certificate) -> Trade | None:
    subject: Delivery | Settlement | None = None
    match certificate.subject_noun:
        case Noun.TRADE:
            return reading.find(Trade, certificate.subject_id)
        case Noun.DELIVERY:
            subject = reading.find(Delivery, certificate.subject_id)
        case Noun.SETTLEMENT:
            subject = reading.find(Settlement, certificate.subject_id)
    return None if subject is None else reading.find(Trade, subject.trade_id)
