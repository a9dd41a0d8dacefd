"""
Tests of who sees what: parties, their venue and regulators, and nobody else.
"""

from typing import Any

import pytest
from sqlalchemy import select

from api.certificates import PUBLIC
from api.operational import ACCESSES
from chain import events as e
from chain.codes import CertificateKind, LegKind, Noun, Role
from chain.structs import Leg, ListingTerms, TradeTerms
from tests.api.mirrored import NOWHERE, Mirrored, event, filled, named

TRADE, DELIVERY, SETTLEMENT = named("trade"), named("delivery"), named("settlement")
BUYER, SELLER, VENUE, OTHER_VENUE = "buyer", "seller", "venue", "other venue"
REGULATOR, LOCAL, ELSEWHERE, STRANGER = "regulator", "local", "elsewhere", "stranger"
SEEING = (BUYER, SELLER, VENUE, REGULATOR, LOCAL)
BLIND = (OTHER_VENUE, ELSEWHERE, STRANGER)
GROSS_FEN = 1_000_00
ISSUED = (
    (CertificateKind.REGISTRATION, Noun.ASSET, named("asset")),
    (CertificateKind.TRADE, Noun.TRADE, TRADE),
    (CertificateKind.DELIVERY, Noun.DELIVERY, DELIVERY),
    (CertificateKind.SETTLEMENT, Noun.SETTLEMENT, SETTLEMENT),
)


@pytest.fixture
def home(mirrored: Mirrored) -> Mirrored:
    mirrored.admit(BUYER, SELLER, VENUE, OTHER_VENUE, STRANGER)
    mirrored.admit(REGULATOR, roles=((Role.REGULATOR, NOWHERE),))
    mirrored.admit(LOCAL, roles=((Role.REGULATOR, named(VENUE)),))
    mirrored.admit(ELSEWHERE, roles=((Role.REGULATOR, named(OTHER_VENUE)),))
    _trade(mirrored)
    return mirrored


def _trade(mirrored: Mirrored) -> None:
    asset, listing = named("asset"), named("listing")
    legs = (Leg(kind=LegKind.SHARE, payee=named(SELLER), amount_fen=GROSS_FEN),)
    terms = filled(
        TradeTerms,
        listing_id=listing,
        executing_venue=named(VENUE),
        buyer=named(BUYER),
        seller=named(SELLER),
        bank=named("bank"),
        gross_fen=GROSS_FEN,
    )
    parties = {"trade_id": TRADE, "buyer": named(BUYER), "seller": named(SELLER)}
    money = {"trade_id": TRADE, "bank": named("bank"), "amount_fen": GROSS_FEN}
    mirrored.append(
        event(
            e.AssetDeclared, asset_id=asset, sequence=1, version=1, kind=3, registrant=named(SELLER)
        ),
        event(
            e.ListingSubmitted,
            listing_id=listing,
            asset_id=asset,
            seller=named(SELLER),
            terms=filled(ListingTerms, asset_id=asset, asset_version=1, home_venue=named(VENUE)),
        ),
        event(
            e.FundsDeposited,
            participant_id=named(BUYER),
            bank=named("bank"),
            amount_fen=3 * GROSS_FEN,
        ),
        event(e.TradeConcluded, **parties, terms=terms, legs=legs),
        event(e.FundsHeld, **money, payer=named(BUYER)),
    )
    mirrored.append(
        event(e.DeliveryMade, delivery_id=DELIVERY, trade_id=TRADE, deliverer=named(SELLER)),
        event(
            e.SettlementSettled,
            settlement_id=SETTLEMENT,
            trade_id=TRADE,
            gross_fen=GROSS_FEN,
            legs=legs,
        ),
        event(e.FundsPosted, **money, payer=named(BUYER), payee=named(SELLER), kind=1),
    )


def accesses(home: Mirrored) -> list[tuple[str, str, int]]:
    """Return who looked where, and whether it was shown."""
    columns = (ACCESSES.c.participant_id, ACCESSES.c.path, ACCESSES.c.is_allowed)
    with home.services.operational.connect() as connection:
        found = connection.execute(select(*columns).order_by(ACCESSES.c.access_id))
        return [tuple(row) for row in found]  # type: ignore[misc]


ITEMS = [f"/v1/trades/{TRADE}", f"/v1/deliveries/{DELIVERY}", f"/v1/settlements/{SETTLEMENT}"]
LISTS = ["/v1/trades", "/v1/deliveries", "/v1/settlements"]


class TestSees:
    @pytest.mark.parametrize("path", ITEMS)
    def test_shows_a_trade_and_what_hangs_on_it_to_those_concerned(
        self, home: Mirrored, path: str
    ) -> None:
        for name in SEEING:
            answer = home.get(path, token=home.sign_in(name))
            assert answer.status_code == 200, name

    @pytest.mark.parametrize("path", ITEMS)
    def test_tells_nobody_else_that_it_exists(self, home: Mirrored, path: str) -> None:
        unknown = path[:-1] + ("0" if path[-1] != "0" else "1")
        for name in BLIND:
            token = home.sign_in(name)
            hidden, missing = home.get(path, token=token), home.get(unknown, token=token)
            assert hidden.status_code == missing.status_code == 404, name
            assert hidden.json()["type"] == missing.json()["type"]

    @pytest.mark.parametrize("path", LISTS)
    def test_lists_it_to_those_concerned_only(self, home: Mirrored, path: str) -> None:
        for name in SEEING + BLIND:
            items = home.get(path, token=home.sign_in(name)).json()["items"]
            assert len(items) == (name in SEEING), name

    @pytest.mark.parametrize("path", LISTS[1:])
    def test_lists_nothing_more_when_asked_for_one_trade(self, home: Mirrored, path: str) -> None:
        for name in (BUYER, STRANGER):
            answer = home.get(path, token=home.sign_in(name), trade_id=TRADE)
            assert len(answer.json()["items"]) == (name == BUYER)

    @pytest.mark.parametrize("path", [*ITEMS, *LISTS, "/v1/funds", "/v1/settlements/holds"])
    def test_shows_nothing_without_a_session(self, home: Mirrored, path: str) -> None:
        assert home.get(path).status_code == 401

    def test_ends_with_the_regulators_term(self, home: Mirrored) -> None:
        token = home.sign_in(REGULATOR)
        block = home.append()
        home.append(
            event(
                e.RoleGranted,
                participant_id=named(REGULATOR),
                role=Role.REGULATOR,
                venue=NOWHERE,
                valid_until=block.timestamp,
            )
        )

        assert home.get(f"/v1/trades/{TRADE}", token=token).status_code == 404


class TestCertificates:
    @pytest.fixture(autouse=True)
    def _issued(self, home: Mirrored) -> None:
        home.append(
            *(
                event(
                    e.CertificateIssued,
                    certificate_id=named(f"certificate {kind.name}"),
                    kind=kind,
                    subject_noun=noun,
                    subject_id=subject_id,
                    code="0x" + f"VN{kind.name}".encode().ljust(32, b"\0").hex(),
                    issuer=named(VENUE),
                    holder=named(BUYER),
                )
                for kind, noun, subject_id in ISSUED
            )
        )

    def test_of_trades_are_listed_to_those_concerned_only(self, home: Mirrored) -> None:
        kinds = {name: self.kinds(home, home.sign_in(name)) for name in SEEING + BLIND}

        assert kinds == {
            **dict.fromkeys(SEEING, [kind.name for kind, _, _ in ISSUED]),
            **dict.fromkeys(BLIND, ["REGISTRATION"]),
        }
        assert self.kinds(home, None) == ["REGISTRATION"]

    @pytest.mark.parametrize(
        "asked", [{"kind": "TRADE"}, {"holder": named(BUYER)}, {"subject_id": TRADE}]
    )
    def test_of_trades_are_found_by_no_filter(self, home: Mirrored, asked: dict[str, str]) -> None:
        assert "TRADE" not in self.kinds(home, None, **asked)
        assert "TRADE" not in self.kinds(home, home.sign_in(STRANGER), **asked)
        assert "TRADE" in self.kinds(home, home.sign_in(BUYER), **asked)

    @pytest.mark.parametrize("kind", ["TRADE", "DELIVERY", "SETTLEMENT"])
    def test_of_trades_tell_everybody_else_their_worth_alone(
        self, home: Mirrored, kind: str
    ) -> None:
        tokens = (None, *(home.sign_in(name) for name in BLIND))
        for path in (
            f"/v1/certificates/{named(f'certificate {kind}')}",
            f"/v1/certificates/VN{kind}",
        ):
            for token in tokens:
                told = home.get(path, token=token).json()
                assert set(told) == set(PUBLIC)
                assert (told["kind"], told["status"]) == (kind, "VALID")

    @pytest.mark.parametrize("kind", ["TRADE", "DELIVERY", "SETTLEMENT"])
    def test_of_trades_are_whole_for_those_concerned_who_leave_a_trace(
        self, home: Mirrored, kind: str
    ) -> None:
        path = f"/v1/certificates/VN{kind}"
        for name in SEEING:
            told = home.get(path, token=home.sign_in(name)).json()
            assert told["holder"] == named(BUYER), name

        home.get(path, token=home.sign_in(STRANGER))

        looks = [(named(name), path, 1) for name in SEEING]
        assert accesses(home) == [*looks, (named(STRANGER), path, 0)]

    @pytest.mark.parametrize("kind", ["TRADE", "DELIVERY", "SETTLEMENT"])
    def test_of_trades_have_a_file_for_those_concerned_only(
        self, home: Mirrored, kind: str
    ) -> None:
        path = f"/v1/certificates/VN{kind}/bundle"
        types = {
            name: home.get(path, token=name and home.sign_in(name)).json()["type"]
            for name in (None, STRANGER, BUYER)
        }

        assert types == {
            None: "/problems/sign-in-required",
            STRANGER: "/problems/certificate-code-unknown",
            BUYER: "/problems/checkpoint-missing",
        }

    def test_of_registration_are_public(self, home: Mirrored) -> None:
        told = home.get("/v1/certificates/VNREGISTRATION").json()
        file = home.get("/v1/certificates/VNREGISTRATION/bundle").json()

        assert told["holder"] == named(BUYER)
        assert file["type"] == "/problems/checkpoint-missing"
        assert accesses(home) == []

    @staticmethod
    def kinds(home: Mirrored, token: str | None, **asked: str) -> list[str]:
        """Return the kinds of the certificates in a list."""
        items = home.get("/v1/certificates", token=token, **asked).json()["items"]
        return [one["kind"] for one in items]


class TestStatistics:
    def test_tell_the_amount_as_of_the_tip_alone(self, home: Mirrored) -> None:
        tip = home.append().number

        told = [home.get("/v1/statistics", as_of_block=number).json() for number in (tip - 1, tip)]

        assert [one["settled_fen"] for one in told] == [None, str(GROSS_FEN)]
        assert home.get("/v1/statistics").json()["settled_fen"] == str(GROSS_FEN)


class TestFunds:
    def test_shows_everyone_their_own_money_only(self, home: Mirrored) -> None:
        told = home.get("/v1/funds", token=home.sign_in(BUYER)).json()["items"]
        strangers = home.get("/v1/funds", token=home.sign_in(REGULATOR)).json()["items"]

        assert [(one["participant_id"], one["available_fen"]) for one in told] == [
            (named(BUYER), str(2 * GROSS_FEN))
        ]
        assert strangers == []

    def test_shows_a_payee_what_was_paid_to_it(self, home: Mirrored) -> None:
        told = home.get("/v1/funds/postings", token=home.sign_in(SELLER)).json()["items"]

        assert [one["amount_fen"] for one in told] == [str(GROSS_FEN)]

    def test_takes_no_filter_for_somebody_elses(self, home: Mirrored) -> None:
        answer = home.get("/v1/funds", token=home.sign_in(STRANGER), participant_id=named(BUYER))

        assert answer.status_code == 422


class TestLineage:
    path = f"/v1/assets/{named('asset')}/lineage"

    def test_ends_at_the_offer_for_the_public(self, home: Mirrored) -> None:
        told = home.get(self.path).json()

        assert {node["noun"] for node in told["nodes"]} == {"ASSET", "LISTING"}
        assert told["is_redacted"] is True
        assert TRADE not in str(told)
        assert named(BUYER) not in str(told)

    @pytest.mark.parametrize("name", SEEING)
    def test_reaches_the_buyer_for_those_concerned(self, home: Mirrored, name: str) -> None:
        told = home.get(self.path, token=home.sign_in(name), direction="downstream").json()

        nouns = {node["noun"] for node in told["nodes"]}
        assert nouns == {"ASSET", "LISTING", "TRADE", "DELIVERY", "PARTICIPANT"}
        assert told["is_redacted"] is False

    @pytest.mark.parametrize("name", BLIND)
    def test_is_the_publics_for_everybody_else(self, home: Mirrored, name: str) -> None:
        told = home.get(self.path, token=home.sign_in(name)).json()

        assert {node["noun"] for node in told["nodes"]} == {"ASSET", "LISTING"}

    def test_names_what_documents_call_the_nodes(self, home: Mirrored) -> None:
        from api.catalogue import Catalogue

        services = home.services
        Catalogue(services.mirror, services.operational, services.content).fill()

        told = home.get(self.path, token=home.sign_in(BUYER)).json()

        names: dict[str, Any] = {node["noun"]: node["name"] for node in told["nodes"]}
        assert names["PARTICIPANT"] == "buyer Ltd"


class TestLog:
    def test_keeps_every_privileged_look(self, home: Mirrored) -> None:
        token = home.sign_in(BUYER)

        for path in (*ITEMS, *LISTS, "/v1/funds", TestLineage.path):
            assert home.get(path, token=token).status_code == 200

        assert accesses(home) == [
            (named(BUYER), path, 1) for path in (*ITEMS, *LISTS, "/v1/funds", TestLineage.path)
        ]

    def test_keeps_a_look_that_was_refused(self, home: Mirrored) -> None:
        home.get(ITEMS[0], token=home.sign_in(STRANGER))

        assert accesses(home) == [(named(STRANGER), ITEMS[0], 0)]

    def test_keeps_nothing_of_what_is_public(self, home: Mirrored) -> None:
        home.get("/v1/assets", token=None)
        home.get(TestLineage.path)

        assert accesses(home) == []
