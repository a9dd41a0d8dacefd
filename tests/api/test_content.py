"""
What the ledger names and this home keeps: audited, copied, mended, or named as lost.

The own store is a folder here; on a Kubo node the same is in `tests/faults/simulation`.
"""

import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from sqlmodel import Session

from api.config import SettingInvalid, read_settings
from api.content import rows
from api.content.alarms import content_alarms
from api.content.keeper import Keeper, Places
from api.content.named import NO_CONTENT, named_in, naming_events, paths_in
from api.content.round_rows import Purpose
from api.content.rounds import Bounds, Rounds
from api.content.rows import Content, State
from api.content.stores import CopyFolder, NotingStore, SwarmNeedsKubo, keeper_of
from api.content.watch import RETRY_SECONDS, ROUND_SECONDS, ContentWatch
from chain import events as e
from chain.codes import DigestAlg
from chain.content import ContentStore, FileStore
from chain.documents import Digest, digest_of_bytes
from chain.kubo import KuboStore
from chain.kubo_node import ContentStoreUnreachable
from chain.store import rewind
from tests.api.lived import Lived
from tests.api.mirrored import Mirrored, filled, named
from tests.api.naming import name_content

LARGE = (1 << 20) + 1
SOON = 0.01


@dataclass
class Keeping:
    """A home that names and keeps content, and a clock of its own."""

    mirrored: Mirrored
    own: ContentStore
    copies: dict[str, ContentStore] = field(default_factory=dict)
    swarm: tuple[str, ...] = ()
    keeps_named: bool = False
    now: int = 1_790_000_000

    @property
    def noting(self) -> NotingStore:
        return NotingStore(self.own, self.mirrored.services.operational, lambda: self.now)

    @property
    def rounds(self) -> Rounds:
        services = self.mirrored.services
        keeper = Keeper(Places(self.own, self.copies, self.swarm), keeps_named=self.keeps_named)
        return Rounds(services.mirror, services.operational, keeper, clock=lambda: self.now)

    def keep(
        self, data: bytes, *, algorithm: DigestAlg = DigestAlg.SHA256, is_named: bool = True
    ) -> Digest:
        """Put content, and let the ledger name it."""
        digest = self.noting.put(data, algorithm=algorithm).digest
        if is_named:
            self.name(digest)
        return digest

    def name(self, digest: Digest) -> None:
        """Let the ledger name content."""
        name_content(self.mirrored.services.mirror, [digest])

    def look(self, *, is_mending: bool = False) -> dict[str, Content]:
        """Look at everything once, and return it by digest."""
        rounds = self.rounds
        while rounds.read_names():
            pass
        for _ in rounds.step(rounds.open(), Bounds(), is_mending=is_mending):
            pass
        listed = rows.list_contents(self.mirrored.services.operational)
        return {one.digest.value: one for one in listed}

    def state(self, digest: Digest, *, is_mending: bool = False) -> State:
        return self.look(is_mending=is_mending)[digest.value].state


@pytest.fixture
def keeping(mirrored: Mirrored, tmp_path: Path) -> Keeping:
    return Keeping(mirrored, FileStore(tmp_path / "own"))


@pytest.fixture
def copied(keeping: Keeping, tmp_path: Path) -> Keeping:
    """The same with a second copy on another disk."""
    folder = tmp_path / "second"
    folder.mkdir()
    keeping.copies["second"] = CopyFolder(folder)
    return keeping


def file_of(folder: Path, digest: Digest) -> Path:
    return next(folder.rglob(digest.value[2:]))


DAMAGE: dict[str, Callable[[Path], object]] = {
    "removed": lambda path: path.unlink(),
    "cut": lambda path: path.write_bytes(path.read_bytes()[:-1]),
    "flipped": lambda path: path.write_bytes(bytes([path.read_bytes()[0] ^ 1])),
    "emptied": lambda path: path.write_bytes(b""),
}


class TestNamed:
    def test_knows_every_digest_of_every_event(self) -> None:
        """A new digest is content by default; whoever adds one that is none says so."""
        told = {
            ".".join((name, *path)) for name, kind in e.EVENTS.items() for path in paths_in(kind)
        }

        assert NO_CONTENT.isdisjoint(told)
        assert all(one.split(".")[0] in e.EVENTS for one in NO_CONTENT)
        assert {"DeliveryMade.keys_digest", "DeliveryMade.package_digest"} <= told
        assert "RegistrationSubmitted.rights.scope_digest" in told
        assert "TradeTerminated.cause.document_digest" in told
        assert set(naming_events()) == {one.split(".")[0] for one in told}

    def test_is_every_document_of_a_life_and_all_of_it_is_kept(self, lived: Lived) -> None:
        """architecture 6: what the chain knows by digest is found by digest; sidecars, too."""
        services = lived.services
        store = services.content
        assert isinstance(store, NotingStore)
        rounds = Rounds(services.mirror, services.operational, Keeper(Places(store.inner, {})))
        while rounds.read_names():
            pass

        for _ in rounds.step(rounds.open(), Bounds(), is_mending=False):
            pass

        listed = rows.list_contents(services.operational)
        by = {one.named_by for one in listed}
        assert {one.state for one in listed} == {State.HELD}
        assert {"DeliveryMade.keys_digest", "DeliveryAccepted.receipt_digest"} <= by
        assert {"AssetDeclared.content_digest", "CertificateIssued.document_digest"} <= by
        assert len(listed) > 30


class TestAudit:
    def test_finds_what_is_kept_whole(self, keeping: Keeping) -> None:
        digest = keeping.keep(b"a document")

        assert keeping.state(digest) is State.HELD
        assert content_alarms(keeping.mirrored.services.operational) == ()

    @pytest.mark.parametrize("damage", DAMAGE)
    def test_finds_what_is_not(self, keeping: Keeping, tmp_path: Path, damage: str) -> None:
        """reliability §4.2: 100 % detected; without a second copy it is named as lost."""
        digest = keeping.keep(b"a document")
        DAMAGE[damage](file_of(tmp_path / "own", digest))

        assert keeping.state(digest) is State.LOST
        (said,) = content_alarms(keeping.mirrored.services.operational)
        assert said.startswith(
            "content kept nowhere any more: 1 (ParticipantSupplemented.profile_digest 0x"
        )

    def test_tells_what_was_never_here_from_what_was_lost(
        self, keeping: Keeping, tmp_path: Path
    ) -> None:
        others = digest_of_bytes(b"another exchange's document")
        keeping.name(others)
        lost = keeping.keep(b"ours")
        file_of(tmp_path / "own", lost).unlink()

        found = keeping.look()

        assert found[others.value].state is State.ELSEWHERE
        assert found[others.value].is_well
        assert found[lost.value].state is State.LOST

    def test_takes_over_what_an_older_version_put(self, keeping: Keeping, tmp_path: Path) -> None:
        digest = keeping.own.put(b"put without a note").digest
        keeping.name(digest)
        assert keeping.state(digest) is State.HELD

        file_of(tmp_path / "own", digest).unlink()

        assert keeping.state(digest) is State.LOST

    def test_reads_what_was_put_and_nothing_names(self, keeping: Keeping, tmp_path: Path) -> None:
        digest = keeping.keep(b"a draft", is_named=False)
        file_of(tmp_path / "own", digest).unlink()

        assert keeping.state(digest) is State.LOST

    def test_goes_on_where_it_was_interrupted(self, keeping: Keeping) -> None:
        for number in range(7):
            keeping.keep(f"document {number}".encode())
        rounds = keeping.rounds
        rounds.read_names()
        current = rounds.open()
        looked = list(rounds.step(current, Bounds(number=3), is_mending=False))

        again = keeping.rounds
        resumed = again.open()
        rest = list(again.step(resumed, Bounds(), is_mending=False))

        assert resumed.round_id == current.round_id
        assert [len(one) for one in (*looked, *rest)] == [3, 4]
        assert again.open().round_id == current.round_id + 1

    def test_names_again_what_a_fork_replaced(self, keeping: Keeping) -> None:
        first, second = (digest_of_bytes(one) for one in (b"given up", b"as it is now"))
        rounds = keeping.rounds
        keeping.name(digest_of_bytes(b"before"))
        keeping.name(first)
        rounds.read_names()
        keeping.mirrored.rewind(1)
        name_content(keeping.mirrored.services.mirror, [second], branch=" again")

        rounds.read_names()

        listed = {one.digest for one in rows.list_contents(rounds.operational)}
        assert second in listed

    def test_reads_blocks_that_came_again_with_more_in_them(self, keeping: Keeping) -> None:
        """A contract that joins below the tip: its events stand in blocks that were read."""
        mirror = keeping.mirrored.services.mirror
        early, late, joined = (digest_of_bytes(one) for one in (b"early", b"late", b"joined"))
        name_content(mirror, [early])
        name_content(mirror, [late])
        rounds = keeping.rounds
        rounds.read_names()
        with Session(mirror) as session, session.begin():
            rewind(session, 0, to_refetch=True)
        name_content(mirror, [early, joined])
        name_content(mirror, [late])

        rounds.read_names()

        listed = {one.digest for one in rows.list_contents(rounds.operational)}
        assert listed == {early, late, joined}

    def test_forgets_nothing_that_is_put_while_it_is_looked_for(
        self, keeping: Keeping, tmp_path: Path
    ) -> None:
        digest = digest_of_bytes(b"a document")
        keeping.name(digest)
        rounds = keeping.rounds
        rounds.read_names()
        (looked,) = rounds.step(rounds.open(), Bounds(number=1), is_mending=False)
        keeping.keep(b"a document", is_named=False)

        # As it was found a moment before it was put.
        current = rounds.open()
        rows.note_found(rounds.operational, looked, current, now=keeping.now)

        (found,) = rows.list_contents(rounds.operational)
        assert (found.is_kept, found.state) == (True, State.HELD)
        assert found.size_bytes == len(b"a document")
        file_of(tmp_path / "own", digest).unlink()
        assert keeping.state(digest) is State.LOST

    def test_says_that_the_store_is_away_and_loses_nothing(
        self, keeping: Keeping, tmp_path: Path
    ) -> None:
        digest = keeping.keep(b"a document")
        keeping.look()
        keeping.own = KuboStore("/ip4/127.0.0.1/tcp/1", timeout_seconds=1)

        with pytest.raises(ContentStoreUnreachable):
            keeping.look()

        operational = keeping.mirrored.services.operational
        assert "does not answer" in content_alarms(operational)[0]
        keeping.own = FileStore(tmp_path / "own")
        assert keeping.state(digest) is State.HELD
        assert content_alarms(operational) == ()


class TestRepair:
    @pytest.mark.parametrize("algorithm", [DigestAlg.SHA256, DigestAlg.SM3])
    @pytest.mark.parametrize("damage", DAMAGE)
    @pytest.mark.parametrize("size_bytes", [100, LARGE])
    def test_restores_from_a_second_copy(
        self, copied: Keeping, tmp_path: Path, damage: str, algorithm: DigestAlg, size_bytes: int
    ) -> None:
        """reliability §4.2: 100 % restored from a second copy."""
        digest = copied.keep(bytes(size_bytes), algorithm=algorithm)
        copied.look(is_mending=True)
        DAMAGE[damage](file_of(tmp_path / "own" / "sha256", digest_of_bytes(bytes(size_bytes))))
        assert copied.state(digest) in (State.MISSING, State.CORRUPTED)

        assert copied.state(digest, is_mending=True) is State.HELD

        assert copied.own.get(digest) == bytes(size_bytes)

    @pytest.mark.parametrize("text", [None, b"", b"00" * 32])
    def test_restores_a_second_name_from_the_content(
        self, keeping: Keeping, tmp_path: Path, text: bytes | None
    ) -> None:
        digest = keeping.keep(b"named by SM3", algorithm=DigestAlg.SM3)
        path = file_of(tmp_path / "own" / "sm3", digest)
        if text is None:
            path.unlink()
        else:
            path.write_bytes(text)
        assert keeping.state(digest) is not State.HELD

        assert keeping.state(digest, is_mending=True) is State.HELD

    def test_restores_the_second_copy(self, copied: Keeping, tmp_path: Path) -> None:
        digest = copied.keep(b"a document")
        assert copied.look()[digest.value].copies == {"second": "MISSING"}
        assert copied.look(is_mending=True)[digest.value].copies == {"second": "HELD"}
        file_of(tmp_path / "second", digest).write_bytes(b"damaged")

        found = copied.look(is_mending=True)[digest.value]

        assert found.copies == {"second": "HELD"}
        assert (FileStore(tmp_path / "second")).get(digest) == b"a document"

    def test_never_takes_damaged_content_from_a_copy(self, copied: Keeping, tmp_path: Path) -> None:
        digest = copied.keep(b"a document")
        copied.look(is_mending=True)
        file_of(tmp_path / "own", digest).unlink()
        file_of(tmp_path / "second", digest).write_bytes(b"something else")

        assert copied.state(digest, is_mending=True) is State.LOST

    def test_does_not_call_lost_what_a_copy_that_is_away_may_have(
        self, copied: Keeping, tmp_path: Path
    ) -> None:
        digest = copied.keep(b"a document")
        copied.look(is_mending=True)
        file_of(tmp_path / "own", digest).unlink()
        shutil.move(tmp_path / "second", tmp_path / "unmounted")

        assert copied.state(digest) is State.MISSING
        assert not (tmp_path / "second").exists()
        said = content_alarms(copied.mirrored.services.operational)
        assert said[-1] == "second copy out of reach: second"

        shutil.move(tmp_path / "unmounted", tmp_path / "second")
        assert copied.state(digest, is_mending=True) is State.HELD

    def test_fetches_what_others_put_only_where_that_is_wanted(
        self, copied: Keeping, tmp_path: Path
    ) -> None:
        others = FileStore(tmp_path / "second").put(b"another's document").digest
        copied.name(others)
        assert copied.state(others, is_mending=True) is State.ELSEWHERE

        copied.keeps_named = True

        assert copied.state(others, is_mending=True) is State.HELD

    def test_finds_again_what_was_lost(self, copied: Keeping, tmp_path: Path) -> None:
        digest = copied.keep(b"a document")
        file_of(tmp_path / "own", digest).unlink()
        assert copied.state(digest, is_mending=True) is State.LOST

        FileStore(tmp_path / "second").put(b"a document")

        assert copied.state(digest, is_mending=True) is State.HELD
        assert content_alarms(copied.mirrored.services.operational) == ()


class TestWatch:
    @pytest.fixture
    def watch(self, copied: Keeping) -> ContentWatch:
        return ContentWatch(copied.rounds, every_seconds=SOON, clock=lambda: copied.now)

    def test_copies_what_is_new_at_once(
        self, copied: Keeping, watch: ContentWatch, tmp_path: Path
    ) -> None:
        watch.step()
        digest = copied.keep(b"a document")

        watch.step()

        assert FileStore(tmp_path / "second").get(digest) == b"a document"

    def test_mends_within_a_round_and_alarms_for_what_it_cannot(
        self, copied: Keeping, watch: ContentWatch, tmp_path: Path
    ) -> None:
        mended, lost = copied.keep(b"mended"), copied.keep(b"lost")
        watch.step()
        file_of(tmp_path / "own", mended).write_bytes(b"damaged")
        for folder in ("own", "second"):
            file_of(tmp_path / folder, lost).unlink()
        copied.now += ROUND_SECONDS

        watch.step()

        health = copied.mirrored.get("/v1/health").json()
        metrics = copied.mirrored.get("/metrics").text
        assert copied.own.get(mended) == b"mended"
        assert health["status"] in ("DEGRADED", "NODE_UNREACHABLE")
        assert lost.value in health["content"][0]
        assert 'shulian_contents{state="LOST"} 1.0' in metrics
        assert 'shulian_content_copies{condition="HELD",copy="0"} 1.0' in metrics

    def test_tries_again_what_was_lost(
        self, copied: Keeping, watch: ContentWatch, tmp_path: Path
    ) -> None:
        digest = copied.keep(b"a document")
        watch.step()
        for folder in ("own", "second"):
            file_of(tmp_path / folder, digest).unlink()
        copied.now += ROUND_SECONDS
        watch.step()
        assert content_alarms(watch.rounds.operational)

        FileStore(tmp_path / "second").put(b"a document")
        copied.now += RETRY_SECONDS
        watch.step()

        assert content_alarms(watch.rounds.operational) == ()

    def test_does_no_more_in_a_step_than_it_may(self, copied: Keeping, watch: ContentWatch) -> None:
        for number in range(9):
            copied.keep(f"document {number}".encode())
        watch.step()
        copied.now += ROUND_SECONDS
        watch.bounds, before = Bounds(number=4), watch.looked

        watch.step()

        assert watch.looked - before == 4

    def test_leaves_a_persons_run_alone(self, copied: Keeping, watch: ContentWatch) -> None:
        for number in range(4):
            copied.keep(f"document {number}".encode())
        watch.step()
        run = watch.rounds.open(Purpose.REPAIR)
        list(watch.rounds.step(run, Bounds(number=1), is_mending=True))
        copied.now += ROUND_SECONDS

        watch.step()

        assert rows.count_left(watch.rounds.operational, run) == 3

    def test_copies_what_only_a_sample_has_read(
        self, copied: Keeping, watch: ContentWatch, tmp_path: Path
    ) -> None:
        watch.step()
        digest = copied.keep(b"a document")
        drawn = rows.sampled(watch.rounds.operational, 9)
        list(watch.rounds.look(drawn, None, is_mending=False))

        watch.step()

        assert FileStore(tmp_path / "second").get(digest) == b"a document"

    def test_forgets_second_copies_that_are_none_any_more(
        self, copied: Keeping, watch: ContentWatch, tmp_path: Path
    ) -> None:
        copied.keep(b"a document")
        shutil.move(tmp_path / "second", tmp_path / "unmounted")
        watch.step()
        assert content_alarms(watch.rounds.operational)
        del copied.copies["second"]

        watch.start()
        watch.stop()

        assert content_alarms(watch.rounds.operational) == ()

    def test_runs_beside_the_worker_until_it_is_stopped(
        self, copied: Keeping, watch: ContentWatch, tmp_path: Path
    ) -> None:
        digest = copied.keep(b"a document")
        watch.start()
        try:
            while watch.looked == 0:
                time.sleep(SOON)
        finally:
            watch.stop()

        assert FileStore(tmp_path / "second").get(digest) == b"a document"


class TestSettings:
    def test_name_second_copies_and_nodes(self, tmp_path: Path) -> None:
        settings = read_settings(
            {},
            home=tmp_path,
            content_url="ipfs:/ip4/127.0.0.1/tcp/5001",
            content_peers=f"file://{tmp_path}/second, /ip4/10.0.0.2/tcp/4001/p2p/12D3KooWx,",
        )

        keeper = keeper_of(settings)

        assert list(keeper.places.copies) == [f"file://{tmp_path}/second"]
        assert keeper.places.swarm == ("/ip4/10.0.0.2/tcp/4001/p2p/12D3KooWx",)

    @pytest.mark.parametrize("text", ["http://peer", "second", "/ip4/10.0.0.2/tcp/5001"])
    def test_refuse_what_names_neither(self, tmp_path: Path, text: str) -> None:
        with pytest.raises(SettingInvalid):
            read_settings({}, home=tmp_path, content_peers=text)

    def test_refuse_nodes_where_the_own_store_is_none(self, tmp_path: Path) -> None:
        peer = "/ip4/10.0.0.2/tcp/4001/p2p/12D3KooWx"
        with pytest.raises(SwarmNeedsKubo):
            keeper_of(read_settings({}, home=tmp_path, content_peers=peer))


class TestReceipts:
    def test_are_named_in_the_algorithm_of_their_certificate(self) -> None:
        accepted = filled(e.DeliveryAccepted, meta=None, receipt_digest=named("receipt"))

        (told,) = named_in(accepted, lambda _: DigestAlg.SM3)

        assert told.digest == Digest(named("receipt"), DigestAlg.SM3)
        assert list(named_in(accepted)) == []
