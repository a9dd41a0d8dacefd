"""
Content is lost in every way that a store can lose it: found, put back from a second copy, or named.

Each run keeps twenty contents, of which five have no second copy, and does every damage to all of
them. The second copy is a folder, or by the seed another exchange's node in a private swarm. The
mirror's database plays no part: what names the content is written into it and read.
"""

import random
import shutil
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from sqlalchemy import Engine

from api.content import rows
from api.content.alarms import content_alarms
from api.content.keeper import Keeper, Places
from api.content.rounds import Bounds, Rounds
from api.content.rows import FAULTY, Content, State
from api.content.stores import CopyFolder, NotingStore
from api.migrations import open_operational
from chain.codes import DigestAlg
from chain.content import ContentStore, FileStore, Stored
from chain.documents import Cid, Digest, digest_of_bytes
from chain.kubo import KuboStore
from chain.kubo_node import ContentStoreUnreachable
from chain.store import open_mirror
from tests.api.naming import name_content
from tests.faults.simulation.oracle import Violated
from tests.faults.simulation.running import Fault, Numbers, Run
from tests.kubo import Kubo, new_swarm_key, running

CONTENTS: Final = 20
UNCOPIED: Final = 5
# Around the sizes at which one block becomes a tree, and a tree gets another level.
SIZES: Final = (40, 100, 5_000, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, 3 << 20)
LEVELS_SIZE: Final = 175 * (1 << 18)
ALGORITHMS: Final = (DigestAlg.SHA256, DigestAlg.SHA256, DigestAlg.SM3)
# Nothing that a node on this machine does takes longer, and no neighbour is farther away.
TIMEOUT_SECONDS: Final = 20
WAIT_SECONDS: Final = 1
COLLECTIONS: Final = 5


@dataclass(frozen=True, slots=True)
class Kept:
    """A content, its bytes as they must come back, and whether there is a second copy."""

    stored: Stored
    data: bytes
    is_copied: bool

    @property
    def digest(self) -> Digest:
        return self.stored.digest


@dataclass(slots=True)
class Home:
    """A home with its content, and what came of damaging it."""

    rounds: Rounds
    own: ContentStore
    second: ContentStore
    forget: Callable[[Stored], None]
    chance: random.Random
    kept: list[Kept] = field(default_factory=list)
    numbers: dict[str, int | float] = field(default_factory=dict)

    @property
    def noting(self) -> NotingStore:
        return NotingStore(self.own, self.rounds.operational)

    def fill(self) -> None:
        """Put all contents, let the ledger name them, and copy those that are to be copied."""
        for place in range(CONTENTS):
            size_bytes = LEVELS_SIZE if place == UNCOPIED else self.chance.choice(SIZES)
            data = self.chance.randbytes(size_bytes)
            algorithm = self.chance.choice(ALGORITHMS)
            stored = self.noting.put(data, algorithm=algorithm)
            self.kept.append(Kept(stored, data, is_copied=place >= UNCOPIED))
            if place >= UNCOPIED:
                self.second.put(data, algorithm=algorithm)
        others = digest_of_bytes(self.chance.randbytes(32))
        name_content(self.rounds.mirror, [*(one.digest for one in self.kept), others])

    def look(self, *, is_mending: bool = False) -> Mapping[str, Content]:
        """Look at everything, and return it by digest."""
        while self.rounds.read_names():
            pass
        for _ in self.rounds.step(self.rounds.open(), Bounds(), is_mending=is_mending):
            pass
        return {one.digest.value: one for one in rows.list_contents(self.rounds.operational)}

    def suffer(self, damage: str, harmed: Sequence[Kept], *, is_own_enough: bool = False) -> None:
        """
        Audit and repair after a damage, and hold what came of it against what must.

        shape: where `is_own_enough`, what is left here suffices to mend everything
        """
        found = self.look()
        seen = [one for one in harmed if found[one.digest.value].state in FAULTY]
        unharmed = [one for one in self.kept if one not in harmed]
        self._require(len(seen) == len(harmed), damage, f"{len(seen)} of {len(harmed)} found")
        wrong = [one for one in unharmed if found[one.digest.value].state is not State.HELD]
        self._require(not wrong, damage, f"{len(wrong)} that were not harmed")
        after = self.look(is_mending=True)
        restored = lost = 0
        for one in self.kept:
            must_be_held = one.is_copied or is_own_enough or one not in harmed
            state = after[one.digest.value].state
            expected = State.HELD if must_be_held else State.LOST
            self._require(state is expected, damage, f"{len(one.data)} bytes are {state.name}")
            if state is State.HELD:
                with self.own.open(one.digest) as stream:
                    self._require(stream.read() == one.data, damage, "other bytes came back")
                restored += one in harmed
            else:
                lost += 1
        self._require_told(damage, lost)
        self.count(damage, harmed=len(harmed), found=len(seen), restored=restored, lost=lost)
        self.begin_again()

    def begin_again(self) -> None:
        """Put back by hand what was lost, and take from the second copy what it is not to have."""
        for one in self.kept:
            if not one.is_copied:
                self.noting.put(one.data, algorithm=one.digest.algorithm)
                self.forget(one.stored)

    def count(self, damage: str, **numbers: int) -> None:
        """Add to what the run tells."""
        for name, number in numbers.items():
            for key in (name, f"{damage}_{name}"):
                self.numbers[key] = self.numbers.get(key, 0) + number

    def _require_told(self, damage: str, lost: int) -> None:
        said = " ".join(content_alarms(self.rounds.operational))
        named = rows.list_contents(self.rounds.operational, states=[State.LOST])
        self._require(len(named) == lost, damage, f"{len(named)} named as lost, not {lost}")
        self._require((f"any more: {lost} " in said) == bool(lost), damage, f"alarm {said!r}")
        away = rows.list_contents(self.rounds.operational, states=[State.ELSEWHERE])
        self._require(len(away) == 1, damage, "another's document is not told from what was lost")

    def _require(self, is_so: bool, damage: str, otherwise: str) -> None:
        if not is_so:
            raise Violated(f"{damage}: {otherwise}")


@contextmanager
def _home(
    run: Run,
    own: ContentStore,
    second: ContentStore,
    forget: Callable[[Stored], None],
    swarm: Sequence[str] = (),
) -> Iterator[Home]:
    mirror = open_mirror(run.mirror())
    operational: Engine = open_operational(run.folder / "operational.sqlite")
    copies = {} if swarm else {"second": second}
    keeper = Keeper(Places(own, copies, swarm, WAIT_SECONDS))
    try:
        home = Home(Rounds(mirror, operational, keeper), own, second, forget, run.chance)
        home.fill()
        yield home
    finally:
        operational.dispose()
        mirror.dispose()


# --- files ----------------------------------------------------------------------------------------


def on_files(run: Run) -> Numbers:
    """Damage the files of a folder, and the files that give content a second name."""
    own, folder = run.folder / "own", run.folder / "second"
    folder.mkdir()

    def forget(stored: Stored) -> None:
        for path in _files(folder, stored):
            path.unlink()

    with _home(run, FileStore(own), CopyFolder(folder), forget) as home:
        for damage, harm in FILE_DAMAGE.items():
            for one in home.kept:
                harm(_files(own, one.stored)[0], run.chance)
            home.suffer(damage, home.kept)
        aliased = [one for one in home.kept if one.digest.algorithm is not DigestAlg.SHA256]
        for name, harm in FILE_DAMAGE.items():
            for one in aliased:
                harm(_files(own, one.stored)[1], run.chance)
            home.suffer(f"second_name_{name}", aliased, is_own_enough=True)
        shutil.rmtree(own)
        home.suffer("folder_removed", home.kept)
        return home.numbers


def _files(folder: Path, stored: Stored) -> list[Path]:
    """Return the files of a content: its bytes, then its second name if it has one."""
    names = dict.fromkeys((stored.sha256, stored.digest.value))
    return [path for name in names for path in folder.rglob(str(name)[2:])]


def _flip(path: Path, chance: random.Random) -> None:
    data = bytearray(path.read_bytes())
    data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    path.write_bytes(data)


def _cut(path: Path, chance: random.Random) -> None:
    data = path.read_bytes()
    path.write_bytes(data[: chance.randrange(len(data))])


def _remove(path: Path, chance: random.Random) -> None:  # noqa: ARG001
    path.unlink()


FILE_DAMAGE: Final[Mapping[str, Callable[[Path, random.Random], None]]] = {
    "removed": _remove,
    "cut": _cut,
    "flipped": _flip,
}


# --- Kubo -----------------------------------------------------------------------------------------


def on_kubo(run: Run) -> Numbers:
    """Damage what an IPFS node keeps, and the node itself."""
    key = new_swarm_key()
    with running(run.folder / "node", swarm_key=key) as node:
        if run.seed % 2:
            with running(run.folder / "peer", swarm_key=key) as peer:
                return _suffer_kubo(run, node, peer)
        return _suffer_kubo(run, node, None)


def _suffer_kubo(run: Run, node: Kubo, peer: Kubo | None) -> Numbers:
    own = KuboStore(node.address, timeout_seconds=TIMEOUT_SECONDS, spool=run.folder / "spool")
    if peer is None:
        folder = run.folder / "second"
        folder.mkdir()
        second: ContentStore = CopyFolder(folder)

        def forget(stored: Stored) -> None:
            for path in _files(folder, stored):
                path.unlink()

        home_of = _home(run, own, second, forget)
    else:
        second = KuboStore(peer.address)

        def forget(stored: Stored) -> None:  # noqa: ARG001
            """Nothing: what this home keeps alone never came to the other exchange."""

        home_of = _home(run, own, second, forget, swarm=[peer.peer()])
    with home_of as home:
        for damage, harm in BLOCK_DAMAGE.items():
            for one in home.kept:
                harm(_block_file(node, one.stored, run.chance), run.chance)
            home.suffer(f"block_{damage}", home.kept)
        _unpin(node, home.kept)
        home.suffer("unpinned", home.kept, is_own_enough=True)
        _unpin(node, home.kept)
        _unlist(node)
        node.ask("/repo/gc")
        home.suffer("collected", home.kept)
        _unlist(node)
        listed = [one for one in home.kept if not _is_block(one)]
        home.suffer("unlisted", listed, is_own_enough=True)
        _race(home, node)
        _away(home, node)
        return home.numbers


def _race(home: Home, node: Kubo) -> None:
    """Mend while garbage is collected again and again: what has a second copy must come through."""
    _unpin(node, home.kept)
    collector = threading.Thread(target=lambda: [node.ask("/repo/gc") for _ in range(COLLECTIONS)])
    collector.start()
    home.look(is_mending=True)
    collector.join()
    after = home.look(is_mending=True)
    states = [after[one.digest.value].state for one in home.kept if one.is_copied]
    if set(states) != {State.HELD}:
        raise Violated(f"collected while mending: {[one.name for one in states]}")
    home.numbers["raced_came_through"] = len(states)
    home.begin_again()
    home.look(is_mending=True)


def _away(home: Home, node: Kubo) -> None:
    """Take the node away: nothing may be called lost, and all must be there when it is back."""
    node.kill()
    try:
        home.look(is_mending=True)
    except ContentStoreUnreachable:
        pass
    else:
        raise Violated("a node that is down was not noticed")
    if "does not answer" not in content_alarms(home.rounds.operational)[0]:
        raise Violated("no alarm for a node that is down")
    if rows.list_contents(home.rounds.operational, states=FAULTY):
        raise Violated("what a node that is down keeps was called lost")
    home.numbers["nodes_killed"] = 1
    node.start()
    home.own = KuboStore(node.address, timeout_seconds=TIMEOUT_SECONDS)
    home.rounds.keeper.places = replace(home.rounds.keeper.places, own=home.own)
    home.suffer("away", [])


def _unpin(node: Kubo, kept: Sequence[Kept]) -> None:
    for cid in {str(one.stored.cid) for one in kept}:
        node.ask("/pin/rm", cid)


def _unlist(node: Kubo) -> None:
    node.client.files.rm("/shulian", recursive=True)


def _is_block(one: Kept) -> bool:
    """Return whether the CID alone leads from the digest to the content."""
    return one.digest.algorithm is DigestAlg.SHA256 and len(one.data) <= 1 << 20


def _block_file(node: Kubo, stored: Stored, chance: random.Random) -> Path:
    """Return the file of a block of a content: its root, or any one below."""
    cid = Cid(str(stored.cid))
    blocks = [cid]
    while cid.startswith("bafybei"):
        below = [Cid(link["Hash"]["/"]) for link in node.ask("/dag/get", cid)[0]["Links"]]
        cid = chance.choice(below)
        blocks.append(cid)
    return node.block_file(chance.choice(blocks))


BLOCK_DAMAGE: Final[Mapping[str, Callable[[Path, random.Random], None]]] = {
    "removed": _remove,
    "cut": _cut,
    "flipped": _flip,
}


# Ten runs of twenty contents: two hundred for each kind of damage.
LOSSES: Final[Mapping[str, Fault]] = {
    one.name: one
    for one in (
        Fault(name="content-files", run=on_files, nightly={"sqlite": 10}, battery="content"),
        Fault(name="content-kubo", run=on_kubo, nightly={"sqlite": 10}, battery="content"),
    )
}
