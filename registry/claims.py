"""
What a certificate file says it certifies: the first lines that a person wants of a verdict.

It is not the judging (`registry.bundles`): of a file that is not VALID all this is only claimed.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from chain.codes import CertificateKind, Noun
from chain.documents import Json
from chain.structs import CertificateFields
from chain.values import Bytes32, ParticipantId
from registry.certificates import code_text


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """
    Which certificate it is, whose, about what, and from when until when.

    shape: names are those of the trust list, else of the certified document, else empty;
           `subject_version` is 0 unless the subject is an asset
    units: seconds since 1970 UTC; `valid_until` exclusive, 0 for open
    """

    code: str
    kind: CertificateKind
    holder: ParticipantId
    holder_name: str
    issuer: ParticipantId
    issuer_name: str
    subject_noun: Noun
    subject_id: Bytes32
    subject_version: int
    issued_at: int
    valid_until: int


def claim_of(
    fields: CertificateFields, document: Json, trusted: Mapping[ParticipantId, str]
) -> Claim:
    """
    Return what these fields claim.

    shape: `trusted` are the names of those whom the verifier's own list names
    """

    def name_of(participant_id: ParticipantId) -> str:
        return trusted.get(participant_id) or _name_in(document, participant_id)

    return Claim(
        code=_code_in(fields),
        kind=fields.kind,
        holder=fields.holder,
        holder_name=name_of(fields.holder),
        issuer=fields.issuer,
        issuer_name=name_of(fields.issuer),
        subject_noun=fields.subject_noun,
        subject_id=fields.subject_id,
        subject_version=fields.subject_version,
        issued_at=fields.issued_at,
        valid_until=fields.valid_until,
    )


def _code_in(fields: CertificateFields) -> str:
    """Return the human code, or its bytes where they are no text: a file may claim anything."""
    try:
        return code_text(fields.code)
    except ValueError:
        return fields.code


def _name_in(document: Json, participant_id: ParticipantId) -> str:
    """Return what a document calls an organisation: `{"id", "name"}` in one of its members."""
    parties = document.values() if isinstance(document, dict) else ()
    named = (one for one in parties if isinstance(one, dict) and one.get("id") == participant_id)
    name = next((one.get("name") for one in named), "")
    return name if isinstance(name, str) else ""
