"""
The mirror of a chain that changed its mind: whatever was done on the branch that was given up, what
is left is the fold of the branch that counts, and that is what the contracts say.
"""

import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlmodel import Session

from api.auditing.audit import audit
from chain.fetch import Source
from chain.finality import Finality
from chain.indexer import sync_once
from chain.reads import checksum
from chain.rpc import Node
from chain.store import open_mirror, rebuild
from registry.store import every
from settlement.funds import FundsAccount, FundsHold, Posting, Withdrawal
from settlement.projection import apply
from settlement.settlements import Settlement
from settlement.trades import Trade
from tests.invariants.playing import Player
from tests.postgres import forget_mirror, mirror_url
from tests.stories.world import Scene, open_scene

SEEDS = range(3)
FORKS = 3
TURNS_MAX = 30
# What moves money or goods: a player who never comes to it would prove little.
CORE = {
    "TradesConclude",
    "DeliveriesDeliver",
    "DeliveriesAccept",
    "DeliveriesReject",
    "SettlementsPlaceHold",
    "SettlementsSettle",
    "FundsAttestDeposit",
    "FundsRequestWithdrawal",
    "ParticipantsSuspend",
}


class Follower:
    """A mirror that was there all the time."""

    def __init__(self, scene: Scene, folder: Path) -> None:
        self._scene = scene
        self._folder = folder
        self.node = Node(scene.world.demo.rpc_url)
        self.mirror = open_mirror(mirror_url(folder / "follower.db"))
        self.rewinds = 0

    def follow(self) -> None:
        """Catch up with the chain as it is now."""
        synced = sync_once(self.mirror, self._source(), apply)
        self.rewinds += synced.rewound_to is not None

    def fresh(self) -> str:
        """Return the checksum of a mirror that only ever saw the chain as it is now."""
        path = self._folder / "fresh.db"
        mirror = open_mirror(mirror_url(path))
        sync_once(mirror, self._source(), apply)
        found = checksum_of(mirror)
        mirror.dispose()
        forget_mirror(path)
        return found

    def close(self) -> None:
        """Close what is open."""
        self.mirror.dispose()
        self.node.close()

    def _source(self) -> Source:
        deployment = self._scene.world.demo.deployment
        return Source(
            node=self.node,
            chain_id=deployment.chain_id,
            contracts=tuple(deployment.followed()),
            finality=Finality(10_000),
        )


def checksum_of(mirror: Engine) -> str:
    with Session(mirror) as session:
        return checksum(session)


@pytest.fixture
def follower(scene: Scene, tmp_path: Path) -> Iterator[Follower]:
    found = Follower(scene, tmp_path)
    found.follow()
    yield found
    found.close()


def play_a_fork(scene: Scene, follower: Follower, chance: random.Random, folder: Path) -> Player:
    """Play on a branch, let the mirror follow it, and give the branch up."""
    folder.mkdir()
    with open_scene(scene.world, folder) as branch:
        player = Player(branch, chance)
        player.play(chance.randrange(1, TURNS_MAX))
        follower.follow()
        player.play(chance.randrange(1, TURNS_MAX))
        follower.follow()
    return player


class TestTheMirrorAfterForks:
    @pytest.mark.parametrize("seed", SEEDS)
    def test_is_the_fold_of_the_branch_that_counts(
        self, scene: Scene, follower: Follower, tmp_path: Path, seed: int
    ) -> None:
        """G1: the fold of all events is what the views return."""
        chance = random.Random(seed)
        player = Player(scene, chance)
        for fork in range(FORKS):
            lost = play_a_fork(scene, follower, chance, tmp_path / str(fork))
            # Sometimes nothing takes the branch's place: the chain went backwards.
            player.play(chance.choice((0, chance.randrange(1, TURNS_MAX))))

            follower.follow()

            assert checksum_of(follower.mirror) == follower.fresh()
            assert audit(follower.mirror, follower.node).differences == ()
            assert sum(lost.done.values()) > 0
            require_sums(follower.mirror)
        followed = checksum_of(follower.mirror)
        rebuild(follower.mirror, apply)
        assert checksum_of(follower.mirror) == followed
        assert follower.rewinds == FORKS

    def test_is_the_fold_of_a_branch_with_other_blocks_at_the_same_heights(
        self, scene: Scene, follower: Follower
    ) -> None:
        player = Player(scene, random.Random(99))
        player.play(TURNS_MAX)
        follower.follow()
        depth = sum(player.done.values()) // 2

        scene.world.connection.request("anvil_reorg", depth, [])
        follower.follow()

        assert depth > 3
        assert follower.rewinds == 1
        assert checksum_of(follower.mirror) == follower.fresh()
        assert audit(follower.mirror, follower.node).differences == ()


class TestThePlayer:
    def test_does_something_of_everything(self, scene: Scene) -> None:
        """A player whose acts are all refused would prove nothing."""
        player = Player(scene, random.Random(8))

        player.play(250)

        assert player.done.keys() >= CORE, player.done
        assert len(player.done) >= 18, player.done
        assert len(player.refused) >= 6, player.refused


def require_sums(mirror: Engine) -> None:
    """Check that every sum of money closes: S1, T1, C4."""
    with Session(mirror) as session:
        held: Counter[str] = Counter()
        for hold in every(session, FundsHold):
            held[hold.payer] += hold.held_fen
        for asked in every(session, Withdrawal, where={"state": 1}):
            held[asked.participant_id] += asked.amount_fen
        posted: Counter[str] = Counter()
        for posting in every(session, Posting):
            posted[posting.trade_id] += posting.amount_fen
        accounts = {one.participant_id: one.held_fen for one in every(session, FundsAccount)}
        settled = {one.trade_id: one.gross_fen for one in every(session, Settlement)}
        trades = {one.trade_id: one for one in every(session, Trade)}

    assert {who: fen for who, fen in accounts.items() if fen} == +held
    assert settled == posted
    for trade in trades.values():
        assert sum(leg.amount_fen for leg in trade.legs) == trade.gross_fen


class TestTradesInTheMirror:
    def test_carry_the_very_terms_that_both_sides_signed(
        self, scene: Scene, follower: Follower
    ) -> None:
        """Joints 12: what no view shows is covered by the digest that was signed."""
        with Session(follower.mirror) as session:
            trades = tuple(every(session, Trade))

        assert trades
        for trade in trades:
            digest = scene.ledger.call("Trades", "digestOf", trade.terms)
            assert digest == trade.terms_digest
