"""
What an operator's machine refuses: told in one sentence, with an exit code, and nothing half done.

Databases that may not be written, are newer, or want a password; disks that are full; folders and
files of others. Chains that are not ours are `tests/api/test_cli_founding.py`'s and the engines'.
"""

import os
import secrets
import shlex
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import inspect, text

from api.commands.serving import open_served
from api.config import read_settings
from chain.engines import mirror_engine
from chain.layouts import LAYOUT
from tests.api.lived import Lived
from tests.api.shell import ROOT, Told, command, run, shulian
from tests.api.unprivileged import unprivileged
from tests.postgres import CHOSEN, as_role

SECRET = "correct-horse"


@pytest.fixture(autouse=True)
def _where_the_settings_say(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test says which database it is about, whatever the others run on."""
    monkeypatch.setattr(CHOSEN, "chosen", "sqlite")


@pytest.fixture
def home(lived: Lived, tmp_path: Path) -> Path:
    """A home that follows the lived chain, and has no mirror yet."""
    place = tmp_path / "home"
    deployment = lived.settings.deployments / f"{lived.demo.deployment.chain_id}.json"
    assert shulian("join", deployment, "--home", place).code == 0
    (place / "shulian.toml").write_text(f'rpc_url = "{lived.demo.rpc_url}"\n')
    return place


@pytest.fixture
def role() -> str:
    return f"role_{secrets.token_hex(6)}"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    """The URL of an empty database on a real server."""
    path = tmp_path / "on-a-server"
    yield CHOSEN.empty(path, "postgresql")
    CHOSEN.forget(path, "postgresql")


def write_settings(home: Path, **values: str) -> None:
    with (home / "shulian.toml").open("a") as file:
        file.writelines(f'{name} = "{value}"\n' for name, value in values.items())


def name_of(url: str) -> str:
    return url.partition("?")[0].rpartition("/")[2]


def fill(home: Path, url: str) -> None:
    """Let the mirror of the home's chain be in a database, whole."""
    settings = read_settings({}, home=home, mirror_url=url, relay=0)
    with open_served(settings) as (_, worker):
        worker.sync_once()


def refused(told: Told, name: str) -> str:
    """Check that a command refused in one sentence and one next step, and return the sentence."""
    assert told.code not in (0, None)
    assert "Traceback" not in told.err
    assert told.out == ""
    lines = [one for one in told.err.strip().splitlines() if not one.startswith(("{", "20"))]
    assert len(lines) == 2, told.err
    assert lines[0].startswith(f"{name}: "), told.err
    assert lines[1].startswith("  → "), told.err
    return lines[0]


def up(home: Path, url: str = "") -> Told:
    """Start what must refuse to start."""
    if url:
        write_settings(home, mirror_url=url)
    return shulian("up", "--read-only", "--port", 0, "--home", home)


class TestADatabaseRole:
    def test_that_may_not_make_tables(self, home: Path, server: str, role: str) -> None:
        CHOSEN.postgres.role(role)

        refused(up(home, as_role(server, role)), "DatabaseNotWritable")

        engine = mirror_engine(server)
        assert inspect(engine).get_table_names() == []
        engine.dispose()

    def test_that_may_only_read_still_reads(self, home: Path, server: str, role: str) -> None:
        fill(home, server)
        CHOSEN.postgres.role(role, reads=name_of(server))
        ours = as_role(server, role)

        told = up(home, ours)
        listed = shulian("asset", "ls", "--json", "--home", home)

        refused(told, "MirrorNotWritable")
        assert listed.code == 0, listed.err
        assert len(listed.json["items"]) >= 4, "the life's; other tests declare more"

    def test_whose_password_is_wrong(
        self, home: Path, server: str, role: str, tmp_path: Path
    ) -> None:
        CHOSEN.postgres.role(role, password=SECRET)
        kept = tmp_path / "password"
        kept.write_text("another\n")
        kept.chmod(0o600)
        write_settings(home, mirror_url=as_role(server, role), mirror_password_file=str(kept))

        told = shulian("asset", "ls", "--home", home)

        assert "another" not in refused(told, "DatabaseUnreachable")

    def test_whose_password_stands_in_a_file(
        self, home: Path, server: str, role: str, tmp_path: Path
    ) -> None:
        CHOSEN.postgres.role(role, password=SECRET)
        CHOSEN.postgres.own(name_of(server), role)
        kept = tmp_path / "password"
        kept.write_text(f"{SECRET}\n")
        kept.chmod(0o600)
        write_settings(home, mirror_url=as_role(server, role), mirror_password_file=str(kept))

        told = shulian("mirror", "status", "--json", "--home", home)

        assert told.code == 0, told.err
        assert told.json["database"] == "postgresql"
        assert SECRET not in told.out + told.err

    def test_on_a_server_that_is_away(self, home: Path) -> None:
        write_settings(home, mirror_url="postgresql://u@127.0.0.1:9/d")

        told = shulian("asset", "ls", "--home", home)

        refused(told, "DatabaseUnreachable")


class TestASchema:
    def test_of_a_newer_version(self, home: Path) -> None:
        url = f"sqlite:///{home}/mirror.sqlite"
        fill(home, url)
        engine = mirror_engine(url)
        with engine.begin() as connection:
            connection.execute(text("UPDATE layout SET version = version + 1"))

        refused(up(home, url), "MirrorNewer")

        with engine.connect() as connection:
            assert connection.execute(text("SELECT max(version) FROM layout")).scalar() == (
                LAYOUT + 1
            )
        engine.dispose()

    def test_of_a_newer_operational_database(self, home: Path) -> None:
        engine = mirror_engine(f"sqlite:///{home}/operational.sqlite")
        with engine.begin() as connection:
            connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
        engine.dispose()

        refused(up(home), "DatabaseNewer")

    def test_that_is_older_and_may_not_be_upgraded(
        self, home: Path, server: str, role: str
    ) -> None:
        fill(home, server)
        engine = mirror_engine(server)
        with engine.begin() as connection:
            connection.execute(text("UPDATE layout SET version = version - 1"))
        CHOSEN.postgres.role(role, reads=name_of(server))

        refused(up(home, as_role(server, role)), "DatabaseNotWritable")

        with engine.connect() as connection:
            assert connection.execute(text("SELECT max(version) FROM layout")).scalar() == (
                LAYOUT - 1
            )
        engine.dispose()

    def test_that_is_no_database(self, home: Path) -> None:
        (home / "mirror.sqlite").write_text("no database at all, but text that is long enough" * 9)

        refused(up(home), "DatabaseRefused")


class TestADisk:
    def test_that_is_full(self, home: Path, tmp_path: Path) -> None:
        """On a file system of two megabytes; with room again it goes on by itself."""
        small = tmp_path / "small"
        small.mkdir()
        serving = ("up", "--read-only", "--port", "0", "--home", small / "home")
        first, again = (shlex.join(command(*serving, *more)) for more in ((), ("--detach",)))
        down = shlex.join(command("down", "--home", small / "home"))
        script = (
            f"mount -t tmpfs -o size=1000k none {small} && cp -r {home} {small}/home || exit 77;"
            f"{first} 2>{tmp_path}/full; echo $? >{tmp_path}/code;"
            f"mount -o remount,size=200m {small};"
            f"{again} >{tmp_path}/again 2>&1; echo $? >>{tmp_path}/code; {down}"
        )
        done = subprocess.run(
            ["unshare", "--mount", "sh", "-c", script],
            cwd=ROOT, capture_output=True, text=True, timeout=180, check=False,
        )  # fmt: skip
        if done.returncode == 77 or "unshare failed" in done.stderr:
            pytest.skip("this user may not mount a file system of its own")

        code, later = (tmp_path / "code").read_text().split()
        refused(Told(int(code), "", (tmp_path / "full").read_text()), "DiskFull")
        assert later == "0", (tmp_path / "again").read_text()


class TestAFolder:
    @pytest.mark.parametrize("owner", [None, 12_345], ids=["read-only", "of another user"])
    def test_that_is_not_ours_to_write(self, home: Path, owner: int | None) -> None:
        for path in (home, *home.rglob("*")):
            if owner:
                os.chown(path, owner, owner)
            path.chmod(0o500 if path.is_dir() else 0o400)
        try:
            told = unprivileged("up", "--read-only", "--port", 0, "--home", home)
            looked = unprivileged("doctor", "--home", home, "--json")
        finally:
            for path in (home, *home.rglob("*")):
                os.chown(path, os.geteuid(), os.getegid())
                path.chmod(0o700)

        refused(told, "SystemRefused")
        assert looked.code == 1
        case = "foreign" if owner else "readonly"
        assert {"check": "home", "case": case} in [
            {name: one[name] for name in ("check", "case")} for one in looked.json["findings"]
        ]


class TestAFileOfSettings:
    def test_that_is_not_ours_to_read(self, home: Path) -> None:
        (home / "shulian.toml").chmod(0o000)

        told = unprivileged("status", "--home", home)

        assert "Permission denied" in refused(told, "ConfigUnreadable")


class TestAKey:
    def test_under_another_password_stops_the_start(self, home: Path, lived: Lived) -> None:
        shulian("key", "make", "relayer", "--home", home)
        (home / "keys/password").write_text("another")
        before = lived.demo.ledger.sender.connection.latest().number

        told = shulian("up", "--port", 0, "--home", home)

        refused(told, "PasswordWrong")
        assert lived.demo.ledger.sender.connection.latest().number == before


class TestASecret:
    def test_is_in_no_log_no_answer_and_no_list_of_processes(
        self, home: Path, server: str, role: str, tmp_path: Path
    ) -> None:
        """A ledger on a database with a password, looked at while it serves, and failing later."""
        CHOSEN.postgres.role(role, password=SECRET)
        CHOSEN.postgres.own(name_of(server), role)
        kept = tmp_path / "password"
        kept.write_text(f"{SECRET}\n")
        kept.chmod(0o600)
        write_settings(
            home,
            mirror_url=as_role(server, role),
            mirror_password_file=str(kept),
            log_level="DEBUG",
            backup_folder=str(tmp_path / "backups"),
        )

        started = run("up", "--detach", "--workers", 1, "--port", 0, "--home", home, "--json")
        try:
            processes = subprocess.run(["ps", "axeww"], capture_output=True, text=True, check=True)
            told = [
                shulian("status", "--home", home),
                shulian("mirror", "status", "--home", home),
                shulian("doctor", "--home", home),
                shulian("backup", "--home", home),
                shulian("config", "show", "--json", "--home", home),
            ]
            kept.write_text("another\n")
            told.append(shulian("asset", "ls", "--home", home))
        finally:
            run("down", "--home", home)

        assert started.code == 0, started.err
        assert [one.code for one in told] == [0, 0, 0, 0, 0, 1], [one.err for one in told]
        assert SECRET not in processes.stdout
        for one in (started, *told):
            assert SECRET not in one.out + one.err
        assert SECRET not in (home / "serving.log").read_text()
        (backup,) = (tmp_path / "backups").iterdir()
        with tarfile.open(backup) as archive:
            for member in archive:
                file = archive.extractfile(member)
                assert file is None or SECRET.encode() not in file.read(), member.name
