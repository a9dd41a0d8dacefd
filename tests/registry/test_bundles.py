"""A certificate file: it proves itself to whoever holds a trust list, byte for byte."""

import json
from dataclasses import replace

import pytest
from eth_keys.datatypes import PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from chain.codes import CertificateBase, CertificateFlag, CertificateKind, DigestAlg, Noun
from chain.documents import Json, canonical, digest_of_document
from chain.structs import CertificateFields
from chain.values import (
    Address,
    Bytes32,
    CertificateId,
    HexBytes,
    ParticipantId,
    address,
    raw,
)
from registry.bundles import Bundle, CheckpointSignature, Verdict, verify, write_bundle
from registry.certificates import leaf_of
from registry.checkpoints import Checkpoint, Status, digest_of, entry_of, signers_hash_of
from registry.claims import claim_of
from registry.merkle import MerkleMap
from registry.trust import (
    TrustedChain,
    TrustedExchange,
    TrustList,
    TrustListInvalid,
    read_trust,
    write_trust,
)

NOW = 1_790_000_000
CHAIN_ID = 31_337
CONTRACT = Address("0x" + "c0" * 20)
KEYS = (PrivateKey(b"\x11" * 32), PrivateKey(b"\x22" * 32))
EXCHANGES = (ParticipantId("0x" + "a1" * 32), ParticipantId("0x" + "b2" * 32))
STRANGER = PrivateKey(b"\x33" * 32)
DOCUMENT = {
    "holder": "数据商",
    "name": "港口吞吐量",
    "rows": 240,
    "format": "certificate-document/1",
}


def word(byte: str) -> Bytes32:
    return Bytes32("0x" + byte * 32)


def account_of(key: PrivateKey) -> Address:
    return address(key.public_key.to_address())


def fields() -> CertificateFields:
    return CertificateFields(
        certificate_id=CertificateId(word("d4")),
        kind=CertificateKind.REGISTRATION,
        subject_noun=Noun.ASSET,
        subject_id=word("e5"),
        subject_version=1,
        code=Bytes32("0x" + b"VN3112026080001".ljust(32, b"\0").hex()),
        issuer=EXCHANGES[0],
        holder=ParticipantId(word("f6")),
        document_digest=digest_of_document(DOCUMENT).value,
        digest_alg=DigestAlg.SHA256,
        issued_at=NOW - 1_000,
        valid_until=NOW + 86_400,
    )


VALID_STATUS = Status(
    base=CertificateBase.VALID,
    flags=0,
    status_sequence=1,
    superseded_by=CertificateId(word("00")),
)


def sign(checkpoint: Checkpoint, keys: tuple[PrivateKey, ...]) -> tuple[CheckpointSignature, ...]:
    digest = raw(digest_of(checkpoint))
    named = dict(zip((*KEYS, STRANGER), (*EXCHANGES, ParticipantId(word("77"))), strict=True))
    signed = []
    for key in keys:
        parts = key.sign_msg_hash(digest).to_bytes()
        signature = HexBytes("0x" + parts[:64].hex() + f"{parts[64] + 27:02x}")
        signed.append(
            CheckpointSignature(
                account=account_of(key), participant_id=named[key], signature=signature
            )
        )
    return tuple(sorted(signed, key=lambda one: one.account))


def bundle(
    *,
    status: Status = VALID_STATUS,
    keys: tuple[PrivateKey, ...] = KEYS,
    certificate: CertificateFields | None = None,
) -> Bundle:
    certificate = certificate or fields()
    tree = MerkleMap((raw(word(f"{n:02x}")), raw(word("99"))) for n in range(1, 9))
    tree.set(raw(certificate.certificate_id), entry_of(leaf_of(certificate), status))
    checkpoint = Checkpoint(
        chain_id=CHAIN_ID,
        certificates=CONTRACT,
        block_number=77,
        block_hash=word("bb"),
        time=NOW - 60,
        root=Bytes32("0x" + tree.root.hex()),
        count=len(tree),
        previous=word("00"),
        signers_hash=signers_hash_of(account_of(key) for key in keys),
    )
    path = tree.prove(raw(certificate.certificate_id)).path
    return Bundle(
        document=DOCUMENT,
        fields=certificate,
        status=status,
        path=tuple(HexBytes("0x" + step.hex()) for step in path),
        checkpoint=checkpoint,
        signatures=sign(checkpoint, keys),
    )


def trust(
    *, threshold: int = 2, max_age_seconds: int = 3_600, chain_id: int = CHAIN_ID
) -> TrustList:
    exchanges = tuple(
        TrustedExchange(participant_id=exchange, name=name, accounts=(account_of(key),))
        for exchange, name, key in zip(EXCHANGES, ("A", "B"), KEYS, strict=True)
    )
    return TrustList(
        chains=(
            TrustedChain(
                chain_id=chain_id,
                certificates=CONTRACT,
                threshold=threshold,
                max_age_seconds=max_age_seconds,
                exchanges=exchanges,
                issuers=(EXCHANGES[0],),
            ),
        )
    )


def codes(
    data: bytes, *, trusted: TrustList | None = None, now: int = NOW
) -> tuple[Verdict, set[str]]:
    found = verify(data, trust=trusted or trust(), now=now)
    return found.verdict, {one.code for one in found.fragments if one.code != "OK"}


GOOD = write_bundle(bundle())


class TestClaim:
    def test_says_which_certificate_whose_about_what_and_when(self) -> None:
        claim = verify(GOOD, trust=trust(), now=NOW).claim

        assert claim is not None
        assert (claim.code, claim.kind) == ("VN3112026080001", CertificateKind.REGISTRATION)
        assert (claim.holder, claim.issuer) == (word("f6"), EXCHANGES[0])
        assert claim.issuer_name == "A"
        assert (claim.subject_noun, claim.subject_id) == (Noun.ASSET, word("e5"))
        assert (claim.issued_at, claim.valid_until) == (NOW - 1_000, NOW + 86_400)

    @pytest.mark.parametrize(
        ("party", "name"),
        [
            ({"id": word("f6"), "name": "数据商"}, "数据商"),
            ({"id": word("00"), "name": "another"}, ""),
            ({"id": word("f6"), "name": 7}, ""),
            ("数据商", ""),
        ],
    )
    def test_names_the_holder_as_the_document_does(self, party: Json, name: str) -> None:
        assert claim_of(fields(), {"holder": party}, {}).holder_name == name

    def test_names_nobody_from_a_document_that_is_no_object(self) -> None:
        assert claim_of(fields(), ["x"], {}).holder_name == ""

    @pytest.mark.parametrize("code", ["0x" + "ff" * 32, "ABC"])
    def test_tells_a_code_that_is_no_text_as_it_stands(self, code: str) -> None:
        """Whatever is in a file, judging it raises nothing."""
        assert claim_of(replace(fields(), code=Bytes32(code)), {}, {}).code == code

    def test_is_nothing_of_a_file_that_cannot_be_read(self) -> None:
        assert verify(b"{}", trust=trust(), now=NOW).claim is None


class TestFragments:
    @pytest.mark.parametrize("member", ["fields", "status", "path", "checkpoint", "signatures"])
    @pytest.mark.parametrize("wrong", [["a b"], {"A": "B"}, 7, None])
    def test_name_a_member_without_its_shape_in_our_own_words(
        self, member: str, wrong: Json
    ) -> None:
        """People read these sentences: Python's own are none."""
        changed = canonical({**json.loads(GOOD), member: wrong})

        (told,) = verify(changed, trust=trust(), now=NOW).fragments

        assert (told.code, told.values) == ("SHAPE_WRONG", {"member": member})
        assert told.message == (
            f"`{member}` does not have its shape, or a value in it is not written in its one form."
        )


class TestVerify:
    def test_accepts_a_genuine_file(self) -> None:
        """K-03: a certificate from elsewhere is verified in one call, with nothing but a file."""
        found = verify(GOOD, trust=trust(), now=NOW)

        assert found.verdict is Verdict.VALID
        assert found.as_of == {"block_number": 77, "block_hash": word("bb"), "time": NOW - 60}

    @settings(max_examples=400)
    @given(st.integers(0, len(GOOD) - 1), st.integers(1, 255))
    def test_refuses_a_file_with_any_byte_changed(self, position: int, change: int) -> None:
        """Anti-forgery (A-02): whatever byte is changed, the file is refused with a reason."""
        forged = bytearray(GOOD)
        forged[position] ^= change

        verdict, reasons = codes(bytes(forged))

        assert verdict is Verdict.INVALID
        assert reasons

    @given(st.integers(0, len(GOOD)), st.binary(min_size=1, max_size=4))
    def test_refuses_a_file_with_bytes_added(self, position: int, added: bytes) -> None:
        assert codes(GOOD[:position] + added + GOOD[position:])[0] is Verdict.INVALID

    @given(st.binary(max_size=200))
    def test_never_raises_on_any_bytes(self, data: bytes) -> None:
        assert verify(data, trust=trust(), now=NOW).verdict is Verdict.INVALID

    def test_refuses_another_document(self) -> None:
        forged = replace(bundle(), document={**DOCUMENT, "rows": 241})

        assert codes(write_bundle(forged)) == (Verdict.INVALID, {"DOCUMENT_CHANGED"})

    def test_refuses_another_status(self) -> None:
        cancelled = bundle(status=replace(VALID_STATUS, base=CertificateBase.CANCELLED))

        forged = replace(cancelled, status=VALID_STATUS)

        assert codes(write_bundle(forged)) == (Verdict.INVALID, {"NOT_IN_CHECKPOINT"})

    def test_refuses_a_file_with_a_signature_left_out(self) -> None:
        shorter = replace(bundle(), signatures=bundle().signatures[:1])

        assert "SIGNERS_DIFFER" in codes(write_bundle(shorter), trusted=trust(threshold=1))[1]

    def test_refuses_the_other_form_of_a_signature(self) -> None:
        """High s and a flipped v make another signature of the same text: never accepted."""
        order = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
        first, *rest = bundle().signatures
        parts = raw(first.signature)
        high = order - int.from_bytes(parts[32:64], "big")
        twin = parts[:32] + high.to_bytes(32, "big") + bytes([55 - parts[64]])
        forged = replace(first, signature=HexBytes("0x" + twin.hex()))

        verdict, reasons = codes(write_bundle(replace(bundle(), signatures=(forged, *rest))))

        assert (verdict, reasons) == (Verdict.INVALID, {"SIGNATURE_WRONG"})

    def test_refuses_an_exchange_that_signs_under_anothers_name(self) -> None:
        first, second = bundle().signatures
        swapped = (
            replace(first, participant_id=second.participant_id),
            replace(second, participant_id=first.participant_id),
        )

        verdict, reasons = codes(write_bundle(replace(bundle(), signatures=swapped)))

        assert (verdict, reasons) == (Verdict.INVALID, {"SIGNER_MISNAMED"})

    def test_does_not_know_a_stranger(self) -> None:
        file = write_bundle(bundle(keys=(*KEYS, STRANGER)))

        assert codes(file) == (Verdict.UNKNOWN, {"SIGNER_UNKNOWN"})

    def test_does_not_know_too_few_signers(self) -> None:
        file = write_bundle(bundle(keys=KEYS[:1]))

        assert codes(file) == (Verdict.UNKNOWN, {"TOO_FEW_SIGNERS"})

    def test_does_not_know_another_chain(self) -> None:
        assert codes(GOOD, trusted=trust(chain_id=1))[0] is Verdict.UNKNOWN

    def test_does_not_know_an_issuer_who_is_not_trusted(self) -> None:
        file = write_bundle(bundle(certificate=replace(fields(), issuer=EXCHANGES[1])))

        assert codes(file) == (Verdict.UNKNOWN, {"ISSUER_UNKNOWN"})

    def test_fails_closed_when_the_checkpoint_is_stale(self) -> None:
        """Domain 8.2: a status look-up fails closed once the checkpoint is older than agreed."""
        assert codes(GOOD, now=NOW + 3_541) == (Verdict.UNKNOWN, {"CHECKPOINT_STALE"})

    @pytest.mark.parametrize(
        ("status", "code"),
        [
            (replace(VALID_STATUS, base=CertificateBase.CANCELLED), "CANCELLED"),
            (replace(VALID_STATUS, base=CertificateBase.SUPERSEDED), "SUPERSEDED"),
            (replace(VALID_STATUS, flags=1 << CertificateFlag.JUDICIAL_FREEZE), "SUSPENDED"),
            (replace(VALID_STATUS, flags=1 << CertificateFlag.TEMPORARY_CONTROL), "SUSPENDED"),
        ],
    )
    def test_refuses_what_is_no_longer_in_force(self, status: Status, code: str) -> None:
        """K-05: cancelled, superseded and frozen certificates do not verify."""
        assert codes(write_bundle(bundle(status=status))) == (Verdict.INVALID, {code})

    def test_accepts_flags_that_do_not_suspend(self) -> None:
        noted = replace(VALID_STATUS, flags=1 << CertificateFlag.NOTE, status_sequence=2)

        assert codes(write_bundle(bundle(status=noted)))[0] is Verdict.VALID

    def test_refuses_an_expired_certificate(self) -> None:
        """D-08: a certificate lapses when its validity ends."""
        trusted = trust(max_age_seconds=0)

        assert codes(GOOD, trusted=trusted, now=NOW + 86_400) == (Verdict.INVALID, {"EXPIRED"})
        assert codes(GOOD, trusted=trusted, now=NOW + 86_399)[0] is Verdict.VALID


class TestReadTrust:
    def test_reads_what_was_written(self) -> None:
        assert read_trust(write_trust(trust())) == trust()

    @pytest.mark.parametrize("data", [b"", b"[]", b"{}", b'{"format":"shulian-trust/1"}', b"\xff"])
    def test_refuses_anything_else(self, data: bytes) -> None:
        with pytest.raises(TrustListInvalid):
            read_trust(data)


def flawed() -> list[tuple[TrustList, str]]:
    """Return trust lists by which nothing may be trusted, and what is wrong with each."""
    (chain,) = trust().chains
    first, second = chain.exchanges

    def with_(**changed: object) -> TrustList:
        return TrustList(chains=(replace(chain, **changed),))  # type: ignore[arg-type]

    return [
        (with_(threshold=0), "0 of 2 exchanges"),
        (with_(threshold=-1), "-1 of 2 exchanges"),
        (with_(threshold=3), "3 of 2 exchanges"),
        (with_(exchanges=(), threshold=0), "0 of 0 exchanges"),
        (with_(max_age_seconds=-1), "-1 s old"),
        (TrustList(chains=(chain, replace(chain, threshold=1))), "a chain twice"),
        (
            with_(exchanges=(first, replace(second, participant_id=first.participant_id))),
            "an exchange twice",
        ),
        (with_(exchanges=(first, replace(second, accounts=first.accounts))), "an account twice"),
        (
            with_(exchanges=(replace(first, accounts=first.accounts * 2), second)),
            "an account twice",
        ),
    ]


class TestTrustList:
    @pytest.mark.parametrize(("listed", "reason"), flawed())
    def test_that_asks_for_nothing_or_the_impossible_is_refused(
        self, listed: TrustList, reason: str
    ) -> None:
        with pytest.raises(TrustListInvalid) as refusal:
            read_trust(write_trust(listed))

        assert reason in refusal.value.reason

    @pytest.mark.parametrize(("listed", "reason"), flawed())
    def test_that_is_flawed_makes_nothing_valid(self, listed: TrustList, reason: str) -> None:
        found = verify(write_bundle(bundle()), trust=listed, now=NOW)

        assert found.verdict is Verdict.UNKNOWN
        (judged,) = (one for one in found.fragments if one.name == "trust")
        assert (judged.code, reason in judged.message) == ("TRUST_LIST_FLAWED", True)
