"""The content store, on files and on a real Kubo node alike: by name, verified, or not at all."""

import json
import os
import re
import resource
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from io import BytesIO
from pathlib import Path

import pytest

from chain.codes import DigestAlg
from chain.content import (
    MEMORY_BYTES_MAX,
    Condition,
    ContentCorrupted,
    ContentMissing,
    ContentStore,
    ContentTooLarge,
    FileStore,
    Stored,
    StoreUrlInvalid,
    content_store,
)
from chain.documents import (
    DOCUMENT_BYTES_MAX,
    Cid,
    CidInvalid,
    Digest,
    cid_of_digest,
    digest_of_bytes,
)
from chain.kubo import KuboStore
from chain.kubo_node import (
    ContentStoreExposed,
    ContentStoreUnreachable,
    KuboVersionUnsupported,
)
from tests.kubo import QUIET, Kubo, new_swarm_key, running

Pair = tuple[Kubo, Kubo]

ALGORITHMS = [DigestAlg.SHA256, DigestAlg.SM3, DigestAlg.KECCAK256]
LARGE = DOCUMENT_BYTES_MAX + 1
FOLDERS = ["/shulian", "/shulian/sha256", "shard"]

KINDS = ["files", pytest.param("kubo", marks=pytest.mark.engines)]


def new_content(size_bytes: int = 100) -> bytes:
    """Return bytes that no store holds yet: a Kubo node outlives a test."""
    return os.urandom(size_bytes)


def name_of(data: bytes, algorithm: DigestAlg = DigestAlg.SHA256) -> Digest:
    return digest_of_bytes(data, algorithm)


def file_of(folder: Path, digest: Digest) -> Path:
    return next(folder.rglob(digest.value[2:]))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "content"


@pytest.fixture
def store(request: pytest.FixtureRequest, folder: Path, tmp_path: Path) -> ContentStore:
    if request.param == "files":
        return FileStore(folder)
    node: Kubo = request.getfixturevalue("kubo")
    return KuboStore(node.address, spool=tmp_path / "spool")


@pytest.fixture
def kubo_store(kubo: Kubo) -> KuboStore:
    return KuboStore(kubo.address)


@pytest.fixture(scope="module")
def careful_kubo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kubo]:
    """A node that does not write a block which it believes to have."""
    folder = tmp_path_factory.mktemp("kubo") / "careful"
    with running(folder, **{"Datastore.WriteThrough": False}) as node:
        yield node


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """Two exchanges' nodes in a network of their own."""
    folder, key = tmp_path_factory.mktemp("kubo"), new_swarm_key()
    with (
        running(folder / "one", swarm_key=key) as one,
        running(folder / "other", swarm_key=key) as other,
    ):
        yield one, other


def block_at(node: Kubo, root: Cid, place: str) -> str:
    """Return the CID of a block in a tree of three levels."""
    cid = str(root)
    for _ in range({"block": 0, "root": 0, "inner": 1, "leaf": 2}[place]):
        cid = node.ask("/dag/get", cid)[0]["Links"][0]["Hash"]["/"]
    return cid


def harm(path: Path, damage: str) -> None:
    data = path.read_bytes()
    if damage == "gone":
        path.unlink()
    elif damage == "cut":
        path.write_bytes(data[:-1])
    else:
        path.write_bytes(data[:8] + bytes([data[8] ^ 1]) + data[9:])


@contextmanager
def answering(answer: bytes) -> Iterator[str]:
    """Answer every request alike, as whatever else may listen on a port."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:  # noqa: N802
            self.send_response(200)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"/ip4/127.0.0.1/tcp/{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def small_disk() -> Iterator[Callable[[int], None]]:
    """Yield a function that makes this process unable to write files larger than it is told."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield lambda size_bytes: resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, before[1]))
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("store", KINDS, indirect=True)
class TestPut:
    @pytest.mark.parametrize("size_bytes", [1, 100, LARGE - 1, LARGE, 3 * LARGE])
    def test_gives_back_what_was_put_under_each_name(
        self, store: ContentStore, size_bytes: int
    ) -> None:
        data = new_content(size_bytes)

        stored = store.put(data)

        assert (stored.digest, stored.size_bytes) == (name_of(data), size_bytes)
        assert store.get(stored.digest) == store.get(stored) == data

    def test_keeps_nothing_as_content_too(self, store: ContentStore) -> None:
        assert store.get(store.put(b"").digest) == b""

    def test_names_one_block_by_a_cid_that_anybody_can_compute(self, store: ContentStore) -> None:
        data = new_content()

        stored = store.put(data)

        assert stored.cid == cid_of_digest(name_of(data))
        assert store.get(stored.cid) == data

    def test_takes_a_file(self, store: ContentStore, tmp_path: Path) -> None:
        path = tmp_path / "数据.csv"
        path.write_bytes(new_content(2 * LARGE))

        stored = store.put(path)

        assert store.get(stored.digest) == path.read_bytes()

    @pytest.mark.parametrize("algorithm", ALGORITHMS)
    @pytest.mark.parametrize("size_bytes", [100, LARGE])
    def test_names_content_in_the_algorithm_asked_for(
        self, store: ContentStore, algorithm: DigestAlg, size_bytes: int
    ) -> None:
        """S-01: content whose digest on chain is SM3 is found by that digest."""
        data = new_content(size_bytes)

        stored = store.put(data, algorithm=algorithm)

        assert stored.digest == name_of(data, algorithm)
        assert store.get(stored.digest) == store.get(name_of(data)) == data

    @pytest.mark.parametrize("size_bytes", [100, LARGE])
    def test_repeated_answers_the_same(self, store: ContentStore, size_bytes: int) -> None:
        data = new_content(size_bytes)

        assert store.put(data) == store.put(data)

    def test_by_many_at_once_answers_all_the_same(self, store: ContentStore) -> None:
        data = new_content(LARGE)

        with ThreadPoolExecutor(4) as pool:
            answers = set(pool.map(lambda _: store.put(data, algorithm=DigestAlg.SM3), range(8)))

        assert len(answers) == 1
        assert store.get(answers.pop()) == data


@pytest.mark.parametrize("store", KINDS, indirect=True)
class TestOpen:
    @pytest.mark.parametrize("algorithm", ALGORITHMS)
    def test_says_when_content_is_missing(self, store: ContentStore, algorithm: DigestAlg) -> None:
        with pytest.raises(ContentMissing):
            store.open(name_of(new_content(), algorithm))

    def test_says_when_a_block_is_missing(self, store: ContentStore) -> None:
        with pytest.raises(ContentMissing):
            store.open(cid_of_digest(name_of(new_content())))

    def test_refuses_a_root_alone_as_it_tells_no_digest(self, store: ContentStore) -> None:
        root = Cid("bafybeihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku")

        with pytest.raises(CidInvalid):
            store.open(root)

    def test_reads_a_piece_at_a_time(self, store: ContentStore) -> None:
        data = new_content(LARGE)
        digest = store.put(data).digest

        with store.open(digest) as stream:
            pieces = list(iter(lambda: stream.read(100_000), b""))

        assert len(pieces) == 11
        assert b"".join(pieces) == data


@pytest.mark.parametrize("store", KINDS, indirect=True)
class TestCondition:
    @pytest.mark.parametrize("algorithm", ALGORITHMS)
    def test_is_held_after_put_and_missing_before(
        self, store: ContentStore, algorithm: DigestAlg
    ) -> None:
        data = new_content()

        assert store.condition(name_of(data, algorithm)) is Condition.MISSING

        store.put(data, algorithm=algorithm)
        assert store.condition(name_of(data, algorithm)) is Condition.HELD

    def test_takes_a_stream_and_leaves_it_open(self, store: ContentStore) -> None:
        stream = BytesIO(new_content(LARGE))

        stored = store.put(stream)

        assert store.condition(stored) is Condition.HELD
        assert not stream.closed


@pytest.mark.parametrize("store", KINDS, indirect=True)
class TestGet:
    def test_refuses_more_than_fits_in_memory(self, store: ContentStore, tmp_path: Path) -> None:
        path = tmp_path / "large"
        with path.open("wb") as file:
            file.truncate(MEMORY_BYTES_MAX + 1)
        stored = store.put(path)

        with pytest.raises(ContentTooLarge):
            store.get(stored)

    def test_takes_the_most_that_fits(self, store: ContentStore) -> None:
        assert len(store.get(store.put(bytes(MEMORY_BYTES_MAX)))) == MEMORY_BYTES_MAX

    def test_holds_little_in_memory_whatever_the_size(
        self, store: ContentStore, tmp_path: Path
    ) -> None:
        path = tmp_path / "large"
        with path.open("wb") as file:
            file.truncate(32 * DOCUMENT_BYTES_MAX)
        store.put(b"what is loaded once is not counted")

        tracemalloc.start()
        store.open(store.put(path)).close()
        peak_bytes = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()

        assert peak_bytes < 6 * DOCUMENT_BYTES_MAX


class TestFileStore:
    @pytest.mark.parametrize(
        "damage",
        [
            lambda _: b"",
            lambda data: data[:-1],
            lambda data: data + b"\0",
            lambda data: data[:50] + bytes([data[50] ^ 1]) + data[51:],
        ],
    )
    @pytest.mark.parametrize("algorithm", ALGORITHMS)
    def test_refuses_damaged_content(
        self, folder: Path, damage: Callable[[bytes], bytes], algorithm: DigestAlg
    ) -> None:
        data = new_content()
        stored = FileStore(folder).put(data, algorithm=algorithm)
        file_of(folder, name_of(data)).write_bytes(damage(data))

        with pytest.raises(ContentCorrupted):
            FileStore(folder).open(stored.digest)

    def test_is_healed_by_putting_the_content_again(self, folder: Path) -> None:
        data = new_content()
        store = FileStore(folder)
        digest = store.put(data).digest
        file_of(folder, digest).write_bytes(b"damaged")

        store.put(data)

        assert store.get(digest) == data

    @pytest.mark.parametrize("text", [b"", b"xyz", b"\xff", b"00" * 31])
    def test_refuses_a_damaged_second_name(self, folder: Path, text: bytes) -> None:
        stored = FileStore(folder).put(new_content(), algorithm=DigestAlg.SM3)
        file_of(folder, stored.digest).write_bytes(text)

        with pytest.raises(ContentCorrupted):
            FileStore(folder).open(stored.digest)

    def test_refuses_a_second_name_that_leads_to_other_content(self, folder: Path) -> None:
        store = FileStore(folder)
        other = store.put(new_content()).digest
        stored = store.put(new_content(), algorithm=DigestAlg.SM3)
        file_of(folder, stored.digest).write_text(other.value[2:])

        with pytest.raises(ContentCorrupted):
            store.open(stored.digest)

    def test_leaves_nothing_behind_when_the_disk_refuses(
        self, folder: Path, small_disk: Callable[[int], None]
    ) -> None:
        small_disk(LARGE - 1)

        with pytest.raises(OSError, match="too large"):
            FileStore(folder).put(new_content(2 * LARGE))

        assert [path for path in folder.rglob("*") if path.is_file()] == []

    def test_keeps_one_file_per_content_readable_by_its_owner_only(self, folder: Path) -> None:
        stored = FileStore(folder).put(new_content())
        FileStore(folder).put(new_content())
        name = stored.digest.value[2:]

        files = [path for path in folder.rglob("*") if path.is_file()]

        assert len(files) == 2
        assert folder / "sha256" / name[:2] / name[2:4] / name in files
        assert {path.stat().st_mode & 0o777 for path in files} == {0o600}


@pytest.mark.engines
class TestKuboStore:
    """reliability §3.18: nothing counts as kept that the node cannot give back from its disk."""

    @pytest.mark.parametrize("size_bytes", [100, LARGE])
    def test_pins_what_it_keeps(self, kubo: Kubo, kubo_store: KuboStore, size_bytes: int) -> None:
        stored = kubo_store.put(new_content(size_bytes))

        assert stored.cid in kubo.client.pin.ls(type="recursive")["Keys"]
        assert kubo_store.condition(stored.digest) is Condition.HELD

    def test_names_large_content_by_a_root_that_any_node_computes(
        self, kubo: Kubo, kubo_store: KuboStore
    ) -> None:
        """`ipfs add --cid-version=1 --raw-leaves --chunker=size-262144` of 3 MiB of zeros."""
        stored = kubo_store.put(bytes(3 * DOCUMENT_BYTES_MAX))

        again = kubo.client.add_bytes(
            bytes(3 * DOCUMENT_BYTES_MAX),
            opts={"cid-version": 1, "raw-leaves": True, "chunker": "size-262144"},
        )

        assert stored.cid == again
        assert str(stored.cid).startswith("bafybei")

    def test_survives_the_node_collecting_its_garbage(
        self, kubo: Kubo, kubo_store: KuboStore
    ) -> None:
        data = new_content(LARGE)
        digest = kubo_store.put(data).digest

        kubo.client.repo.gc(quiet=True)

        assert kubo_store.get(digest) == data

    def test_survives_the_node_losing_its_power(self, tmp_path: Path) -> None:
        data = new_content(LARGE)
        with running(tmp_path / "kubo") as node:
            digest = KuboStore(node.address).put(data).digest

            node.kill()
            node.start()

            assert KuboStore(node.address).condition(digest) is Condition.HELD

    def test_refuses_large_content_found_at_another_root(
        self, kubo: Kubo, kubo_store: KuboStore
    ) -> None:
        one, other = kubo_store.put(new_content(LARGE)), kubo_store.put(new_content(LARGE))
        name = one.digest.value[2:]
        path = f"/shulian/sha256/{name[:2]}/{name}"
        kubo.client.files.rm(path)
        kubo.client.files.cp(f"/ipfs/{other.cid}", path)

        with pytest.raises(ContentCorrupted):
            kubo_store.open(one.digest)

        kubo_store.put(kubo_store.get(one))
        assert kubo_store.get(one.digest) == kubo_store.get(one)

    def test_says_what_the_node_says_of_a_name_that_is_none(self, kubo_store: KuboStore) -> None:
        name = Stored(digest=name_of(new_content()), cid=Cid("no-cid"), size_bytes=1)

        with pytest.raises(ContentStoreUnreachable, match="no-cid"):
            kubo_store.open(name)

    def test_leaves_nothing_in_its_spool(
        self, kubo: Kubo, tmp_path: Path, kubo_store: KuboStore
    ) -> None:
        digest = kubo_store.put(new_content(LARGE)).digest
        spool = tmp_path / "spool"

        with KuboStore(kubo.address, spool=spool).open(digest) as stream:
            assert stream.read(1)

        assert list(spool.iterdir()) == []


@pytest.mark.engines
class TestDamagedKubo:
    """reliability §4.2, IPFS loss: damage is seen by reading back, and mended by putting again."""

    @pytest.mark.parametrize("place", ["block", "root", "inner", "leaf"])
    @pytest.mark.parametrize("damage", ["flipped", "cut", "gone"])
    @pytest.mark.parametrize("is_write_through", [True, False])
    def test_is_seen_and_mended(
        self,
        request: pytest.FixtureRequest,
        place: str,
        damage: str,
        is_write_through: bool,
    ) -> None:
        node: Kubo = request.getfixturevalue("kubo" if is_write_through else "careful_kubo")
        store = KuboStore(node.address)
        data = new_content(100 if place == "block" else 180 * (1 << 18))
        stored = store.put(data)
        assert stored.cid is not None
        harm(node.block_file(block_at(node, stored.cid, place)), damage)

        seen = store.condition(stored)
        again = store.put(data)

        assert seen in (Condition.CORRUPTED, Condition.MISSING)
        assert again == stored
        assert store.condition(stored.digest) is Condition.HELD

    def test_is_refused_by_open(self, kubo: Kubo, kubo_store: KuboStore) -> None:
        stored = kubo_store.put(new_content())
        assert stored.cid is not None
        harm(kubo.block_file(stored.cid), "flipped")

        with pytest.raises(ContentCorrupted):
            kubo_store.open(stored.digest)

    @pytest.mark.parametrize("size_bytes", [100, LARGE])
    def test_is_loose_without_its_pin(
        self, kubo: Kubo, kubo_store: KuboStore, size_bytes: int
    ) -> None:
        data = new_content(size_bytes)
        stored = kubo_store.put(data)
        kubo.ask("/pin/rm", str(stored.cid))

        assert kubo_store.condition(stored.digest) is Condition.LOOSE

        kubo_store.put(data)
        assert kubo_store.condition(stored.digest) is Condition.HELD

    def test_is_loose_without_its_listing(self, tmp_path: Path) -> None:
        data = new_content(LARGE)
        with running(tmp_path / "kubo") as node:
            store = KuboStore(node.address)
            stored = store.put(data, algorithm=DigestAlg.SM3)
            node.client.files.rm("/shulian", recursive=True)

            assert store.condition(stored.digest) is Condition.MISSING
            assert store.condition(stored) is Condition.LOOSE

            store.put(data, algorithm=DigestAlg.SM3)
            assert store.condition(stored.digest) is Condition.HELD

    @pytest.mark.parametrize(
        ("folder", "damage"),
        [
            # Without the block of its root a Kubo node does not start at all.
            ("/", "flipped"),
            *((one, how) for one in FOLDERS for how in ("flipped", "gone")),
        ],
    )
    def test_folder_of_the_list_holds_nobody_up(
        self, tmp_path: Path, folder: str, damage: str
    ) -> None:
        """Kubo's own commands for files wait without end for a block that is lost."""
        data = new_content(LARGE)
        with running(tmp_path / "kubo", swarm_key=new_swarm_key()) as node:
            stored = KuboStore(node.address).put(data)
            shard = f"/shulian/sha256/{stored.digest.value[2:4]}"
            told = node.ask("/files/stat", shard if folder == "shard" else folder)[0]
            harm(node.block_file(node.ask("/cid/base32", told["Hash"])[0]["Formatted"]), damage)
            # The node remembers folders that it has read.
            node.kill()
            node.start()
            store = KuboStore(node.address, timeout_seconds=10)

            assert store.condition(stored) is Condition.LOOSE
            store.put(data)
            assert store.condition(stored.digest) is Condition.HELD

    def test_is_missing_after_a_collection_without_pin(
        self, kubo: Kubo, kubo_store: KuboStore
    ) -> None:
        stored = kubo_store.put(new_content())
        kubo.ask("/pin/rm", str(stored.cid))
        kubo.ask("/repo/gc")

        assert kubo_store.condition(stored.digest) is Condition.MISSING

    def test_is_kept_while_garbage_is_collected(self, kubo: Kubo, kubo_store: KuboStore) -> None:
        """reliability §3.18: adding races with the collection of garbage."""
        contents = [new_content(size_bytes) for size_bytes in [100, LARGE] * 20]

        with ThreadPoolExecutor(5) as pool:
            collecting = pool.submit(lambda: [kubo.ask("/repo/gc") for _ in range(20)])
            stored = list(pool.map(kubo_store.put, contents))
            collecting.result()

        # Of the node's own list a collection may take what changed meanwhile: content, never.
        assert {kubo_store.condition(one) for one in stored} <= {Condition.HELD, Condition.LOOSE}
        again = [kubo_store.put(one) for one in contents]
        assert again == stored
        assert {kubo_store.condition(one.digest) for one in again} == {Condition.HELD}


@pytest.mark.engines
class TestFetch:
    """Content comes from another exchange's node over the swarm, by its CID, never by its RPC."""

    @pytest.mark.parametrize("size_bytes", [100, LARGE])
    def test_brings_and_pins_what_another_node_has(self, pair: Pair, size_bytes: int) -> None:
        here, there = (KuboStore(one.address) for one in pair)
        stored = there.put(new_content(size_bytes))
        assert here.condition(stored) is Condition.MISSING

        here.fetch(stored, peers=[pair[1].peer()], size_bytes=size_bytes)

        assert here.condition(stored.digest) is Condition.HELD

    def test_says_when_nobody_has_it(self, pair: Pair) -> None:
        here = KuboStore(pair[0].address)

        with pytest.raises(ContentMissing):
            here.fetch(name_of(new_content()), peers=[pair[1].peer()], wait_seconds=1)

    def test_refuses_other_content_under_a_root(self, pair: Pair) -> None:
        here, there = (KuboStore(one.address) for one in pair)
        stored = there.put(new_content(LARGE))
        lie = Stored(digest=name_of(new_content()), cid=stored.cid, size_bytes=LARGE)

        with pytest.raises(ContentCorrupted):
            here.fetch(lie, peers=[pair[1].peer()])

        assert stored.cid not in pair[0].client.pin.ls(type="recursive")["Keys"]


class TestKuboRefused:
    @pytest.mark.parametrize(
        "address",
        [
            "/ip4/10.0.0.7/tcp/5001",
            "/ip4/0.0.0.0/tcp/5001",
            "/ip6/2001:db8::1/tcp/5001",
            "/dns4/ipfs.example/tcp/5001",
        ],
    )
    def test_on_another_machine_unless_allowed(self, address: str) -> None:
        """reliability §3.18: its RPC is an administrator's."""
        with pytest.raises(ContentStoreExposed):
            content_store(f"ipfs:{address}")

        content_store(f"ipfs:{address}", is_remote_allowed=True)

    @pytest.mark.parametrize("version", ["0.29.0", "0.4.23", "1.0.0", "nonsense"])
    def test_of_a_version_that_we_do_not_know(self, version: str) -> None:
        with (
            answering(f'{{"Version": "{version}"}}'.encode()) as address,
            pytest.raises(KuboVersionUnsupported, match="below 1.0"),
        ):
            KuboStore(address).put(b"data")

    @pytest.mark.parametrize("answer", [b"<html>hello</html>", b"{}", b"[]", b'{"Version": 39}'])
    def test_at_an_address_where_something_else_answers(self, answer: bytes) -> None:
        with answering(answer) as address, pytest.raises(ContentStoreUnreachable):
            KuboStore(address).put(b"data")


class TestUnreachableKubo:
    def test_is_said_by_put_and_open(self) -> None:
        store = KuboStore("/ip4/127.0.0.1/tcp/1", timeout_seconds=1)

        with pytest.raises(ContentStoreUnreachable):
            store.put(b"data")
        with pytest.raises(ContentStoreUnreachable):
            store.open(name_of(b"data"))


class TestContentStore:
    def test_is_files_for_a_file_url(self, tmp_path: Path) -> None:
        folder = tmp_path / "内容 store"

        content_store(folder.as_uri()).put(b"data")

        assert file_of(folder, name_of(b"data")).read_bytes() == b"data"

    @pytest.mark.parametrize("prefix", ["ipfs:", ""])
    def test_is_kubo_for_a_multiaddress(self, prefix: str) -> None:
        assert isinstance(content_store(prefix + "/ip4/127.0.0.1/tcp/5001"), KuboStore)

    @pytest.mark.parametrize(
        "url",
        [
            "",
            "content",
            "/var/content",
            "file:content",
            "file://other/folder",
            "ipfs:5001",
            "s3:/b",
        ],
    )
    def test_is_refused_for_anything_else(self, url: str) -> None:
        with pytest.raises(StoreUrlInvalid):
            content_store(url)


class TestDocumentedNode:
    def test_is_set_as_those_of_the_tests(self) -> None:
        """Settings that nobody ran would be a guess."""
        told = (Path(__file__).parents[2] / "docs/operate.md").read_text("utf-8")
        lines = re.findall(r"^ipfs config --json (\S+) ([^\"\n].*)$", told, re.MULTILINE)

        assert {name: json.loads(value.strip("'")) for name, value in lines} == QUIET
