"""The content store, on files and on a real Kubo node alike: by name, verified, or not at all."""

import os
import resource
import tracemalloc
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import ipfshttpclient
import pytest

from chain.codes import DigestAlg
from chain.content import (
    MEMORY_BYTES_MAX,
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
from chain.kubo import ContentStoreUnreachable, KuboStore

KUBO = os.environ.get("SHULIAN_KUBO", "")
ALGORITHMS = [DigestAlg.SHA256, DigestAlg.SM3, DigestAlg.KECCAK256]
LARGE = DOCUMENT_BYTES_MAX + 1

needs_kubo = [
    pytest.mark.kubo,
    pytest.mark.skipif(not KUBO, reason="SHULIAN_KUBO names no Kubo node to run this against"),
]
KINDS = ["files", pytest.param("kubo", marks=needs_kubo)]


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
def store(request: pytest.FixtureRequest, folder: Path) -> ContentStore:
    return FileStore(folder) if request.param == "files" else KuboStore(KUBO, timeout_seconds=20)


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


@pytest.mark.kubo
@pytest.mark.skipif(not KUBO, reason="SHULIAN_KUBO names no Kubo node to run this against")
class TestKuboStore:
    @pytest.mark.parametrize("size_bytes", [100, LARGE])
    def test_pins_what_it_keeps(self, size_bytes: int) -> None:
        stored = KuboStore(KUBO).put(new_content(size_bytes))

        pinned = ipfshttpclient.Client(KUBO).pin.ls(type="recursive")["Keys"]

        assert stored.cid in pinned

    def test_names_large_content_by_a_root_that_any_node_computes(self) -> None:
        """`ipfs add --cid-version=1 --raw-leaves --chunker=size-262144` of 3 MiB of zeros."""
        stored = KuboStore(KUBO).put(bytes(3 * DOCUMENT_BYTES_MAX))

        again = ipfshttpclient.Client(KUBO).add_bytes(
            bytes(3 * DOCUMENT_BYTES_MAX),
            opts={"cid-version": 1, "raw-leaves": True, "chunker": "size-262144"},
        )

        assert stored.cid == again
        assert str(stored.cid).startswith("bafybei")

    def test_survives_the_node_collecting_its_garbage(self) -> None:
        data = new_content(LARGE)
        digest = KuboStore(KUBO).put(data).digest

        ipfshttpclient.Client(KUBO).repo.gc(quiet=True)

        assert KuboStore(KUBO).get(digest) == data

    def test_refuses_large_content_found_at_another_root(self) -> None:
        store = KuboStore(KUBO)
        one, other = store.put(new_content(LARGE)), store.put(new_content(LARGE))
        client = ipfshttpclient.Client(KUBO)
        name = one.digest.value[2:]
        path = f"/shulian/sha256/{name[:2]}/{name}"
        client.files.rm(path)
        client.files.cp(f"/ipfs/{other.cid}", path)

        with pytest.raises(ContentCorrupted):
            store.open(one.digest)

        store.put(store.get(one))
        assert store.get(one.digest) == store.get(one)

    def test_says_what_the_node_says_of_a_name_that_is_none(self) -> None:
        name = Stored(digest=name_of(new_content()), cid=Cid("no-cid"), size_bytes=1)

        with pytest.raises(ContentStoreUnreachable, match="no-cid"):
            KuboStore(KUBO).open(name)

    def test_refuses_a_block_that_the_disk_altered(self) -> None:
        data = new_content()
        stored = KuboStore(KUBO).put(data)
        repository = Path(ipfshttpclient.Client(KUBO).repo.stat()["RepoPath"])
        blocks = [path for path in repository.glob("blocks/*/*.data") if path.read_bytes() == data]
        blocks[0].write_bytes(data[:-1] + bytes([data[-1] ^ 1]))

        with pytest.raises(ContentCorrupted):
            KuboStore(KUBO).open(stored.digest)


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
