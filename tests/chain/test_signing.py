"""
What accounts sign: terms in the clear, and consent to join, as the contracts compute them.
"""

from collections.abc import Iterator
from dataclasses import fields
from itertools import count
from typing import Any

import pytest
from eth_account import Account
from eth_account.signers.local import LocalAccount

from chain.acts import ParticipantsAddAccount, ParticipantsAdmit
from chain.client import Ledger
from chain.codes import ContractTemplate, DeliveryForm, DigestAlg, Rail
from chain.signing import signer_of
from chain.structs import TradeTerms
from chain.values import address, bytes32
from tests.chain.place import Place, applicant_id, application, open_place

NUMBERS = count(1)
DIGEST = bytes32("0x" + "cd" * 32)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with open_place(tmp_path_factory.mktemp("home")) as opened:
        yield opened


@pytest.fixture
def ledger(place: Place) -> Ledger:
    return place.ledger


@pytest.fixture
def number() -> int:
    return next(NUMBERS)


@pytest.fixture
def holder() -> LocalAccount:
    account: LocalAccount = Account.create()
    return account


class TestSignTerms:
    def test_signs_the_digest_that_the_contract_computes(
        self, ledger: Ledger, holder: LocalAccount
    ) -> None:
        made = terms()

        signature = ledger.sign_terms(made, holder)

        digest = ledger.call("Trades", "digestOf", made)
        recovered = Account._recover_hash(bytes.fromhex(digest[2:]), signature=signature)
        assert recovered == holder.address
        assert signer_of(ledger.terms_typed_data(made), signature) == address(holder.address)

    def test_shows_every_term_in_the_clear(self, ledger: Ledger) -> None:
        message = ledger.terms_typed_data(terms())["message"]

        assert len(message) == len(fields(TradeTerms))
        assert message["grossFen"] == 1_000_000
        assert message["rail"] == Rail.PREFUNDED
        assert message["isUseNotAcceptance"] is False


class TestJoinConsent:
    def test_lets_an_account_join(
        self, ledger: Ledger, place: Place, holder: LocalAccount, number: int
    ) -> None:
        newcomer = Account.create()
        ledger.act(application(holder, number), by=holder, key=f"apply/{number}")
        admit = ParticipantsAdmit(
            participant_id=applicant_id(number),
            valid_until=0,
            evidence_digest=DIGEST,
            digest_alg=DigestAlg.SHA256,
        )
        ledger.act(admit, by=place.governor, key=f"admit/{number}")
        consent = ledger.join_consent(applicant_id(number), newcomer, purposes=2)
        join = ParticipantsAddAccount(
            account=address(newcomer.address),
            purposes=2,
            valid_from=0,
            valid_until=0,
            encryption_key=application(newcomer, number).encryption_key,
            consent=consent,
        )

        ledger.act(join, by=holder, key=f"join/{number}")

        found = ledger.call("Participants", "accountOf", join.account)
        assert found.participant_id == applicant_id(number)
        assert found.purposes == 2


def terms() -> TradeTerms:
    chosen: dict[str, Any] = {
        "template": ContractTemplate.DATA_PROVISION,
        "digest_alg": DigestAlg.SHA256,
        "rail": Rail.PREFUNDED,
        "delivery_form": DeliveryForm.DOWNLOAD,
        "is_off_exchange": True,
        "is_use_not_acceptance": False,
        "gross_fen": 1_000_000,
    }
    ids = {
        field.name: bytes32(f"0x{position:064x}")
        for position, field in enumerate(fields(TradeTerms), start=1)
    }
    numbers = dict.fromkeys(
        (
            "listing_version",
            "right_kinds",
            "right_until",
            "quantity",
            "inspection_seconds",
            "deliver_by",
            "offer_until",
        ),
        7,
    )
    return TradeTerms(**{**ids, **numbers, **chosen})
