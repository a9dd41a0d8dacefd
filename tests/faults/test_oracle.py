"""
Whether the simulation would say so: its chains are what their seeds make them, and what is wrong
with a mirror is told.
"""

import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, text

from chain.store import open_mirror
from tests.faults.simulation.__main__ import main
from tests.faults.simulation.battery import FAULTS, plan
from tests.faults.simulation.branches import Chain, Shape, open_chain
from tests.faults.simulation.mirrors import FINALITY, Following, catch_up
from tests.faults.simulation.oracle import Violated, Witness, violations
from tests.faults.simulation.running import Fault, Numbers, Run, simulate
from tests.postgres import Databases


@pytest.fixture
def chain() -> Iterator[Chain]:
    with open_chain(random.Random(3)) as found:
        found.grow_busily(12)
        yield found


@pytest.fixture
def following(chain: Chain) -> Following:
    return Following(url=chain.anvil.url, contracts=chain.followed(0, 1))


@pytest.fixture
def mirror(following: Following, tmp_path: Path) -> Iterator[Engine]:
    """A mirror of the chain that is right."""
    engine = open_mirror(f"sqlite:///{tmp_path}/mirror.db")
    catch_up(engine, following)
    yield engine
    engine.dispose()


class TestAChain:
    def test_is_the_same_for_the_same_seed(self) -> None:
        def hashes(seed: int) -> set[str]:
            with open_chain(random.Random(seed)) as chain:
                chain.grow(5)
                chain.fork(3, Shape.MOVED, growth=1)
                chain.fork(2, Shape.CONFLICTING, growth=0)
                return chain.known

        assert hashes(5) == hashes(5)
        assert hashes(5) != hashes(6)

    @pytest.mark.parametrize("shape", Shape)
    def test_has_no_block_of_a_branch_that_it_gave_up(self, chain: Chain, shape: Shape) -> None:
        before = set(chain.known)
        head = chain.head()

        chain.fork(4, shape, growth=1)

        assert chain.head() == head + 1
        assert len(chain.known - before) == 5


SPOILT: dict[str, Callable[[Connection], object]] = {
    "an event is missing": lambda c: c.execute(
        text("DELETE FROM events WHERE rowid = (SELECT max(rowid) FROM events)")
    ),
    "a version is missing": lambda c: c.execute(
        text("DELETE FROM test_things WHERE rowid = (SELECT max(rowid) FROM test_things)")
    ),
    "a version is closed": lambda c: c.execute(
        text(
            "UPDATE test_things SET to_block = from_block + 1 WHERE rowid ="
            " (SELECT max(rowid) FROM test_things WHERE to_block IS NULL)"
        )
    ),
    "a record is another": lambda c: c.execute(
        text(
            "UPDATE test_things SET version = version + 1 WHERE rowid ="
            " (SELECT max(rowid) FROM test_things)"
        )
    ),
    "a block's checksum is another": lambda c: c.execute(
        text("UPDATE blocks SET checksum = hash WHERE number = (SELECT max(number) FROM blocks)")
    ),
}


class TestViolations:
    def test_are_none_where_nothing_is_wrong(
        self, chain: Chain, following: Following, mirror: Engine
    ) -> None:
        assert violations(mirror, chain.anvil.node, following) == []

    @pytest.mark.parametrize("wrong", SPOILT)
    def test_tell_what_is_wrong(
        self, chain: Chain, following: Following, mirror: Engine, wrong: str
    ) -> None:
        with mirror.begin() as connection:
            SPOILT[wrong](connection)

        assert violations(mirror, chain.anvil.node, following)


class TestAWitness:
    def test_sees_that_something_final_was_rewritten(
        self, chain: Chain, following: Following, mirror: Engine
    ) -> None:
        following.finality = 4
        chain.grow(1)
        catch_up(mirror, following)
        witness = Witness(4)
        witness.look(mirror)
        with mirror.begin() as connection:
            connection.execute(text("UPDATE test_things SET version = version + 1"))

        with pytest.raises(Violated, match="was rewritten"):
            witness.look(mirror)


def _fails(run: Run) -> Numbers:
    if run.seed == 8:
        raise Violated("it is wrong")
    return {"kills": 2, "depth_max": run.seed}


class TestSimulate:
    def test_counts_runs_failures_and_what_was_measured(self) -> None:
        told: list[str] = []
        fault = Fault(name="some", run=_fails, nightly={"sqlite": 3})

        result = simulate([(fault, "sqlite", 3)], seed=7, databases=Databases(), say=told.append)

        some = result["by_fault"]["some"]
        assert (result["runs"], result["failed"]) == (3, 1)
        assert (some["runs"], some["failed"], some["kills"], some["depth_max"]) == (3, 1, 4, 9)
        assert "FAILED some on sqlite, seed 8: Violated: it is wrong" in told
        assert any(
            "scripts/simulate --fault some --database sqlite --seed 8" in one for one in told
        )

    def test_prints_one_object_and_ends_with_its_status(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        status = main(
            ["--fault", "reorg", "--database", "sqlite", "--seed", "9", "--runs", "1", "--json"]
        )

        told = json.loads(capsys.readouterr().out)
        assert status == 0
        assert told.keys() == {"runs", "failed", "by_fault"}
        assert told["by_fault"]["reorg"]["runs"] == 1


class TestTheBattery:
    def test_has_every_fault_on_each_of_its_databases(self) -> None:
        """reliability §4.2: the column of the night."""
        runs = {
            (fault.name, database): count
            for fault, database, count in plan([], runs=None, database=None)
        }

        assert {name for name, _ in runs} == set(FAULTS)
        assert runs["reorg", "sqlite"] == 3 * FINALITY == 192
        assert runs["chaos", "sqlite"] == 720
        assert runs["kill", "sqlite"] * 25 == 1_000
        assert runs["kill", "postgresql"] * 25 == 300
