"""
Tampered files: a certificate, a content store's file, a sealed package. Each is refused for its
reason, and nothing is recorded.
"""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import Session

from api.demo.trading import accept, deliver
from api.exports import export
from chain.content import ContentCorrupted
from chain.documents import Digest, canonical, parse_canonical
from chain.readers import NotAReader, SealBroken
from registry.bundles import Verdict, verify
from registry.trust import read_trust
from tests.stories.world import Scene, World


def _word(change: Callable[[str], str], *path: str | int) -> Callable[[Any], None]:
    """Return what changes one text of a document in place."""

    def tamper(document: Any) -> None:
        for step in path[:-1]:
            document = document[step]
        document[path[-1]] = change(document[path[-1]])

    return tamper


def _flip(text: str) -> str:
    return text[:-1] + ("0" if text[-1] != "0" else "1")


TAMPERED = {
    "DOCUMENT_CHANGED": _word(lambda name: name + " ", "document", "holder", "name"),
    "NOT_IN_CHECKPOINT": _word(_flip, "fields", "holder"),
    "SIGNATURE_WRONG": _word(_flip, "checkpoint", "root"),
    "SIGNERS_DIFFER": lambda file: file["signatures"].pop(),
    "SHAPE_WRONG": _word(lambda _: "REVOKED?", "status", "base"),
    "MEMBERS_WRONG": lambda file: file.update(note="all is well"),
}


class TestCertificateFiles:
    @pytest.fixture
    def file(self, world: World, tmp_path: Path) -> bytes:
        """The file of one registration certificate."""
        with Session(world.services.mirror) as session:
            export(
                session,
                world.demo.content,
                venue=world.demo.venue(),
                cosigners=world.demo.cosigners(),
                folder=tmp_path,
            )
        path = next(iter(sorted((tmp_path / "certificates").glob("VN*.json"))))
        return path.read_bytes()

    @pytest.mark.parametrize("code", TAMPERED)
    def test_tampered_with_are_invalid_for_that_reason(
        self, world: World, file: bytes, tmp_path: Path, code: str
    ) -> None:
        """B4."""
        trust, now = read_trust((tmp_path / "trust.json").read_bytes()), world.stage.now()
        assert verify(file, trust=trust, now=now).verdict is Verdict.VALID
        document = parse_canonical(file)
        TAMPERED[code](document)

        found = verify(canonical(document), trust=trust, now=now)

        assert found.verdict is Verdict.INVALID
        assert code in {one.code for one in found.fragments}

    def test_written_in_another_way_are_invalid(
        self, world: World, file: bytes, tmp_path: Path
    ) -> None:
        trust = read_trust((tmp_path / "trust.json").read_bytes())
        written = json.dumps(json.loads(file), ensure_ascii=False, indent=1).encode()

        found = verify(written, trust=trust, now=world.stage.now())

        assert found.verdict is Verdict.INVALID
        assert [one.code for one in found.fragments] == ["NOT_CANONICAL"]


class TestContent:
    def test_changed_in_the_store_does_not_come_back(self, scene: Scene) -> None:
        digest = scene.stage.content(b"as it was given")
        name = digest.removeprefix("0x")
        (path,) = (scene.world.settings.home / "content").rglob(name)
        path.chmod(0o600)
        path.write_bytes(b"as it was changed")
        before = scene.trace()

        with pytest.raises(ContentCorrupted) as raised:
            scene.world.demo.content.get(Digest(digest))

        assert raised.value.digest == digest
        assert scene.trace() == before
        path.unlink()

    def test_sealed_and_changed_is_not_opened(self, scene: Scene) -> None:
        deal = scene.deal("sealed")
        made = deliver(scene.stage, deal, b"what was bought" * 100)
        content = scene.world.demo.content
        sealed = bytearray(content.get(Digest(made.package_digest)))
        sealed[-1] ^= 1
        changed = scene.stage.content(bytes(sealed))
        before = scene.trace()

        with pytest.raises(SealBroken):
            scene.stage.open_sealed(changed, made.keys_digest, by="buyer-one")
        with pytest.raises(SealBroken):
            accept(scene.stage, deal, replace(made, package_digest=changed))

        assert scene.trace() == before

    def test_sealed_for_others_is_not_opened(self, scene: Scene) -> None:
        deal = scene.deal("sealed")
        made = deliver(scene.stage, deal, b"what was bought")
        before = scene.trace()

        with pytest.raises(NotAReader):
            scene.stage.open_sealed(made.package_digest, made.keys_digest, by="buyer-two")

        assert scene.trace() == before
