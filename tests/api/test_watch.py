"""The mirror audits itself: a difference is an alarm, until a whole round is equal again."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random
from typing import Any

import pytest
from eth_abi.abi import encode
from sqlalchemy import delete, insert, select, update
from sqlmodel import Session

from api.auditing.alarms import clear_alarms, open_alarms
from api.auditing.audit import Scan, audit, sample
from api.auditing.comparing import Moment, compare
from api.auditing.watch import Watch
from chain.facts import Block, Followed
from chain.tables import table_of
from chain.values import Address, AssetId
from registry.assets import AssetAlias
from registry.certificates import Certificate
from registry.participants import Participant
from registry.rights import Right
from settlement.funds import FundsAccount
from settlement.trades import Trade
from tests.api.lived import Lived
from tests.api.mirrored import named

NOW = 1_790_000_000
EVERYTHING = 10_000
SOON = 0.01


@pytest.fixture
def watch(lived: Lived) -> Iterator[Watch]:
    """A watch of the lived home that compares everything at each step."""
    services = lived.services
    yield Watch(
        services.mirror,
        services.operational,
        services.node,
        every_seconds=SOON,
        scanned=EVERYTHING,
        random=Random(1),
        clock=lambda: NOW,
    )
    clear_alarms(services.operational, now=NOW)


@contextmanager
def without(lived: Lived, record: type, *, first: bool = False) -> Iterator[None]:
    """Take one current row out of the mirror: the last, or the first."""
    table = table_of(record).table
    order = table.c.row_id if first else table.c.row_id.desc()
    current = select(table).where(table.c.to_block.is_(None)).order_by(order).limit(1)
    with lived.services.mirror.begin() as connection:
        row = connection.execute(current).mappings().one()
        connection.execute(delete(table).where(table.c.row_id == row["row_id"]))
    try:
        yield
    finally:
        with lived.services.mirror.begin() as connection:
            connection.execute(insert(table).values(dict(row)))


@contextmanager
def changed(lived: Lived, record: type, **values: Any) -> Iterator[None]:
    """Change all current rows of a record."""
    table = table_of(record).table
    with lived.services.mirror.begin() as connection:
        before = connection.execute(select(table)).mappings().all()
        connection.execute(update(table).where(table.c.to_block.is_(None)).values(values))
    try:
        yield
    finally:
        with lived.services.mirror.begin() as connection:
            connection.execute(delete(table))
            connection.execute(insert(table), [dict(row) for row in before])


class TestStep:
    def test_finds_a_true_mirror_equal(self, lived: Lived, watch: Watch) -> None:
        assert watch.step() == []

        assert watch.rounds == 1
        assert watch.compared > 100
        assert open_alarms(lived.services.operational) == ()

    def test_alarms_at_the_first_difference(self, lived: Lived, watch: Watch) -> None:
        """reliability §4.3 rule 4: views against the mirror, alarm on the first difference."""
        with changed(lived, Trade, gross_fen=1):
            watch.step()
            health = lived.client.get("/v1/health").json()

        said = open_alarms(lived.services.operational)
        assert len(said) == 1
        assert said[0].startswith("Trade 0x")
        assert "gross_fen: mirror 1, chain " in said[0]
        assert health["status"] == "BROKEN"

    def test_alarms_once_for_the_same(self, lived: Lived, watch: Watch) -> None:
        with changed(lived, Trade, gross_fen=1):
            for _ in range(3):
                watch.step()

        said = open_alarms(lived.services.operational)
        assert 1 <= len(said) <= 2
        assert len(set(said)) == len(said)

    def test_ends_the_alarm_when_a_whole_round_is_equal(self, lived: Lived, watch: Watch) -> None:
        with changed(lived, Trade, gross_fen=1):
            watch.step()
        watch.step()

        assert open_alarms(lived.services.operational) == ()
        assert lived.client.get("/v1/health").json()["status"] != "BROKEN"

    def test_reaches_every_record_little_by_little(self, lived: Lived, watch: Watch) -> None:
        watch.scanned = watch.sampled = 7
        with changed(lived, FundsAccount, frozen_fen=1):
            steps = 0
            while watch.rounds == 0:
                watch.step()
                steps += 1

        assert steps > 10
        assert any("frozen_fen" in one for one in open_alarms(lived.services.operational))


class TestReverse:
    @pytest.mark.parametrize("record", [Trade, Participant, Certificate, FundsAccount])
    @pytest.mark.parametrize("first", [True, False])
    def test_finds_a_record_that_only_the_chain_has(
        self, lived: Lived, record: type, first: bool
    ) -> None:
        """Also the last one, which leaves no gap: the chain's own count says that it is there."""
        with without(lived, record, first=first):
            found = audit(lived.services.mirror, lived.services.node)

        assert record.__name__ in {one.record for one in found.differences}

    def test_counts_nothing_that_is_not_there(self, lived: Lived) -> None:
        assert audit(lived.services.mirror, lived.services.node).equal


class TestSample:
    def test_compares_as_many_as_asked_at_most(self, lived: Lived) -> None:
        found = sample(lived.services.mirror, lived.services.node, number=10, random=Random(7))

        assert found.equal
        assert 1 <= found.compared <= 10

    def test_finds_what_it_draws(self, lived: Lived) -> None:
        with changed(lived, Right, kinds=0):
            found = sample(lived.services.mirror, lived.services.node, number=500, random=Random(7))

        assert "Right" in {one.record for one in found.differences}


class TestScan:
    def test_goes_on_where_it_stood(self, lived: Lived) -> None:
        scan = Scan(lived.services.mirror, lived.services.node)
        whole = audit(lived.services.mirror, lived.services.node)

        while not scan.is_done:
            scan.step(limit=3)

        assert scan.result().records == whole.records
        assert scan.result().equal


class TestStrings:
    @pytest.mark.parametrize(
        ("written", "shown"),
        [(b"\0", "\\x00"), (b"\xff", "\\xff"), (b"\\xff", "\\x5cxff"), (b"10.1/a", "10.1/a")],
    )
    def test_are_asked_for_by_the_bytes_that_they_have(self, written: bytes, shown: str) -> None:
        """Else one act of anybody's would be a difference in every mirror for good."""
        scheme, asset_id = named("scheme"), named("asset")
        arguments = encode(["bytes32", "bytes"], [bytes.fromhex(scheme[2:]), written])

        class Asked:
            """A node that knows this one alias."""

            def call(self, method: str, *parameters: Any) -> Any:
                """Answer that every block is there."""
                return self.batch([(method, list(parameters))])[0]

            def batch(self, calls: Any) -> Any:
                """Answer with the asset, or with none."""
                sent = calls[0][1][0]["data"]
                return [asset_id if sent.endswith(arguments.hex()) else "0x" + "00" * 32]

            def distrust(self, reason: str) -> None:
                """Go on."""

        alias = AssetAlias(scheme=scheme, value=shown, asset_id=AssetId(asset_id))
        block = Block(number=1, hash=named("block"), parent_hash=named("before"), timestamp=1)
        followed = Followed(address=Address("0x" + "0a" * 20), contract="Assets", from_block=0)
        moment = Moment(Session(), Asked(), block, (followed,))

        assert compare(moment, [alias], AssetAlias.VIEW) == []


class TestThread:
    def test_runs_beside_the_worker_until_it_is_stopped(self, lived: Lived, watch: Watch) -> None:
        watch.start()
        while watch.rounds == 0:
            assert not watch.found
            time.sleep(SOON)
        watch.stop()
        rounds = watch.rounds

        assert open_alarms(lived.services.operational) == ()
        assert watch.rounds == rounds
