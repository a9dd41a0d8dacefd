"""`shulian doctor`: finds what is wrong with an installation, says what helps, mends nothing."""

import json
import os
import re
import socket
import string
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from api.commands.serving import open_served
from api.config import read_settings
from api.doctor.findings import LANGUAGES, language_of, words
from tests.anvil import Anvil
from tests.api.copies import change
from tests.api.lived import Lived
from tests.api.shell import ROOT, Told, run, shulian
from tests.api.unprivileged import unprivileged
from tests.kubo import new_swarm_key, running
from tests.postgres import CHOSEN, forget_mirror_of, mirror_of

RAISED = re.compile(r"\b(?:good|odd|bad)\(\s*\"(\w+)\"(?:,\s*\"(\w+)\"(?: if .* else \"(\w+)\")?)?")


@pytest.fixture
def home(lived: Lived, tmp_path: Path) -> Iterator[Path]:
    """A home that follows the lived chain, with a key, a whole mirror and a backup folder."""
    place = tmp_path / "home"
    deployment = lived.settings.deployments / f"{lived.demo.deployment.chain_id}.json"
    shulian("join", deployment, "--home", place)
    (tmp_path / "backups").mkdir()
    write(place, rpc_url=lived.demo.rpc_url, backup_folder=str(tmp_path / "backups"))
    shulian("key", "make", "clerk", "--home", place)
    settings = read_settings({}, home=place, mirror_url=mirror_of(place), relay=0)
    with open_served(settings) as (_, worker):
        worker.sync_once()
    yield place
    forget_mirror_of(place)


def write(home: Path, **values: object) -> None:
    with (home / "shulian.toml").open("a") as file:
        file.writelines(f"{name} = {json.dumps(value)}\n" for name, value in values.items())


def look(home: Path, *options: str) -> Told:
    return shulian("doctor", "--home", home, "--json", *options)


def found(told: Told) -> dict[str, str]:
    """Return the level of everything that was found."""
    return {f"{one['check']}.{one['case']}": one["level"] for one in told.json["findings"]}


class TestWords:
    def test_are_the_same_in_both_languages(self) -> None:
        assert {frozenset(words(one)) for one in LANGUAGES} == {frozenset(words("en"))}
        for key, english in words("en").items():
            chinese = words("zh")[key]
            assert english.keys() == chinese.keys(), key
            assert holes(english["said"]) == holes(chinese["said"]), key

    def test_are_there_for_everything_that_can_be_found(self) -> None:
        sources = (path.read_text("utf-8") for path in (ROOT / "api/doctor").glob("*.py"))
        raised = {
            f"{check}.{case or 'ok'}"
            for source in sources
            for check, first, second in RAISED.findall(source)
            for case in {first, second or first}
        }

        assert raised == {key for key in words("en") if not key.startswith("sum.")}

    def test_name_a_next_step_for_everything_that_is_wrong(self) -> None:
        source = "".join(path.read_text("utf-8") for path in (ROOT / "api/doctor").glob("*.py"))
        wrong = re.findall(r"\b(?:odd|bad)\(\s*\"(\w+)\",\s*\"(\w+)\"", source)

        assert wrong
        for check, case in wrong:
            assert words("en")[f"{check}.{case}"]["next"]

    @pytest.mark.parametrize(
        ("environment", "language"),
        [
            ({}, "en"),
            ({"LANG": "zh_CN.UTF-8"}, "zh"),
            ({"LANG": "zh_CN.UTF-8", "LC_ALL": "C"}, "en"),
            ({"LANG": "de_DE", "LC_MESSAGES": "zh_TW"}, "zh"),
        ],
    )
    def test_are_in_the_language_of_the_terminal(
        self, environment: dict[str, str], language: str
    ) -> None:
        assert language_of(environment) == language


class TestAnInstallation:
    def test_that_serves_has_nothing_to_mend(self, home: Path) -> None:
        started = run("up", "--detach", "--port", 0, "--home", home, "--json")
        shulian("backup", "--home", home)
        told = run("doctor", "--home", home, "--json")
        shown = run("doctor", "--home", home, "--lang", "zh")
        run("down", "--home", home)

        assert started.code == 0, started.err
        levels = found(told)
        assert told.code == 0, told.out
        assert told.json["ok"]
        assert "FAIL" not in levels.values()
        for key in ("keys.ok", "node.ok", "contracts.ok", "mirror.ok", "server.ok", "backup.ok"):
            assert levels[key] == "OK"
        # The port was chosen by the system, so that it is not the one in the settings.
        assert levels["origin.stale"] == "WARN"
        (reached,) = (
            one["said"]
            for one in told.json["findings"]
            if one["check"] == "origin" and one["case"] == "ok"
        )
        assert started.json["url"] in reached
        assert "链上合约与本版本代码一致" in shown.out
        assert "项需留意" in shown.out.splitlines()[-1]

    def test_that_only_reads_the_examination_leaves_as_it_was(self, home: Path) -> None:
        def state() -> dict[str, bytes]:
            ours = (one for one in home.rglob("*") if one.is_file())
            return {str(one): one.read_bytes() for one in ours if "sqlite-" not in one.name}

        before = state()

        look(home)

        assert state() == before

    def test_that_is_not_there_is_told(self, tmp_path: Path) -> None:
        told = look(tmp_path / "nowhere")

        assert told.code == 1
        assert found(told)["home.missing"] == "FAIL"
        assert not (tmp_path / "nowhere").exists()

    def test_refuses_a_language_without_words(self, tmp_path: Path) -> None:
        assert look(tmp_path, "--lang", "fr").code == 2


class TestFindings:
    def test_of_a_node_that_is_away_and_one_of_another_chain(
        self, home: Path, lived: Lived, anvil: Anvil
    ) -> None:
        write(home, **{"content_peers": ""})
        environment = {
            **os.environ,
            "SHULIAN_RPC_URL": f"http://127.0.0.1:9,{anvil.url},{lived.demo.rpc_url}",
        }

        told = run("doctor", "--home", home, "--json", environment=environment)

        levels = found(told)
        assert told.code == 1
        assert levels["node.silent"] == "FAIL"
        assert levels["nodes.differ"] == "FAIL"

    def test_of_contracts_elsewhere(self, home: Path, anvil: Anvil) -> None:
        text = (home / "shulian.toml").read_text()
        (home / "shulian.toml").write_text(re.sub(r"http://127[^\"]*", anvil.url, text))

        assert found(look(home))["contracts.elsewhere"] == "FAIL"

    def test_of_another_kind_of_chain(self, home: Path) -> None:
        write(home, chain="geth")

        assert found(look(home))["node.silent"] == "FAIL"

    def test_of_keys_that_others_may_read(self, home: Path) -> None:
        (home / "keys/clerk.json").chmod(0o644)

        assert found(look(home))["keys.open"] == "FAIL"

    def test_of_keys_under_another_password(self, home: Path) -> None:
        (home / "keys/password").write_text("correct-horse")

        told = look(home)

        assert found(told)["keys.closed"] == "FAIL"
        assert "correct-horse" not in told.out

    def test_of_a_home_that_is_open(self, home: Path) -> None:
        home.chmod(0o755)

        assert found(look(home))["home.open"] == "WARN"

    def test_of_a_newer_mirror(self, home: Path) -> None:
        change(home, "UPDATE layout SET version = version + 1")

        assert found(look(home))["layout.newer"] == "FAIL"

    def test_of_a_mirror_that_nobody_writes(self, home: Path) -> None:
        assert found(look(home))["mirror.idle"] == "WARN"

    def test_of_a_database_that_is_away(self, home: Path) -> None:
        environment = {**os.environ, "SHULIAN_MIRROR_URL": "postgresql://u:secret@127.0.0.1:9/d"}

        # No home is named, so that the variable is the test's own.
        (home.parent / ".shulian").symlink_to(home)
        told = run("doctor", "--json", cwd=home.parent, environment=environment)

        assert found(told)["database.silent"] == "FAIL"
        assert "secret" not in told.out + told.err

    def test_of_a_port_that_another_has(self, home: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            write(home, port=taken.getsockname()[1])

            told = look(home)
            assert found(told)["server.busy"] == "WARN"
            assert "origin.ok" not in found(told)
            # Where a proxy is, it knows that port only.
            write(home, origin="https://127.0.0.1:9")
            assert found(look(home))["server.taken"] == "FAIL"

    def test_of_an_origin_without_tls(self, home: Path) -> None:
        write(home, origin="http://ledger.example")

        assert found(look(home))["origin.plain"] == "FAIL"

    def test_of_an_origin_where_nobody_speaks_tls(self, home: Path) -> None:
        write(home, origin="https://127.0.0.1:9")

        assert found(look(home))["tls.silent"] == "FAIL"

    def test_of_a_backup_that_is_late(self, home: Path) -> None:
        assert found(look(home))["backup.none"] == "WARN"
        old = home.parent / "backups" / "shulian-1-2-20260101T000000Z.tar.gz"
        old.touch()
        os.utime(old, (time.time() - 9 * 86_400,) * 2)

        assert found(look(home))["backup.late"] == "WARN"

    def test_of_a_content_folder_that_is_not_mounted(self, home: Path) -> None:
        write(home, content_url="file:///mnt/nowhere")

        assert found(look(home))["content.missing"] == "FAIL"

    def test_of_a_kubo_that_is_away(self, home: Path) -> None:
        write(home, content_url="ipfs:/ip4/127.0.0.1/tcp/9")

        assert found(look(home))["content.silent"] == "FAIL"

    @pytest.mark.engines
    @pytest.mark.parametrize(("size", "case"), [(0, "kubo"), (65_536, "cached"), (None, "cached")])
    def test_of_a_kubo_that_would_not_write_over_damage(
        self, home: Path, tmp_path: Path, size: int | None, case: str
    ) -> None:
        settings = {"Datastore.BlockKeyCacheSize": size}
        with running(tmp_path / "kubo", swarm_key=new_swarm_key(), **settings) as node:
            write(home, content_url=f"ipfs:{node.address}")

            assert f"content.{case}" in found(look(home))

    def test_of_a_secret_that_everybody_may_read(
        self, home: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        # On another database the tests name that by the environment, which wins over the file.
        monkeypatch.setattr(CHOSEN, "chosen", "sqlite")
        write(home, mirror_url="postgresql://u:correct-horse@127.0.0.1:9/d")
        (home / "shulian.toml").chmod(0o644)

        told = look(home)

        assert found(told)["settings.open"] == "FAIL"
        assert "correct-horse" not in told.out

    def test_of_a_variable_that_is_no_setting(self, home: Path) -> None:
        told = run(
            "doctor", "--home", home, "--json", environment={**os.environ, "SHULIAN_PROT": "1"}
        )

        assert found(told)["settings.unknown"] == "WARN"

    def test_of_databases_that_cannot_be_written(self, home: Path) -> None:
        """Nothing is damaged there: whoever restored would lose what is well."""
        closed = [one for one in (home, *home.iterdir()) if not one.is_symlink()]
        modes = {one: one.stat().st_mode for one in closed}
        for one in closed:
            one.chmod(modes[one] & ~0o222)
        try:
            told = unprivileged("doctor", "--home", home, "--json")
        finally:
            for one in closed:
                one.chmod(modes[one])

        levels = found(told)
        assert levels["operational.readonly"] == "FAIL"
        assert not {"operational.broken", "database.broken", "database.silent"} & set(levels)

    def test_of_a_mirror_that_is_damaged(self, home: Path) -> None:
        (home / "mirror.sqlite").write_bytes(b"no database" * 999)

        # No home is named, so that the mirror is its file on whichever database the tests run.
        (home.parent / ".shulian").symlink_to(home)
        told = run("doctor", "--json", cwd=home.parent)

        (finding,) = (one for one in told.json["findings"] if one["check"] == "database")
        assert (finding["case"], finding["level"]) == ("broken", "FAIL")
        assert "Move it away" in finding["next_step"]

    def test_of_an_operational_database_that_is_damaged(self, home: Path) -> None:
        (home / "operational.sqlite").write_bytes(b"no database" * 999)

        assert found(look(home))["operational.broken"] == "FAIL"


def holes(text: str) -> set[Any]:
    """Return the names that a text leaves open."""
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}
