"""
The certificate that proves itself: one file, checked with nothing but a trust list.

It is not the ledger's opinion of today: a verdict is as of the checkpoint in the file. No chain,
node, server or clock is asked here; the moment of judging is an argument.

Every value in the file is covered: the document by its digest, the digest and all fields by the
leaf, leaf and status by the map's value, the value by the root, root and list of signers by every
signature. The file itself must be the canonical bytes (RFC 8785) of exactly these members, so that
no byte can change unnoticed.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from eth_abi.exceptions import EncodingError
from eth_keys.datatypes import Signature
from eth_keys.exceptions import BadSignature
from eth_utils.exceptions import ValidationError

from chain.codec import from_json, to_json
from chain.documents import Json, canonical, digest_of_document, parse_canonical
from chain.failure import Invalid
from chain.structs import CertificateFields
from chain.values import Address, HexBytes, ParticipantId, address, raw
from registry.certificates import CertificateStatus, leaf_of, status_at
from registry.checkpoints import Checkpoint, Status, digest_of, entry_of, signers_hash_of
from registry.claims import Claim, claim_of
from registry.merkle import Proof, root_from
from registry.trust import TrustedChain, TrustList, flaw_of

BUNDLE_FORMAT = "shulian-certificate/1"
# secp256k1 group order halved: signatures with a higher s are refused (EIP-2).
ONE_FORM = re.compile(r"0x(?:[0-9a-f]{2})*|[A-Z][A-Z0-9_]*|0|[1-9][0-9]*", re.ASCII)
UNREADABLE = (Invalid, EncodingError, ValueError, TypeError)
SHAPELESS = (ValueError, KeyError, TypeError, AttributeError, OverflowError, Invalid)
S_MAX = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0


class Verdict(StrEnum):
    """What a verifier may conclude."""

    VALID = "VALID"
    INVALID = "INVALID"
    UNKNOWN = "UNKNOWN"


class FragmentStatus(StrEnum):
    """The outcome of one part of the check."""

    VALID = "VALID"
    INVALID = "INVALID"
    UNKNOWN = "UNKNOWN"
    SKIPPED = "SKIPPED"


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointSignature:
    """One exchange's signature under a checkpoint."""

    account: Address
    participant_id: ParticipantId
    signature: HexBytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """Everything that a certificate file holds."""

    document: Json
    fields: CertificateFields
    status: Status
    path: tuple[HexBytes, ...]
    checkpoint: Checkpoint
    signatures: tuple[CheckpointSignature, ...]


# The typed members of a file beside `format` and `document`.
TYPED: Mapping[str, Any] = {
    "fields": CertificateFields,
    "status": Status,
    "path": tuple[HexBytes, ...],
    "checkpoint": Checkpoint,
    "signatures": tuple[CheckpointSignature, ...],
}
MEMBERS = frozenset({"format", "document", *TYPED})


@dataclass(frozen=True, slots=True)
class Fragment:
    """
    One part of the check, with a code for machines and a sentence for people.

    shape: `values` are what the sentence tells of this file, so that other languages can tell them
    """

    name: str
    status: FragmentStatus
    code: str
    message: str
    values: Mapping[str, str | int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Verification:
    """
    The verdict, all its parts, the moment it speaks of, and what the file says it certifies.

    shape: `as_of` and `claim` are None of a file that cannot be read
    """

    verdict: Verdict
    fragments: tuple[Fragment, ...]
    as_of: Mapping[str, Any] | None
    claim: Claim | None


def write_bundle(bundle: Bundle) -> bytes:
    """Return the canonical bytes of a certificate file."""
    typed = {name: to_json(hint, getattr(bundle, name)) for name, hint in TYPED.items()}
    return canonical({"format": BUNDLE_FORMAT, "document": bundle.document, **typed})


def verify(data: bytes, *, trust: TrustList, now: int) -> Verification:
    """
    Judge a certificate file.

    shape:   any bytes; nothing in them can make this raise
    units:   `now` in seconds since 1970 UTC, the verifier's own clock
    ensures: VALID only if every fragment is VALID; INVALID if any is; else UNKNOWN
    """
    bundle, fragment = _read(data)
    if bundle is None:
        return Verification(Verdict.INVALID, (fragment,), None, None)
    chain = _trusted_chain(bundle.checkpoint, trust)
    fragments = (
        fragment,
        _check_document(bundle),
        _check_inclusion(bundle),
        _check_signatures(bundle),
        _check_trust(bundle, chain, flaw_of(trust)),
        _check_issuer(bundle, chain),
        _check_freshness(bundle.checkpoint, chain, now),
        _check_status(bundle, now),
    )
    as_of = {
        "block_number": bundle.checkpoint.block_number,
        "block_hash": bundle.checkpoint.block_hash,
        "time": bundle.checkpoint.time,
    }
    named = {one.participant_id: one.name for one in chain.exchanges} if chain else {}
    claim = claim_of(bundle.fields, bundle.document, named)
    return Verification(_verdict(fragments), fragments, as_of, claim)


def _verdict(fragments: tuple[Fragment, ...]) -> Verdict:
    statuses = {fragment.status for fragment in fragments}
    if FragmentStatus.INVALID in statuses:
        return Verdict.INVALID
    return Verdict.VALID if statuses == {FragmentStatus.VALID} else Verdict.UNKNOWN


def _read(data: bytes) -> tuple[Bundle | None, Fragment]:
    try:
        parsed = parse_canonical(data)
    except Invalid as failure:
        message = "The file is not canonical JSON: {reason}"
        return None, _invalid("format", "NOT_CANONICAL", message, reason=str(failure))
    if not isinstance(parsed, dict) or parsed.get("format") != BUNDLE_FORMAT:
        message = "The file is not of format {format}."
        return None, _invalid("format", "FORMAT_UNKNOWN", message, format=BUNDLE_FORMAT)
    if parsed.keys() != MEMBERS:
        return None, _invalid("format", "MEMBERS_WRONG", "The file lacks members or has others.")
    typed = {}
    for name, hint in TYPED.items():
        try:
            typed[name] = from_json(hint, parsed[name])
            is_one_form = _has_one_form(parsed[name]) and to_json(hint, typed[name]) == parsed[name]
        except SHAPELESS:
            is_one_form = False
        if not is_one_form:
            return None, _shape_wrong(name)
    bundle = Bundle(document=parsed["document"], **typed)
    if write_bundle(bundle) != data:
        return None, _shape_wrong("document")
    return bundle, _valid("format", "The file has the one canonical form.")


def _shape_wrong(member: str) -> Fragment:
    message = "`{member}` does not have its shape, or a value in it is not written in its one form."
    return _invalid("format", "SHAPE_WRONG", message, member=member)


def _has_one_form(value: Any) -> bool:
    """Return whether every text in it is a code, digits or lower-case hex: no spaces, no case."""
    if isinstance(value, dict):
        return all(_has_one_form(one) for one in value.values())
    if isinstance(value, list):
        return all(_has_one_form(one) for one in value)
    return not isinstance(value, str) or ONE_FORM.fullmatch(value) is not None


def _check_document(bundle: Bundle) -> Fragment:
    fields = bundle.fields
    try:
        found = digest_of_document(bundle.document, fields.digest_alg).value
    except Invalid as failure:
        message = "The document's digest cannot be made: {reason}"
        return _invalid("document", "DOCUMENT_UNREADABLE", message, reason=str(failure))
    if found != fields.document_digest:
        return _invalid("document", "DOCUMENT_CHANGED", "The document is not the one certified.")
    return _valid("document", "The document has the digest that the certificate names.")


def _check_inclusion(bundle: Bundle) -> Fragment:
    try:
        key = raw(bundle.fields.certificate_id)
        value = entry_of(leaf_of(bundle.fields), bundle.status)
        root = root_from(
            key=key, value=value, proof=Proof(tuple(raw(step) for step in bundle.path))
        )
    except UNREADABLE:
        message = "A field, the status or the path holds what no contract can hold."
        return _invalid("inclusion", "FIELDS_UNREADABLE", message)
    if root is None or root != raw(bundle.checkpoint.root):
        return _invalid(
            "inclusion",
            "NOT_IN_CHECKPOINT",
            "Fields, status or path do not lead to the signed root.",
        )
    return _valid("inclusion", "Fields and status lead to the signed root.")


def _check_signatures(bundle: Bundle) -> Fragment:
    accounts = [one.account for one in bundle.signatures]
    if accounts != sorted(set(accounts)):
        return _invalid("signatures", "SIGNERS_UNORDERED", "Signers repeat or are out of order.")
    try:
        if signers_hash_of(accounts) != bundle.checkpoint.signers_hash:
            return _invalid(
                "signatures",
                "SIGNERS_DIFFER",
                "The signers are not those that the checkpoint names.",
            )
        digest = raw(digest_of(bundle.checkpoint))
    except UNREADABLE:
        message = "The checkpoint holds what no contract can hold."
        return _invalid("signatures", "CHECKPOINT_UNREADABLE", message)
    for one in bundle.signatures:
        if recover(digest, one.signature) != one.account:
            message = "{account} did not sign this checkpoint."
            return _invalid("signatures", "SIGNATURE_WRONG", message, account=one.account)
    message = "All {count} listed signatures are genuine."
    return _valid("signatures", message, count=len(accounts))


def recover(digest: bytes, signature: HexBytes) -> Address | None:
    """Return who signed, or None: 65 bytes, v 27 or 28, low s, nothing else."""
    data = raw(signature)
    if len(data) != 65 or data[64] not in (27, 28) or int.from_bytes(data[32:64], "big") > S_MAX:
        return None
    try:
        signed = Signature(data[:64] + bytes([data[64] - 27]))
        return address(signed.recover_public_key_from_msg_hash(digest).to_address())
    except (BadSignature, ValidationError, ValueError):
        return None


def _trusted_chain(checkpoint: Checkpoint, trust: TrustList) -> TrustedChain | None:
    for chain in trust.chains:
        if (chain.chain_id, chain.certificates) == (checkpoint.chain_id, checkpoint.certificates):
            return chain
    return None


def _check_trust(bundle: Bundle, chain: TrustedChain | None, flaw: str | None) -> Fragment:
    if flaw is not None:
        message = "The trust list is unusable: {reason}."
        return _unknown("trust", "TRUST_LIST_FLAWED", message, reason=flaw)
    if chain is None:
        return _unknown("trust", "CHAIN_UNKNOWN", "The trust list does not name this chain.")
    trusted = {(account, one.participant_id) for one in chain.exchanges for account in one.accounts}
    known = {account for account, _ in trusted}
    for one in bundle.signatures:
        if one.account in known and (one.account, one.participant_id) not in trusted:
            message = "{account} signs for another exchange."
            return _invalid("trust", "SIGNER_MISNAMED", message, account=one.account)
    strangers = [one.account for one in bundle.signatures if one.account not in known]
    if strangers:
        message = "Nobody on the trust list owns {account}."
        return _unknown("trust", "SIGNER_UNKNOWN", message, account=strangers[0])
    exchanges = {one.participant_id for one in bundle.signatures}
    if len(exchanges) < chain.threshold:
        message = "{count} exchanges signed, the trust list asks for {threshold}."
        values = {"count": len(exchanges), "threshold": chain.threshold}
        return _unknown("trust", "TOO_FEW_SIGNERS", message, **values)
    return _valid("trust", "{count} trusted exchanges signed.", count=len(exchanges))


def _check_issuer(bundle: Bundle, chain: TrustedChain | None) -> Fragment:
    if chain is None:
        return Fragment("issuer", FragmentStatus.SKIPPED, "CHAIN_UNKNOWN", "Not judged.")
    if bundle.fields.issuer not in chain.issuers:
        return _unknown("issuer", "ISSUER_UNKNOWN", "The trust list does not name this issuer.")
    return _valid("issuer", "The issuer is on the trust list.")


def _check_freshness(checkpoint: Checkpoint, chain: TrustedChain | None, now: int) -> Fragment:
    if chain is None:
        return Fragment("freshness", FragmentStatus.SKIPPED, "CHAIN_UNKNOWN", "Not judged.")
    age_seconds = now - checkpoint.time
    if chain.max_age_seconds and age_seconds > chain.max_age_seconds:
        message = (
            "The checkpoint is {age_seconds} s old and may be {max_age_seconds} s old:"
            " ask for a newer file."
        )
        values = {"age_seconds": age_seconds, "max_age_seconds": chain.max_age_seconds}
        return _unknown("freshness", "CHECKPOINT_STALE", message, **values)
    return _valid("freshness", "The checkpoint is recent enough.")


def _check_status(bundle: Bundle, now: int) -> Fragment:
    status = status_at(
        base=bundle.status.base,
        flags=bundle.status.flags,
        valid_until=bundle.fields.valid_until,
        now=max(now, bundle.checkpoint.time),
    )
    if status is CertificateStatus.VALID:
        return _valid("status", "The certificate was valid as of the checkpoint.")
    message = "The certificate is {status}."
    return _invalid("status", status.value, message, status=status.value.lower())


def _valid(name: str, message: str, **values: str | int) -> Fragment:
    return _judged(FragmentStatus.VALID, name, "OK", message, values)


def _invalid(name: str, code: str, message: str, **values: str | int) -> Fragment:
    return _judged(FragmentStatus.INVALID, name, code, message, values)


def _unknown(name: str, code: str, message: str, **values: str | int) -> Fragment:
    return _judged(FragmentStatus.UNKNOWN, name, code, message, values)


def _judged(
    status: FragmentStatus, name: str, code: str, message: str, values: Mapping[str, str | int]
) -> Fragment:
    return Fragment(name, status, code, message.format_map(values), values)
