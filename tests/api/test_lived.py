"""
Tests on a real chain: the mirror equals the contracts' views, signed acts are relayed, a
certificate's file proves itself, and the worker keeps up.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import Session

from api.attaching import RELAYER
from api.auditing.audit import Audit, AuditOnAnotherFork, audit
from api.compose import worker_of
from api.cosigning import last_checkpoint
from api.exports import Venue, export, trust_of, verify_exports
from api.worker import BlockNotReached
from chain.acts import AssetsDeclare, RegistrationsSubmit
from chain.codec import to_json
from chain.codes import ActType, AssetKind, CertificateKind, DigestAlg, ProcessingRole, SourceKind
from chain.content import FileStore
from chain.documents import Digest
from chain.errors import AccountNotFound, SignatureInvalid
from chain.finality import EMBEDDED_DEPTH
from chain.process import AlreadyHeld
from chain.reads import checksum, page
from chain.store import BLOCKS, rebuild
from chain.structs import Authorization
from chain.tables import table_of
from chain.values import ZERO_ADDRESS, Bytes32, HexBytes, asset_id, bytes32, keccak, raw
from registry.agreements import Agreement
from registry.assets import Asset
from registry.bundles import Verdict, verify
from registry.certificates import Certificate, code_text
from registry.participants import Participant, RoleGrant
from registry.profiles import RuleProfile
from registry.registrations import Registration
from registry.store import list_certificates
from settlement.funds import FundsAccount, Posting
from settlement.projection import apply
from settlement.trades import Trade
from tests.api.lived import Lived
from tests.api.mirrored import filled

pytestmark = pytest.mark.slow


def first(lived: Lived, record: type[Any], **where: Any) -> Any:
    """Return the first record of a kind."""
    with Session(lived.services.mirror) as session:
        return page(session, record, where=where, limit=1).items[0].record


def changed(lived: Lived, record: type, **values: Any) -> Audit:
    """Change one current row of the mirror, audit, and change it back."""
    table = table_of(record).table
    with lived.services.mirror.connect() as connection:
        row = (
            connection.execute(
                table.select().where(table.c.to_block.is_(None)).order_by(table.c.row_id).limit(1)
            )
            .mappings()
            .one()
        )
    was = {name: row[name] for name in values}
    for now in (values, was):
        with lived.services.mirror.begin() as connection:
            connection.execute(table.update().where(table.c.row_id == row["row_id"]).values(**now))
        if now is values:
            found = audit(lived.services.mirror, lived.services.node)
    return found


class TestAudit:
    def test_finds_the_whole_life_equal_to_the_contracts_views(self, lived: Lived) -> None:
        """G1: the fold of all events equals the state read through views."""
        found = audit(lived.services.mirror, lived.services.node)

        assert found.differences == ()
        assert found.equal
        assert found.compared > 100
        assert all(found.records[one] for one in ("Trade", "Settlement", "Posting", "AssetLink"))

    @pytest.mark.parametrize(
        ("record", "values", "field"),
        [
            (FundsAccount, {"available_fen": 1}, "available_fen"),
            (Participant, {"uscc_last4": "0x31323334"}, "uscc_last4"),
            (Agreement, {"members": ()}, "members_hash"),
            (Certificate, {"valid_until": 1}, "leaf"),
            (Trade, {"legs": ()}, "legs_hash"),
            (RoleGrant, {"granted": False}, "granted"),
            (Posting, {"amount_fen": 1}, "leg"),
            (Asset, {"parents": (), "version": 9}, "view"),
            (Registration, {"sequence": 99}, "sequence"),
            (Asset, {"sequence": 2}, "assets of one number"),
        ],
    )
    def test_finds_one_changed_value(
        self, lived: Lived, record: type, values: dict[str, Any], field: str
    ) -> None:
        found = changed(lived, record, **values)

        assert not found.equal
        assert field in {one.field for one in found.differences}
        assert record.__name__ in {one.record for one in found.differences}

    def test_refuses_to_compare_two_forks(self, lived: Lived) -> None:
        table, hash_ = BLOCKS, Bytes32("0x" + "ee" * 32)
        with lived.services.mirror.connect() as connection:
            tip = connection.execute(table.select().order_by(table.c.number.desc())).first()
        assert tip is not None
        for value in (hash_, tip.hash):
            with lived.services.mirror.begin() as connection:
                connection.execute(
                    table.update().where(table.c.number == tip.number).values(hash=value)
                )
            if value == hash_:
                with pytest.raises(AuditOnAnotherFork):
                    audit(lived.services.mirror, lived.services.node)


class TestWorker:
    def test_writes_alone(self, lived: Lived) -> None:
        with pytest.raises(AlreadyHeld), worker_of(lived.services, lived.settings):
            pytest.fail("two writers")

    def test_says_when_the_chain_is_not_that_far(self, lived: Lived) -> None:
        with pytest.raises(BlockNotReached):
            lived.worker.sync_until(10**9)

    def test_follows_in_a_thread_until_told_to_stop(self, lived: Lived) -> None:
        lived.worker.start()
        lived.demo.ledger.clock(lived.demo.ledger.now() + 60)
        lived.worker.stop()

        told = lived.client.get("/v1/health").json()
        behind = lived.worker.sync_once()

        assert told["status"] in ("OK", "LAGGING")
        assert behind.tip is not None
        assert lived.client.get("/v1/health").json()["lag_blocks"] == 0

    def test_leaves_what_a_rebuild_makes_anew(self, lived: Lived) -> None:
        with Session(lived.services.mirror) as session:
            before = checksum(session)

        rebuild(lived.services.mirror, apply)

        with Session(lived.services.mirror) as session:
            assert checksum(session) == before


class TestBundle:
    @pytest.fixture
    def venue(self, lived: Lived) -> Venue:
        with Session(lived.services.mirror) as session:
            issuers = {one.issuer for one in list_certificates(session)}
        return Venue(
            chain_id=lived.demo.ledger.chain_id,
            certificates=lived.demo.ledger.address_of("Certificates"),
            issuers=tuple(sorted(issuers)),
            max_age_seconds=3600,
        )

    def test_proves_a_certificate_to_somebody_who_has_nothing_else(
        self, lived: Lived, venue: Venue
    ) -> None:
        cosigners = lived.demo.cosigners()
        with Session(lived.services.mirror) as session:
            signed = export(
                session,
                lived.services.content,
                venue=venue,
                cosigners=cosigners,
                folder=lived.settings.exports,
            ).signed
        code = lived.client.get("/v1/certificates").json()["items"][0]["code_text"]

        answer = lived.client.get(f"/v1/certificates/{code}/bundle")

        assert answer.status_code == 200, answer.text
        assert f'"{code}.json"' in answer.headers["content-disposition"]
        kept = (lived.settings.exports / "certificates" / f"{code}.json").read_bytes()
        assert answer.content == kept
        trust = trust_of(venue, cosigners)
        found = verify(answer.content, trust=trust, now=signed.checkpoint.time)
        assert found.verdict is Verdict.VALID, found.fragments

    def test_of_a_trade_is_for_those_concerned_only(self, lived: Lived) -> None:
        certificate = first(lived, Certificate, kind=CertificateKind.TRADE)

        answer = lived.client.get(f"/v1/certificates/{certificate.certificate_id}/bundle")
        listed = lived.client.get("/v1/certificates", params={"limit": 200}).json()["items"]

        assert answer.status_code == 401
        assert {one["kind"] for one in listed} == {"REGISTRATION"}

    def test_is_missing_where_its_document_is_and_stops_no_other(
        self, lived: Lived, venue: Venue, tmp_path: Path
    ) -> None:
        """A digest on the ledger does not promise its document."""
        content = FileStore(tmp_path / "content")
        with Session(lived.services.mirror) as session:
            made = list_certificates(session)
            for one in made[1:]:
                named = Digest(value=one.document_digest, algorithm=one.digest_alg)
                content.put(lived.services.content.get(named), algorithm=one.digest_alg)
            exported = export(
                session,
                content,
                venue=venue,
                cosigners=lived.demo.cosigners(),
                folder=tmp_path / "exports",
            )

        written = {path.name for path in (tmp_path / "exports/certificates").iterdir()}
        assert exported.missing == (f"{code_text(made[0].code)}.json",)
        assert written == {f"{code_text(one.code)}.json" for one in made[1:]}
        assert last_checkpoint(tmp_path / "exports") == exported.signed
        found = verify_exports(tmp_path / "exports", now=exported.signed.checkpoint.time)
        assert {one.verdict for one in found.values()} == {Verdict.VALID}


class TestRelay:
    @pytest.fixture
    def application(self, lived: Lived) -> tuple[RegistrationsSubmit, Authorization]:
        """A fresh application, signed by the supplier for anybody to relay."""
        ledger, supplier = lived.demo.ledger, lived.stage.account("supplier")
        resource = first(lived, Asset, kind=AssetKind.RESOURCE)
        earlier = first(lived, Registration, asset_id=resource.asset_id)
        number = len(ledger.sender.outbox.unsettled(-1))
        declaration = filled(
            AssetsDeclare,
            kind=AssetKind.RESOURCE,
            category=resource.category,
            grade=resource.grade,
            digest_alg=DigestAlg.SHA256,
            content_digest=bytes32(keccak(f"content {number}".encode())),
            metadata_digest=resource.metadata_digest,
            revenue_table=resource.revenue_table,
        )
        ledger.act(declaration, by=supplier, key=f"declare {number}")
        act = RegistrationsSubmit(
            asset_id=asset_id(
                kind=AssetKind.RESOURCE,
                registrant=resource.registrant,
                content_digest=declaration.content_digest,
            ),
            asset_version=1,
            act_type=ActType.INITIAL,
            profile_id=first(lived, RuleProfile).profile_id,
            registrar=earlier.registrar,
            prior_certificate_id=Bytes32("0x" + "00" * 32),
            source_kind=SourceKind.COLLECTED,
            processing_role=ProcessingRole.OWN,
            document_digest=bytes32(keccak(b"form")),
            digest_alg=DigestAlg.SHA256,
            rights=earlier.rights,
            salt=bytes32(keccak(f"salt {number}".encode())),
        )
        return act, self.signed(lived, act, supplier)

    @staticmethod
    def signed(lived: Lived, act: RegistrationsSubmit, account: Any) -> Authorization:
        """Return an account's signature over an act."""
        deadline = lived.demo.ledger.now() + 3600
        nonce = int.from_bytes(raw(act.salt)[:8], "big")
        return lived.demo.ledger.sign_act(act, account, nonce=nonce, deadline=deadline)

    @staticmethod
    def post(lived: Lived, act: RegistrationsSubmit, authorization: Authorization) -> Any:
        """Bring a signed act."""
        body = {"act": act.to_json(), "authorization": to_json(Authorization, authorization)}
        return lived.client.post("/v1/registrations", json=body)

    def test_answers_with_the_id_and_where_to_look(
        self, lived: Lived, application: tuple[RegistrationsSubmit, Authorization]
    ) -> None:
        answer = self.post(lived, *application)

        assert answer.status_code == 202, answer.text
        told = answer.json()
        assert answer.headers["location"] == f"/v1/transactions/{told['transaction_hash']}"
        transaction = lived.client.get(answer.headers["location"]).json()
        assert transaction["state"] in ("PENDING", "MINED")
        lived.worker.sync_once()
        transaction = lived.client.get(answer.headers["location"]).json()
        assert (transaction["state"], transaction["id"]) == ("MINED", told["id"])
        lived.demo.ledger.sender.connection.request("anvil_mine", hex(EMBEDDED_DEPTH))
        lived.worker.sync_once()
        transaction = lived.client.get(answer.headers["location"]).json()
        assert (transaction["state"], transaction["id"]) == ("FINAL", told["id"])
        made = lived.client.get(f"/v1/registrations/{told['id']}").json()
        assert made["status"] == "SUBMITTED"

    def test_answers_a_repeat_with_the_same_id(
        self, lived: Lived, application: tuple[RegistrationsSubmit, Authorization]
    ) -> None:
        first_, again = self.post(lived, *application), self.post(lived, *application)

        assert (first_.status_code, again.status_code) == (202, 200)
        assert first_.json() == again.json()

    def test_says_what_the_contract_would_refuse_and_keeps_nothing(
        self, lived: Lived, application: tuple[RegistrationsSubmit, Authorization]
    ) -> None:
        act, _ = application
        before = lived.demo.ledger.sender.outbox.unsettled(-1)
        wrong = replace(act, registrar=Bytes32("0x" + "77" * 32))

        answer = self.post(lived, wrong, self.signed(lived, wrong, lived.stage.account("supplier")))

        assert 400 <= answer.status_code < 500, answer.text
        assert answer.json()["type"] != "/problems/revert-unknown"
        assert lived.demo.ledger.sender.outbox.unsettled(-1) == before

    def test_refuses_an_act_that_was_changed_after_signing(
        self, lived: Lived, application: tuple[RegistrationsSubmit, Authorization]
    ) -> None:
        act, authorization = application

        answer = self.post(
            lived, replace(act, document_digest=bytes32(keccak(b"other"))), authorization
        )

        assert answer.json()["type"] == "/problems/signature-invalid"

    @pytest.mark.parametrize("as_relayer", [False, True])
    def test_relays_nothing_that_nobody_signed(
        self, lived: Lived, application: tuple[RegistrationsSubmit, Any], as_relayer: bool
    ) -> None:
        """The contracts would take it for the relayer's own, and that is nobody's account."""
        (act, _), ledger = application, lived.demo.ledger
        outbox = ledger.sender.outbox
        relayer = lived.stage.address(RELAYER)
        account = relayer if as_relayer else ZERO_ADDRESS
        unsigned = Authorization(account=account, nonce=0, deadline=0, signature=HexBytes("0x"))
        before, head = outbox.unsettled(-1), ledger.sender.connection.latest().number

        answer = self.post(lived, act, unsigned)
        with pytest.raises(SignatureInvalid):
            ledger.relay(act, unsigned, key="unsigned")

        assert answer.status_code == 422, answer.text
        assert answer.json()["type"] == "/problems/request-malformed"
        assert outbox.unsettled(-1) == before
        assert ledger.sender.connection.latest().number == head
        with pytest.raises(AccountNotFound):
            ledger.call("Participants", "accountOf", relayer)

    @pytest.mark.parametrize(
        ("path", "value"),
        [
            (("act", "salt"), "0x12"),
            (("act", "asset_version"), -1),
            (("act", "asset_version"), 2**40),
            (("act", "asset_version"), True),
            (("act", "asset_version"), 1.0),
            (("act", "act_type"), "UNKNOWN"),
            (("act", "act_type"), 1),
            (("act", "rights"), [{}]),
            (("act", "more"), 1),
            (("authorization", "account"), "0x00"),
            (("authorization", "nonce"), str(2**256)),
            (("authorization", "signature"), "0xzz"),
            (("authorization", "signature"), "0x"),
        ],
    )
    def test_refuses_what_is_malformed(
        self,
        lived: Lived,
        application: tuple[RegistrationsSubmit, Authorization],
        path: tuple[str, str],
        value: Any,
    ) -> None:
        act, authorization = application
        body: dict[str, Any] = {
            "act": act.to_json(),
            "authorization": to_json(Authorization, authorization),
        }
        body[path[0]][path[1]] = value

        answer = lived.client.post("/v1/registrations", json=body)

        assert answer.status_code == 422, answer.text
        assert answer.json()["type"] in ("/problems/request-malformed", "/problems/act-malformed")


class TestTransactions:
    def test_are_told_when_others_sent_them(self, lived: Lived) -> None:
        head = lived.demo.ledger.sender.connection.latest()
        number = head.number
        found: tuple[Bytes32, ...] = ()
        while not found:
            block = lived.demo.ledger.sender.connection.head(number)
            assert block is not None
            found, number = block.transactions, number - 1

        told = lived.client.get(f"/v1/transactions/{found[0]}").json()

        assert told["state"] in ("MINED", "FINAL")

    def test_are_missed_by_name(self, lived: Lived) -> None:
        answer = lived.client.get("/v1/transactions/0x" + "99" * 32)

        assert answer.status_code == 404
        assert answer.json()["type"] == "/problems/transaction-not-found"
