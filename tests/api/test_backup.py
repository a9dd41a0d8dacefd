"""A backup holds what the chain cannot tell again, is made under write load, and restores."""

import io
import json
import os
import re
import shutil
import sqlite3
import stat
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest
from sqlalchemy import insert
from sqlmodel import Session

from api.config import Settings, read_settings
from api.databases import open_current
from api.operational import ACCESSES
from api.upkeep.archives import ArchiveDamaged, ArchiveNewer, ArchiveUnreadable, read_manifest
from api.upkeep.backups import TargetTaken, What, back_up
from api.upkeep.restores import BackupNotEqual, HomeNotEmpty, restore
from chain import events as e
from chain.copies import MirrorNotEmpty
from chain.reads import checksum
from tests.api.copies import change, copy_home
from tests.api.mirrored import GENESIS, Mirrored, event, named
from tests.api.shell import run, shulian
from tests.api.unprivileged import unprivileged
from tests.postgres import CHOSEN, forget_mirror_of, mirror_of

# Nightly a hundred (reliability §4.2).
BACKUPS = int(os.environ.get("SHULIAN_BACKUPS", "4"))
PASSWORD = Path("keys/password")


@pytest.fixture
def copy(home: Path, tmp_path: Path) -> Iterator[Path]:
    """A copy of the demonstrated home."""
    folder = copy_home(home, tmp_path / "home")
    yield folder
    forget_mirror_of(folder)


@pytest.fixture(scope="module")
def made(home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A backup of the demonstrated home, with content."""
    target = tmp_path_factory.mktemp("made") / "backup.tar.gz"
    return make(home, target, what=What(has_content=True))


@pytest.fixture
def file(made: Path, tmp_path: Path) -> Path:
    """A copy of that backup."""
    shutil.copyfile(made, tmp_path / "file.tar.gz")
    (tmp_path / "file.tar.gz").chmod(0o600)
    return tmp_path / "file.tar.gz"


def settings_of(home: Path, **given: Any) -> Settings:
    return read_settings({}, home=home, **{"mirror_url": mirror_of(home), **given})


def make(home: Path, target: Path, *, is_deep: bool = False, what: What | None = None) -> Path:
    settings = settings_of(home)
    mirror = open_current(settings.mirror_url, settings.mirror_lock)
    try:
        made = back_up(settings, mirror, target, what=what or What(), is_deep=is_deep)
    finally:
        mirror.dispose()
    return made.path


def checksum_of(settings: Settings) -> str:
    mirror = open_current(settings.mirror_url, settings.mirror_lock)
    with Session(mirror) as session:
        found = checksum(session)
    mirror.dispose()
    return found


def rewrite(file: Path, change: Callable[[str, bytes], bytes | None], **extra: bytes) -> Path:
    """Write a backup again with other members."""
    target = file.with_name("changed.tar.gz")
    with tarfile.open(file) as source, tarfile.open(target, "w:gz") as sink:
        members = [(one.name, source.extractfile(one).read()) for one in source]  # type: ignore[union-attr]
        for name, content in [*members, *extra.items()]:
            changed = change(name, content)
            if changed is not None:
                info = tarfile.TarInfo(name)
                info.size = len(changed)
                sink.addfile(info, io.BytesIO(changed))
    return target


def told_otherwise(**values: Any) -> Callable[[str, bytes], bytes]:
    """Return what changes the manifest only."""

    def change(name: str, content: bytes) -> bytes:
        if name != "manifest.json":
            return content
        return json.dumps({**json.loads(content), **values}).encode()

    return change


@contextmanager
def under_load(mirrored: Mirrored) -> Iterator[None]:
    """Write to mirror and operational database until the end of the `with`."""
    stopping = Event()

    def fold() -> None:
        number = 0
        while not stopping.is_set():
            number += 1
            mirrored.admit(f"participant {number}")
            name = named(f"participant {number}")
            mirrored.append(event(e.ParticipantAdmitted, participant_id=name, admitted_at=GENESIS))

    def look() -> None:
        row = {"at": 1, "participant_id": "0x1", "account": "0x2", "method": "GET"}
        while not stopping.is_set():
            with mirrored.services.operational.begin() as connection:
                connection.execute(
                    insert(ACCESSES).values(**row, path="/v1/trades", query="", is_allowed=1)
                )

    threads = [Thread(target=one) for one in (fold, look)]
    for one in threads:
        one.start()
    try:
        yield
    finally:
        stopping.set()
        for one in threads:
            one.join()


class TestBackUp:
    def test_restores_every_time_it_is_made_under_write_load(
        self, mirrored: Mirrored, tmp_path: Path
    ) -> None:
        """reliability §4.2: backups under write load, all of them restore."""
        settings = settings_of(mirrored.home)
        mirrored.admit("exchange")
        heights = []
        with under_load(mirrored):
            for turn in range(BACKUPS):
                made = back_up(
                    settings, mirrored.services.mirror, tmp_path / f"{turn}.tar.gz", what=What()
                )
                heights.append(made.manifest.mirror.block_number)
        for turn in range(BACKUPS):
            target = settings_of(tmp_path / f"home-{turn}")
            manifest = restore(tmp_path / f"{turn}.tar.gz", target)
            assert checksum_of(target) == manifest.mirror.checksum
            database = sqlite3.connect(target.operational)
            count, last = database.execute(
                "SELECT count(*), max(access_id) FROM accesses"
            ).fetchone()
            database.close()
            assert count == last
        assert heights == sorted(heights)
        assert heights[-1] > heights[0]

    @pytest.mark.parametrize("name", ["notes.txt", "notes.tar.gz", "link", "dangling.tar.gz"])
    def test_replaces_nothing_that_is_there(
        self, mirrored: Mirrored, tmp_path: Path, name: str
    ) -> None:
        mirrored.admit("exchange")
        (tmp_path / "notes.txt").write_text("mine")
        (tmp_path / "notes.tar.gz").write_text("mine")
        (tmp_path / "link").symlink_to(tmp_path / "notes.txt")
        (tmp_path / "dangling.tar.gz").symlink_to(tmp_path / "nowhere")
        before = sorted(tmp_path.iterdir())

        told = shulian("backup", tmp_path / name, "--home", mirrored.home, "--json")

        assert told.code == 1
        assert told.problem["type"] == "/problems/target-taken"
        assert sorted(tmp_path.iterdir()) == before
        assert (tmp_path / "notes.txt").read_text() == "mine"
        assert (tmp_path / "notes.tar.gz").read_text() == "mine"

    def test_replaces_no_device(self, mirrored: Mirrored, tmp_path: Path) -> None:
        """As root it put a file in the place of /dev/full."""
        mirrored.admit("exchange")
        os.mkfifo(tmp_path / "pipe")

        told = shulian("backup", tmp_path / "pipe", "--home", mirrored.home, "--json")

        assert told.problem["type"] == "/problems/target-taken"
        assert stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)

    def test_replaces_nothing_that_came_meanwhile(self, mirrored: Mirrored, tmp_path: Path) -> None:
        mirrored.admit("exchange")
        target = tmp_path / "backup.tar.gz"

        def step(name: str) -> None:
            if name == "archive":
                target.write_text("mine")

        with pytest.raises(TargetTaken):
            back_up(
                settings_of(mirrored.home),
                mirrored.services.mirror,
                target,
                what=What(),
                step=step,
            )

        assert target.read_text() == "mine"
        assert not list(tmp_path.glob(".fresh-*"))

    def test_removes_older_ones_when_the_new_one_is_proven(
        self, mirrored: Mirrored, tmp_path: Path
    ) -> None:
        """A backup every night filled the disk that was to save us."""
        mirrored.admit("exchange")
        folder = tmp_path / "backups"
        first = shulian("backup", folder, "--home", mirrored.home, "--json").json
        old = folder / re.sub(r"-\d+T", "-20250101T", Path(first["file"]).name)
        Path(first["file"]).rename(old)

        told = shulian("backup", folder, "--keep", 1, "--home", mirrored.home, "--json")

        assert told.code == 0, told.err
        assert told.json["removed"] == [str(old)]
        assert [str(one) for one in folder.iterdir()] == [told.json["file"]]

    def test_keeps_so_many_only_in_a_folder(self, mirrored: Mirrored, tmp_path: Path) -> None:
        mirrored.admit("exchange")
        file = tmp_path / "backup.tar.gz"

        told = shulian("backup", file, "--keep", 2, "--home", mirrored.home, "--json")

        assert (told.code, told.problem["type"]) == (2, "/problems/keep-needs-folder")
        assert not file.exists()

    def test_makes_a_folder_that_is_missing_and_keeps_what_is_in_it(
        self, mirrored: Mirrored, tmp_path: Path
    ) -> None:
        """A daily backup into a folder that nobody made kept only the last."""
        mirrored.admit("exchange")
        folder = tmp_path / "var" / "backups"

        for name in ("first", "second"):
            mirrored.admit(name)
            told = shulian("backup", folder, "--home", mirrored.home, "--json")
            assert told.code == 0, told.err

        assert len(list(folder.glob("shulian-*.tar.gz"))) == 2

    def test_holds_what_the_chain_cannot_tell_again(self, copy: Path, file: Path) -> None:
        manifest = read_manifest(file)
        names = {one.path for one in manifest.members}

        assert {"operational.sqlite", "mirror.sqlite", "chain/chain.json", "keys/password"} <= names
        assert {f"keys/{one.name}" for one in (copy / "keys").glob("*.json")} <= names
        assert any(name.startswith("deployments/") for name in names)
        assert any(name.startswith("exports/certificates/") for name in names)
        assert len(manifest.content) > 50
        assert {one.path for one in manifest.content} <= names
        assert not [name for name in names if "lock" in name or "state" in name]

    def test_is_for_its_owner_only(self, made: Path) -> None:
        assert stat.S_IMODE(made.stat().st_mode) == 0o600

    def test_tells_no_secret_in_its_manifest(self, copy: Path, file: Path) -> None:
        with tarfile.open(file) as tar:
            told = tar.extractfile("manifest.json").read().decode()  # type: ignore[union-attr]

        assert (copy / PASSWORD).read_text().strip() not in told
        assert not {"mirror_url", "rpc_url", "ws_url", "content_url", "home"} & set(
            json.loads(told)["settings"]
        )
        assert not [name for name in json.loads(told)["settings"] if "password" in name]

    @pytest.mark.parametrize(
        ("what", "absent"),
        [
            (What(has_keys=False, has_password=False), "keys/"),
            (What(has_password=False), "keys/password"),
            (What(has_content=False), "content/"),
        ],
    )
    def test_leaves_out_what_it_is_told_to(
        self, copy: Path, tmp_path: Path, what: What, absent: str
    ) -> None:
        manifest = read_manifest(make(copy, tmp_path / "backup.tar.gz", what=what))

        assert not [one.path for one in manifest.members if one.path.startswith(absent)]
        assert manifest.has_password is (what.has_password and what.has_keys)
        assert len(manifest.content) > 50

    def test_names_itself_in_a_folder(self, copy: Path, tmp_path: Path) -> None:
        (tmp_path / "backups").mkdir()

        made = make(copy, tmp_path / "backups")

        assert made.parent == tmp_path / "backups"
        assert str(read_manifest(made).chain_id) in made.name
        assert list((tmp_path / "backups").iterdir()) == [made]

    def test_leaves_none_behind_that_does_not_fold_to_itself(
        self, copy: Path, tmp_path: Path
    ) -> None:
        """integrity_check says ok to a changed row; equality does not (reliability §4.2)."""
        change(copy, "UPDATE listings SET price_fen = 1 WHERE to_block IS NULL")
        (tmp_path / "backups").mkdir()

        with pytest.raises(BackupNotEqual):
            make(copy, tmp_path / "backups", is_deep=True)

        assert list((tmp_path / "backups").iterdir()) == []


class TestRestore:
    def test_gives_every_file_back(self, copy: Path, file: Path, tmp_path: Path) -> None:
        target = settings_of(tmp_path / "restored")

        restore(file, target, is_deep=True)

        assert checksum_of(target) == checksum_of(settings_of(copy))
        for folder in ("keys", "deployments", "exports", "content"):
            before = {one.relative_to(copy): one for one in (copy / folder).rglob("*")}
            for name, one in before.items():
                if one.is_file():
                    assert (target.home / name).read_bytes() == one.read_bytes()
        assert stat.S_IMODE((target.home / "keys").stat().st_mode) == 0o700
        assert stat.S_IMODE((target.home / PASSWORD).stat().st_mode) == 0o600

    def test_fills_a_folder_beside_which_nothing_may_be(self, file: Path, tmp_path: Path) -> None:
        """As where a service owns its home and root what is above, or where the home is a disk."""
        place = tmp_path / "of-root" / "home"
        place.mkdir(parents=True)
        place.parent.chmod(0o500)
        shown = ("restore", file, "--home", place)
        try:
            told = unprivileged(*shown)
        finally:
            place.parent.chmod(0o700)

        assert told.code == 0, told.err
        assert (place / "operational.sqlite").is_file()
        assert stat.S_IMODE(place.stat().st_mode) == 0o700
        assert not [one for one in place.iterdir() if one.name.startswith(".fresh")]

    def test_refuses_a_home_that_holds_anything(self, file: Path, tmp_path: Path) -> None:
        home = tmp_path / "restored"
        home.mkdir()
        (home / "thesis.txt").write_text("mine")

        with pytest.raises(HomeNotEmpty):
            restore(file, settings_of(home))

        assert [one.name for one in home.iterdir()] == ["thesis.txt"]

    def test_refuses_a_changed_byte(self, file: Path, tmp_path: Path) -> None:
        def change(name: str, content: bytes) -> bytes:
            return content[:-1] + b"?" if name == "operational.sqlite" else content

        with pytest.raises(ArchiveDamaged) as refused:
            restore(rewrite(file, change), settings_of(tmp_path / "restored"))

        assert refused.value.member == "operational.sqlite"
        assert not (tmp_path / "restored").exists()

    def test_writes_nothing_that_is_longer_than_the_manifest_says(
        self, file: Path, tmp_path: Path
    ) -> None:
        def change(name: str, content: bytes) -> bytes:
            return content + b"\0" if name == "operational.sqlite" else content

        with pytest.raises(ArchiveDamaged, match="its size differs") as refused:
            restore(rewrite(file, change), settings_of(tmp_path / "restored"))

        assert refused.value.member == "operational.sqlite"
        assert not (tmp_path / "restored").exists()

    def test_refuses_one_that_lacks_a_file(self, file: Path, tmp_path: Path) -> None:
        def drop(name: str, content: bytes) -> bytes | None:
            return None if name == "keys/password" else content

        with pytest.raises(ArchiveDamaged):
            restore(rewrite(file, drop), settings_of(tmp_path / "restored"))

    @pytest.mark.parametrize("name", ["../outside", "/etc/outside", "keys/../../outside", "other"])
    def test_writes_nothing_outside_the_home(self, file: Path, tmp_path: Path, name: str) -> None:
        member = {"path": name, "size_bytes": 1, "sha256": "00"}
        changed = rewrite(file, told_otherwise(members=[member]), **{name: b"x"})

        with pytest.raises(ArchiveDamaged):
            restore(changed, settings_of(tmp_path / "restored"))

        assert not list(tmp_path.rglob("outside"))

    def test_refuses_a_format_of_a_newer_version(self, file: Path, tmp_path: Path) -> None:
        with pytest.raises(ArchiveNewer):
            restore(rewrite(file, told_otherwise(format=2)), settings_of(tmp_path / "restored"))

    @pytest.mark.parametrize("content", [b"", b"no archive", b"\x1f\x8b" + bytes(60)])
    def test_refuses_what_is_no_backup(self, tmp_path: Path, content: bytes) -> None:
        (tmp_path / "file").write_bytes(content)

        with pytest.raises(ArchiveUnreadable):
            restore(tmp_path / "file", settings_of(tmp_path / "restored"))

    def test_moves_a_mirror_to_postgresql_and_back(
        self, copy: Path, file: Path, tmp_path: Path
    ) -> None:
        place = tmp_path / "elsewhere"
        url = CHOSEN.url(place, "postgresql")
        moved = settings_of(tmp_path / "moved", mirror_url=url)
        try:
            restore(file, moved)
            mirror = open_current(url, moved.mirror_lock)
            again = back_up(moved, mirror, tmp_path / "again.tar.gz", what=What(), is_deep=True)
            mirror.dispose()
            with pytest.raises(MirrorNotEmpty):
                restore(file, settings_of(tmp_path / "other", mirror_url=url))
        finally:
            CHOSEN.forget(place, "postgresql")
        back = settings_of(tmp_path / "back", mirror_url="")
        restore(again.path, back)

        assert again.manifest.mirror.database == "postgresql"
        assert not (moved.home / "mirror.sqlite").exists()
        assert checksum_of(back) == checksum_of(settings_of(copy))

    @pytest.mark.slow
    def test_goes_on_where_the_backup_was_made(self, copy: Path, tmp_path: Path) -> None:
        """Nothing of the chain is lost: it comes back out of the outbox, the mirror out of it."""
        told = shulian("backup", tmp_path / "backup.tar.gz", "--content", "--home", copy, "--json")
        assert told.code == 0, told.err
        home = tmp_path / "restored"
        back = shulian("restore", tmp_path / "backup.tar.gz", "--home", home, "--json")
        assert back.code == 0, back.err
        try:
            started = run("up", "--detach", "--home", home, "--port", 0, "--json")
            assert started.code == 0, started.err
            verified = shulian("mirror", "verify", "--full", "--home", home, "--json")
            state = shulian("mirror", "status", "--home", home, "--json").json
        finally:
            run("down", "--home", home)

        assert verified.code == 0, verified.out
        assert told.json["verified"] is True
        assert state["tip"]["hash"] == told.json["mirror"]["block_hash"]
        assert state["lag_blocks"] == 0
