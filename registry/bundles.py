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
from dataclasses import dataclass
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
from registry.merkle import Proof, root_from
from registry.trust import TrustedChain, TrustList, flaw_of

BUNDLE_FORMAT = "shulian-certificate/1"
# secp256k1 group order halved: signatures with a higher s are refused (EIP-2).
ONE_FORM = re.compile(r"0x(?:[0-9a-f]{2})*|[A-Z][A-Z0-9_]*|0|[1-9][0-9]*", re.ASCII)
UNREADABLE = (Invalid, EncodingError, ValueError, TypeError)
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
    """One part of the check, with a code for machines and a sentence for people."""

    name: str
    status: FragmentStatus
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Verification:
    """The verdict, all its parts, and the moment it speaks of."""

    verdict: Verdict
    fragments: tuple[Fragment, ...]
    as_of: Mapping[str, Any] | None


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
        return Verification(Verdict.INVALID, (fragment,), None)
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
    return Verification(_verdict(fragments), fragments, as_of)


def _verdict(fragments: tuple[Fragment, ...]) -> Verdict:
    statuses = {fragment.status for fragment in fragments}
    if FragmentStatus.INVALID in statuses:
        return Verdict.INVALID
    return Verdict.VALID if statuses == {FragmentStatus.VALID} else Verdict.UNKNOWN


def _read(data: bytes) -> tuple[Bundle | None, Fragment]:
    try:
        parsed = parse_canonical(data)
    except Invalid as failure:
        return None, _invalid(
            "format", "NOT_CANONICAL", f"The file is not canonical JSON: {failure}"
        )
    if not isinstance(parsed, dict) or parsed.get("format") != BUNDLE_FORMAT:
        return None, _invalid(
            "format", "FORMAT_UNKNOWN", f"The file is not of format {BUNDLE_FORMAT}."
        )
    if parsed.keys() != MEMBERS:
        return None, _invalid("format", "MEMBERS_WRONG", "The file lacks members or has others.")
    body = {name: value for name, value in parsed.items() if name != "format"}
    document = body.pop("document")
    if not _has_one_form(body):
        return None, _invalid("format", "SHAPE_WRONG", "A value is not written in its one form.")
    try:
        bundle = Bundle(document=document, **_typed(body))
        rewritten = write_bundle(bundle)
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, Invalid) as failure:
        return None, _invalid("format", "SHAPE_WRONG", f"A member has the wrong shape: {failure}")
    if rewritten != data:
        return None, _invalid("format", "SHAPE_WRONG", "A value is not written in its one form.")
    return bundle, _valid("format", "The file has the one canonical form.")


def _has_one_form(value: Any) -> bool:
    """Return whether every text in it is a code, digits or lower-case hex: no spaces, no case."""
    if isinstance(value, dict):
        return all(_has_one_form(one) for one in value.values())
    if isinstance(value, list):
        return all(_has_one_form(one) for one in value)
    return not isinstance(value, str) or ONE_FORM.fullmatch(value) is not None


def _typed(body: Mapping[str, Any]) -> dict[str, Any]:
    return {name: from_json(hint, body[name]) for name, hint in TYPED.items()}


def _check_document(bundle: Bundle) -> Fragment:
    fields = bundle.fields
    try:
        found = digest_of_document(bundle.document, fields.digest_alg).value
    except Invalid as failure:
        return _invalid("document", "DOCUMENT_UNREADABLE", str(failure))
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
    except UNREADABLE as failure:
        return _invalid("inclusion", "FIELDS_UNREADABLE", f"A field cannot be encoded: {failure}")
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
    except UNREADABLE as failure:
        return _invalid("signatures", "CHECKPOINT_UNREADABLE", f"{failure}")
    for one in bundle.signatures:
        if recover(digest, one.signature) != one.account:
            return _invalid(
                "signatures", "SIGNATURE_WRONG", f"{one.account} did not sign this checkpoint."
            )
    return _valid("signatures", f"All {len(accounts)} listed signatures are genuine.")


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
        return _unknown("trust", "TRUST_LIST_FLAWED", f"The trust list is unusable: {flaw}.")
    if chain is None:
        return _unknown("trust", "CHAIN_UNKNOWN", "The trust list does not name this chain.")
    trusted = {(account, one.participant_id) for one in chain.exchanges for account in one.accounts}
    known = {account for account, _ in trusted}
    for one in bundle.signatures:
        if one.account in known and (one.account, one.participant_id) not in trusted:
            return _invalid(
                "trust", "SIGNER_MISNAMED", f"{one.account} signs for another exchange."
            )
    strangers = [one.account for one in bundle.signatures if one.account not in known]
    if strangers:
        return _unknown("trust", "SIGNER_UNKNOWN", f"Nobody on the trust list owns {strangers[0]}.")
    exchanges = {one.participant_id for one in bundle.signatures}
    if len(exchanges) < chain.threshold:
        return _unknown(
            "trust",
            "TOO_FEW_SIGNERS",
            f"{len(exchanges)} exchanges signed, the trust list asks for {chain.threshold}.",
        )
    return _valid("trust", f"{len(exchanges)} trusted exchanges signed.")


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
        return _unknown(
            "freshness",
            "CHECKPOINT_STALE",
            f"The checkpoint is {age_seconds} s old and may be {chain.max_age_seconds} s old:"
            " ask for a newer file.",
        )
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
    return _invalid("status", status.value, f"The certificate is {status.value.lower()}.")


def _valid(name: str, message: str) -> Fragment:
    return Fragment(name, FragmentStatus.VALID, "OK", message)


def _invalid(name: str, code: str, message: str) -> Fragment:
    return Fragment(name, FragmentStatus.INVALID, code, message)


def _unknown(name: str, code: str, message: str) -> Fragment:
    return Fragment(name, FragmentStatus.UNKNOWN, code, message)
