"""
Tests of titles and the search over documents: what is found, what is missing, what is not read.
"""

import errno
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

import api.catalogue
from api.catalogue import Catalogue, SearchTooBroad, search, titles
from api.operational import DOCUMENTS
from chain import events as e
from chain.content import ContentMissing
from chain.documents import Digest, canonical, digest_of_document
from chain.kubo_node import ContentStoreUnreachable
from tests.api.mirrored import Mirrored, event, named

METADATA = {
    "type": "shulian/resource-metadata/1",
    "name": "港口吞吐量",
    "name_full": "港口吞吐量月报 100%_A",
    "overview": "Monthly throughput of ports",
    "keywords": ["Shipping", "货物"],
    "industry": None,
}


def declare(mirrored: Mirrored, number: int, digest: str) -> None:
    """Declare an asset with this metadata document."""
    mirrored.append(
        event(
            e.AssetDeclared,
            asset_id=named(f"asset {number}"),
            version=1,
            kind=1,
            metadata_digest=digest,
            digest_alg=1,
        )
    )


def catalogue_of(mirrored: Mirrored) -> Catalogue:
    """Return a catalogue over the services' databases."""
    services = mirrored.services
    return Catalogue(services.mirror, services.operational, services.content)


class TestFill:
    def test_reads_what_the_chain_names(self, mirrored: Mirrored) -> None:
        digest = mirrored.document(METADATA)
        declare(mirrored, 1, digest)

        assert catalogue_of(mirrored).fill() == 1
        told = mirrored.get(f"/v1/assets/{named('asset 1')}").json()

        assert told["title"] == "港口吞吐量月报 100%_A"
        assert told["overview"] == "Monthly throughput of ports"

    def test_reads_each_document_once(self, mirrored: Mirrored) -> None:
        digest = mirrored.document(METADATA)
        declare(mirrored, 1, digest)
        declare(mirrored, 2, digest)
        catalogue = catalogue_of(mirrored)

        assert [catalogue.fill(), catalogue.fill(), catalogue_of(mirrored).fill()] == [1, 0, 0]

    def test_comes_back_for_what_was_missing(self, mirrored: Mirrored) -> None:
        digest = digest_of_document(METADATA).value
        declare(mirrored, 1, digest)
        catalogue = catalogue_of(mirrored)
        before = catalogue.fill()
        mirrored.services.content.put(canonical(METADATA))

        after = catalogue.fill()

        assert (before, after) == (0, 1)

    @pytest.mark.parametrize(
        "failure",
        [
            ContentStoreUnreachable(address="/ip4/127.0.0.1/tcp/5001", reason="it restarts"),
            OSError(errno.ESTALE, "Stale file handle"),
        ],
    )
    def test_comes_back_after_the_store_was_away(
        self, mirrored: Mirrored, monkeypatch: pytest.MonkeyPatch, failure: Exception
    ) -> None:
        for number in (1, 2, 3):
            declare(mirrored, number, mirrored.document({**METADATA, "name": str(number)}))
        catalogue = catalogue_of(mirrored)
        asked = []

        def fail(_: object, name: object) -> bytes:
            asked.append(name)
            raise failure

        with monkeypatch.context() as patched:
            patched.setattr(type(catalogue.content), "get", fail)
            assert catalogue.fill() == 0

        assert len(asked) == 1
        assert catalogue.fill() == 3

    def test_comes_back_after_its_own_database_failed(
        self, mirrored: Mirrored, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        declare(mirrored, 1, mirrored.document(METADATA))
        catalogue = catalogue_of(mirrored)

        def fail(*_: object) -> None:
            raise OperationalError("INSERT", {}, Exception("database is locked"))

        with monkeypatch.context() as patched:
            patched.setattr(api.catalogue, "_keep", fail)
            with pytest.raises(OperationalError):
                catalogue.fill()

        assert catalogue.fill() == 1

    def test_asks_for_some_of_what_is_elsewhere_in_turn(
        self, mirrored: Mirrored, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Other exchanges' documents: looked for at every block, but never all of them."""
        for number in range(7):
            declare(mirrored, number, named(f"elsewhere {number}"))
        catalogue = catalogue_of(mirrored)
        catalogue.fill()
        asked = []

        def note(_: object, name: Digest) -> bytes:
            asked.append(name.value)
            raise ContentMissing(digest=name.value)

        monkeypatch.setattr(type(catalogue.content), "get", note)
        monkeypatch.setattr(api.catalogue, "AGAIN_MAX", 3)
        catalogue.fill()
        assert len(asked) == 3
        catalogue.fill()
        catalogue.fill()

        assert len(set(asked)) == 7

    def test_leaves_untitled_what_is_no_document(self, mirrored: Mirrored) -> None:
        stored = mirrored.services.content.put(b"\x00sealed")
        declare(mirrored, 1, stored.digest.value)

        catalogue_of(mirrored).fill()

        assert mirrored.get(f"/v1/assets/{named('asset 1')}").json()["title"] == ""

    def test_believes_no_content_under_a_wrong_name(self, mirrored: Mirrored) -> None:
        digest = mirrored.document(METADATA)
        (kept,) = (mirrored.home / "content" / "sha256").rglob(digest[2:])
        Path(kept).write_bytes(canonical({**METADATA, "name_full": "another"}))
        declare(mirrored, 1, digest)

        catalogue_of(mirrored).fill()

        assert titles(mirrored.services.operational, [digest]) == {}


class TestSearch:
    @pytest.fixture
    def filled(self, mirrored: Mirrored) -> Mirrored:
        declare(mirrored, 1, mirrored.document(METADATA))
        declare(mirrored, 2, mirrored.document({"name": "Road traffic", "keywords": ["cars"]}))
        catalogue_of(mirrored).fill()
        return mirrored

    @pytest.mark.parametrize(
        ("words", "found"),
        [
            ("port", [1]),
            ("PORTS monthly", [1]),
            ("吞吐量", [1]),
            ("货物 shipping", [1]),
            ("100%_A", [1]),
            ("100__A", []),
            ("ports traffic", []),
            ("cars", [2]),
            ("resource-metadata", []),
            ("' OR 1=1 --", []),
        ],
    )
    def test_finds_documents_that_hold_every_word(
        self, filled: Mirrored, words: str, found: list[int]
    ) -> None:
        items = filled.get("/v1/assets", search=words).json()["items"]

        assert [item["asset_id"] for item in items] == [named(f"asset {one}") for one in found]

    def test_narrows_other_filters(self, filled: Mirrored) -> None:
        answer = filled.get("/v1/assets", search="port", kind="PRODUCT")

        assert answer.json()["items"] == []

    @pytest.mark.parametrize("words", ["", "x", "y" * 101])
    def test_takes_from_2_to_100_characters(self, filled: Mirrored, words: str) -> None:
        assert filled.get("/v1/assets", search=words).status_code == 422

    def test_asks_for_more_words_when_too_much_is_found(
        self, filled: Mirrored, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(api.catalogue, "MATCHES_MAX", 1)

        with pytest.raises(SearchTooBroad):
            search(filled.services.operational, "r")

    def test_keeps_a_few_fields_only(self, filled: Mirrored) -> None:
        with filled.services.operational.connect() as connection:
            kept = connection.execute(select(DOCUMENTS.c.searched)).scalars().all()

        assert not any("resource-metadata" in text for text in kept)
