"""
The whole life of a product, on the shipped sample and on real data packages.
"""

import hashlib
import json
import shutil
from collections import Counter
from fractions import Fraction
from pathlib import Path

import pytest
from sqlmodel import Session

from api.cli import main
from api.demo.cast import CAST
from api.demo.consortium import BUYER_FUNDS_FEN
from api.demo.life import BUYERS, Lived, live
from api.demo.trading import PRICE_FEN, plan
from api.exports import export, verify_exports
from api.packages.descriptors import ResourceFileMissing
from api.packages.packages import read_package
from api.samples import PORT_THROUGHPUT
from chain.codes import AssetKind, CertificateKind, LegKind, Noun, ReviewKind
from chain.reads import count
from registry.agreements import Agreement
from registry.assessments import Assessment
from registry.assets import Asset, AssetReview
from registry.bundles import FragmentStatus, Verdict
from registry.certificates import Certificate, code_text
from registry.lineage import Direction, asset_node
from registry.participants import Participant
from registry.registrations import Registration
from registry.rights import Right
from registry.store import every
from settlement.deliveries import Delivery
from settlement.funds import FundsAccount, Posting
from settlement.listings import Listing, ListingMirror
from settlement.projection import ALL_RECORDS
from settlement.settlements import Settlement
from settlement.store import lineage_of
from settlement.trades import Trade
from tests.stories.places import REAL, folders, real_folder
from tests.stories.world import World

SAMPLE = "port-throughput"
PACKAGES = (SAMPLE, *REAL)
# What each of the demonstration's parties gets of one price, by the agreements of the cast: 2 % and
# 1.5 % to the venues, the 6 % tax that a tax-inclusive price holds, and of what remains 15, 35 and
# 50 % along the chain from source to product.
FEES_FEN = {"exchange-a": 257_600, "exchange-b": 193_200}
TAX_FEN = 729_057
SHARES = {"supplier": Fraction(15, 100), "developer": Fraction(35, 100), "vendor": Fraction(1, 2)}


def folder_of(name: str) -> Path:
    return PORT_THROUGHPUT if name == SAMPLE else real_folder(name)


def lived_of(world: World, name: str) -> Lived:
    return world.lived[read_package(folder_of(name)).name]


def files_of(folder: Path) -> dict[str, str]:
    """Return the digest of every file that a package names, read without our own code."""
    described = json.loads((folder / "datapackage.json").read_text("utf-8"))
    paths = [one["path"] for one in described["resources"]]
    return {path: "0x" + hashlib.sha256((folder / path).read_bytes()).hexdigest() for path in paths}


@pytest.fixture(scope="module")
def exports(world: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All certificates as files, in a folder away from the home."""
    world.worker.sync_once()
    with Session(world.services.mirror) as session:
        folder = world.settings.exports
        export(
            session,
            world.demo.content,
            venue=world.demo.venue(),
            cosigners=world.demo.cosigners(),
            folder=folder,
        )
    return Path(shutil.copytree(folder, tmp_path_factory.mktemp("peer") / "exports"))


@pytest.mark.parametrize("name", PACKAGES)
class TestLife:
    def test_makes_one_of_everything(self, world: World, name: str) -> None:
        lived, files = lived_of(world, name), files_of(folder_of(name))
        assert lived.element is not None
        assert lived.product is not None
        ours = [*lived.resources, lived.element, lived.product]
        ids = tuple(one.asset_id for one in ours)

        with Session(world.services.mirror) as session:
            kinds = Counter(one.kind for one in every(session, Asset, where={"asset_id": ids}))
            reviews = every(session, AssetReview, where={"asset_id": (lived.element.asset_id,)})
            (listing,) = every(session, Listing, where={"asset_id": (lived.product.asset_id,)})
            trades = tuple(every(session, Trade, where={"listing_id": (listing.listing_id,)}))
            trade_ids = tuple(one.trade_id for one in trades)
            found = {
                Registration: count(session, Registration, where={"asset_id": ids}),
                Right: count(session, Right, where={"asset_id": ids}),
                Assessment: count(session, Assessment, where={"asset_id": ids}),
                ListingMirror: count(
                    session, ListingMirror, where={"listing_id": listing.listing_id}
                ),
                Delivery: count(session, Delivery, where={"trade_id": trade_ids}),
                Settlement: count(session, Settlement, where={"trade_id": trade_ids}),
            }
            reviewed = {one.kind for one in reviews}

        sources = len(set(files.values()))
        assert kinds == {
            AssetKind.RESOURCE: sources,
            AssetKind.ELEMENT: 1,
            AssetKind.PRODUCT: 1,
        }
        assert reviewed == set(ReviewKind) - {ReviewKind.NONE}
        assert len(trades) == len(BUYERS)
        assert found == {
            Registration: sources + 2,
            # One that the registration enters for each asset, one granted on by each parent.
            Right: sources + 2 + sources + 1,
            Assessment: 1,
            ListingMirror: 1,
            Delivery: len(BUYERS),
            Settlement: len(BUYERS),
        }

    def test_certifies_every_act_so_that_the_file_proves_itself(
        self, world: World, exports: Path, name: str
    ) -> None:
        lived = lived_of(world, name)
        assert lived.element is not None
        assert lived.product is not None
        with Session(world.services.mirror) as session:
            (listing,) = every(session, Listing, where={"asset_id": (lived.product.asset_id,)})
            trades = tuple(every(session, Trade, where={"listing_id": (listing.listing_id,)}))
            ids = tuple(one.trade_id for one in trades)
            ours = {
                *(one.certificate_id for one in (*lived.resources, lived.element, lived.product)),
                *(one.certificate_id for one in trades),
                *(one.certificate_id for one in every(session, Delivery, where={"trade_id": ids})),
                *(
                    one.certificate_id
                    for one in every(session, Settlement, where={"trade_id": ids})
                ),
            }
            found = tuple(every(session, Certificate, where={"certificate_id": tuple(ours)}))

        verdicts = verify_exports(exports, now=world.demo.ledger.now())

        kinds = Counter(one.kind for one in found)
        assert kinds == {
            CertificateKind.REGISTRATION: len(lived.resources) + 2,
            CertificateKind.TRADE: 2,
            CertificateKind.DELIVERY: 2,
            CertificateKind.SETTLEMENT: 2,
        }
        for one in found:
            verdict = verdicts[f"{code_text(one.code)}.json"]
            assert verdict.verdict is Verdict.VALID, verdict
            assert {part.status for part in verdict.fragments} == {FragmentStatus.VALID}

    def test_pays_every_price_out_to_the_fen(self, world: World, name: str) -> None:
        """J-04, J-06."""
        lived = lived_of(world, name)
        assert lived.product is not None
        names = {world.stage.participant(one.slug): one.slug for one in CAST}
        with Session(world.services.mirror) as session:
            settled = tuple(every(session, Settlement, where={"settlement_id": lived.settlements}))
            ids = tuple(one.trade_id for one in settled)
            posted = [
                (one.trade_id, one.kind, names[one.payee], one.amount_fen)
                for one in every(session, Posting, where={"trade_id": ids})
            ]

        assert len(settled) == len(BUYERS)
        net_fen = PRICE_FEN - sum(FEES_FEN.values()) - TAX_FEN
        for settlement in settled:
            paid = {
                (kind, payee): fen
                for trade, kind, payee, fen in posted
                if trade == settlement.trade_id
            }
            assert sum(paid.values()) == settlement.gross_fen == PRICE_FEN
            assert {who: paid.pop((LegKind.FEE, who)) for who in FEES_FEN} == FEES_FEN
            assert paid.pop((LegKind.TAX, "tax")) == TAX_FEN
            assert {payee for _, payee in paid} == SHARES.keys()
            for (_, payee), fen in paid.items():
                assert abs(fen - SHARES[payee] * net_fen) < 1

    def test_is_traced_back_to_every_file_and_on_to_both_buyers(
        self, world: World, name: str
    ) -> None:
        """L-01, L-02."""
        lived, files = lived_of(world, name), files_of(folder_of(name))
        assert lived.product is not None
        start = asset_node(lived.product.asset_id, lived.product.version)

        with Session(world.services.mirror) as session:
            up = lineage_of(session, start, Direction.UPSTREAM)
            down = lineage_of(session, start, Direction.DOWNSTREAM)
            assets = tuple(node.id for node in up.nodes if node.noun is Noun.ASSET)
            digests = {
                one.content_digest
                for one in every(session, Asset, where={"asset_id": assets})
                if one.kind is AssetKind.RESOURCE
            }

        assert up.is_complete
        assert down.is_complete
        assert digests == set(files.values())
        reached = {node.id for node in down.nodes if node.noun is Noun.PARTICIPANT}
        assert reached == {world.stage.participant(one) for one in BUYERS}


class TestTheWhole:
    def test_leaves_no_kind_of_record_empty_but_those_of_adverse_acts(self, world: World) -> None:
        with Session(world.services.mirror) as session:
            empty = {one.__name__ for one in ALL_RECORDS if count(session, one) == 0}
            exchanges = {one.home_venue for one in every(session, Participant)}
            agreements = count(session, Agreement)

        assert empty == {"VenueRecognition", "AssetAlias", "Withdrawal", "SettlementHold"}
        assert len(exchanges) == 3
        assert agreements == 1

    def test_ends_with_every_balance_what_the_plans_say(self, world: World) -> None:
        planned: Counter[str] = Counter()
        names = {world.stage.participant(one.slug): one.slug for one in CAST}
        for lived in world.lived.values():
            assert lived.product is not None
            for leg in plan(world.stage, lived.product):
                planned[names[leg.payee]] += len(BUYERS) * leg.amount_fen
        spent = len(world.lived) * PRICE_FEN

        payees = {"supplier", "developer", "vendor", "exchange-a", "exchange-b", "tax"}
        assert planned.keys() == payees
        assert {one: world.balance(one).available_fen for one in payees} == planned
        for buyer in BUYERS:
            assert world.balance(buyer).available_fen == BUYER_FUNDS_FEN - spent

    def test_leaves_the_bank_with_what_came_in(self, world: World) -> None:
        with Session(world.services.mirror) as session:
            accounts = tuple(every(session, FundsAccount))

        bank = world.stage.participant("bank")
        total = world.demo.ledger.call("Funds", "totalFenOf", bank)
        assert {(one.held_fen, one.frozen_fen) for one in accounts} == {(0, 0)}
        assert sum(one.available_fen for one in accounts) == total == 2 * BUYER_FUNDS_FEN

    def test_lived_again_adds_nothing(self, world: World) -> None:
        before = world.connection.latest(), world.entries(), world.checksum()

        again = live(world.stage, tuple(world.packages.values()))

        assert {one.package: one for one in again} == world.lived
        assert (world.connection.latest(), world.entries(), world.checksum()) == before

    def test_is_every_package_that_is_here(self, world: World) -> None:
        assert len(world.lived) == len(folders())


class TestAnIncompletePackage:
    """A package with a file missing, given beside one that is whole."""

    def test_is_refused_by_the_name_of_what_is_missing(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        home = tmp_path / "home"
        given = ("--package", str(PORT_THROUGHPUT), "--package", str(real_folder("exchange-rates")))

        with pytest.raises(SystemExit) as ended:
            main(["demo", "--once", "--json", "--home", str(home), *given])

        problem = json.loads(capsys.readouterr().err)
        assert ended.value.code == 1
        assert problem["type"] == "/problems/resource-file-missing"
        assert problem["fields"] == {"path": "data/daily.csv"}
        assert list(tmp_path.iterdir()) == []

    def test_leaves_an_open_home_as_it_was(self, world: World) -> None:
        content = world.settings.home / "content"
        before = world.entries(), world.checksum(), sorted(content.rglob("*"))

        with pytest.raises(ResourceFileMissing):
            live(world.stage, [read_package(real_folder("exchange-rates"))])

        assert (world.entries(), world.checksum(), sorted(content.rglob("*"))) == before
