"""The file of settings: read, refused by the line, written, shown; and no secret in any of it."""

import re
import tomllib
from dataclasses import fields
from pathlib import Path

import pytest

from api.config import (
    PREFIX,
    SettingInvalid,
    Settings,
    SettingUnknown,
    about,
    read_settings,
    tell_settings,
)
from api.config_file import ConfigMalformed, ConfigUnreadable
from tests.api.shell import ROOT, run, shulian

SECRET = "correct-horse"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return tmp_path / "etc" / "shulian.toml"


def written(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


class TestReadSettings:
    def test_prefers_arguments_to_the_environment_to_the_file(self, config: Path) -> None:
        written(config, 'port = 9001\nhost = "::1"\naudit_seconds = 7\n')
        environment = {"SHULIAN_CONFIG": str(config), "SHULIAN_PORT": "9002"}

        told = tell_settings(environment, host="0.0.0.0")

        settings = told.settings
        assert (settings.port, settings.host, settings.audit_seconds) == (9002, "0.0.0.0", 7)
        assert told.places["port"] == "SHULIAN_PORT"
        assert told.places["host"] == "argument"
        assert told.places["audit_seconds"] == f"{config} line 3"
        assert told.places["verify"] == "default"

    def test_finds_the_file_in_the_home(self, tmp_path: Path) -> None:
        written(tmp_path / "shulian.toml", "port = 9003\n")

        assert read_settings({}, home=tmp_path).port == 9003

    def test_prefers_the_file_that_is_named(self, tmp_path: Path, config: Path) -> None:
        written(tmp_path / "shulian.toml", "port = 9003\n")
        written(config, "port = 9004\n")

        assert read_settings({}, config=config, home=tmp_path).port == 9004

    def test_takes_paths_from_the_folder_of_the_file(self, config: Path) -> None:
        written(config, 'home = "../var"\nmirror_password_file = "pg"\n')

        settings = read_settings({}, config=config)

        assert settings.home == config.parent / "../var"
        assert settings.mirror_password_file == str(config.parent / "pg")

    @pytest.mark.parametrize(
        ("text", "line", "setting"),
        [
            ("port = 1\nprot = 2\n", 2, "prot"),
            ("\n[mirror]\nurl = 'x'\n", 2, "mirror"),
        ],
    )
    def test_refuses_an_unknown_name(
        self, config: Path, text: str, line: int, setting: str
    ) -> None:
        written(config, text)

        with pytest.raises(SettingUnknown) as refused:
            read_settings({}, config=config)

        assert refused.value == SettingUnknown(setting=setting, place=f"{config} line {line}")

    @pytest.mark.parametrize(
        "text", ["port = '9000'", "port = true", "port = -1", "verify = 1", "verify = 'maybe'"]
    )
    def test_refuses_a_value_by_its_line(self, config: Path, text: str) -> None:
        written(config, f"# a comment\n{text}\n")

        with pytest.raises(SettingInvalid) as refused:
            read_settings({}, config=config)

        assert refused.value.place == f"{config} line 2"

    def test_refuses_a_home_in_the_file_that_the_home_has(self, tmp_path: Path) -> None:
        written(tmp_path / "shulian.toml", 'home = "/elsewhere"\n')

        with pytest.raises(SettingUnknown):
            read_settings({}, home=tmp_path)

    def test_refuses_what_is_no_toml(self, config: Path) -> None:
        written(config, "port 9000\n")

        with pytest.raises(ConfigMalformed, match="line 1"):
            read_settings({}, config=config)

    def test_refuses_a_named_file_that_is_not_there(self, config: Path) -> None:
        with pytest.raises(ConfigUnreadable):
            read_settings({}, config=config)

    def test_gives_only_the_name_of_a_password_file_along(self, config: Path) -> None:
        written(config.parent / "pg", SECRET).chmod(0o600)
        written(config, 'mirror_url = "postgresql://u@h/d?sslmode=require"\n')

        url = read_settings(
            {"SHULIAN_MIRROR_PASSWORD_FILE": str(config.parent / "pg")}, config=config
        ).mirror_url

        assert url == (f"postgresql://u@h/d?sslmode=require&password_file={config.parent / 'pg'}")


class TestInit:
    def test_writes_every_setting_with_what_it_means(self, config: Path) -> None:
        told = shulian(
            "config", "init", config, "--set", "port=9000", "--set", "verify=off", "--json"
        )

        assert told.json == {"file": str(config), "settings": ["port", "verify"]}
        assert tomllib.loads(config.read_text("utf-8")) == {"port": 9000, "verify": "off"}
        text = " ".join(config.read_text("utf-8").replace("\n#", "").split())
        for one in fields(Settings):
            assert about(one).said in text

    def test_writes_defaults_that_are_the_defaults(self, config: Path) -> None:
        """Whoever takes the # away changes nothing."""
        shulian("config", "init", config)
        plain = re.sub(r"(?m)^# ([a-z_]+ = )", r"\1", config.read_text("utf-8"))
        written(config, plain.replace('home = ".shulian"', f'home = "{Path.cwd()}/.shulian"'))

        assert len(tomllib.loads(config.read_text("utf-8"))) == len(fields(Settings))
        assert read_settings({}, config=config) == read_settings({})

    def test_leaves_a_file_alone(self, config: Path) -> None:
        written(config, "port = 1\n")

        told = shulian("config", "init", config, "--json")

        assert told.code == 1
        assert told.problem["type"] == "/problems/config-exists"
        assert config.read_text() == "port = 1\n"

    @pytest.mark.parametrize("given", ["port=many", "prot=1", "port"])
    def test_writes_nothing_that_cannot_be_meant(self, config: Path, given: str) -> None:
        told = shulian("config", "init", config, "--set", given, "--json")

        assert told.code != 0
        assert not config.exists()


class TestShow:
    def test_tells_where_each_value_came_from(self, config: Path, tmp_path: Path) -> None:
        written(config, "port = 9001\n")

        told = shulian("--config", config, "config", "show", "--home", tmp_path, "--json").json

        items = {one["name"]: one for one in told["settings"]}
        assert told["file"] == str(config)
        assert items["port"]["value"] == "9001"
        assert items["port"]["from"] == f"{config} line 1"
        assert items["home"]["from"] == "argument"
        assert list(items) == [one.name for one in fields(Settings)]

    @pytest.mark.parametrize(
        ("setting", "text"),
        [
            ("mirror_url", f"postgresql://shulian:{SECRET}@db/shulian"),
            ("mirror_url", f"postgresql://shulian@db/shulian?password={SECRET}"),
            ("rpc_url", f"https://user:{SECRET}@node:8545,http://other/v3/{SECRET}"),
            ("rpc_url", f"https://node?key={SECRET}"),
            ("ws_url", f"wss://node/{SECRET}"),
            ("mirror_url", f"mysql://shulian:{SECRET}@db/shulian"),
            ("rpc_url", f"ftp://node/{SECRET}"),
        ],
    )
    def test_hides_secrets_also_where_it_refuses(
        self, config: Path, setting: str, text: str
    ) -> None:
        written(config, f"{setting} = '{text}'\n")

        for form in ([], ["--json"]):
            told = shulian("--config", config, "config", "show", *form)
            assert SECRET not in told.out + told.err
            assert "***" in told.out + told.err


class TestCommands:
    def test_all_take_the_file_before_them(self, config: Path, tmp_path: Path) -> None:
        """In a process of its own, as the groups are loaded by what stands first."""
        written(config, f'home = "{tmp_path}/nowhere"\n')

        told = run("--config", config, "listing", "ls", "--json", environment={})

        assert told.problem["fields"]["home"] == f"{tmp_path}/nowhere"

    def test_refuse_an_unreadable_file_in_one_sentence(self, config: Path) -> None:
        told = shulian("--config", config, "status")

        assert told.code == 1
        assert told.err.startswith("ConfigUnreadable: The file of settings cannot be read: ")
        assert len(told.err.splitlines()) == 2


class TestTheTable:
    def test_in_the_documents_is_that_of_the_program(self) -> None:
        """Documents that are not checked go stale."""
        told = (ROOT / "docs/configuration.md").read_text("utf-8")
        rows = [
            f"| `{one.name}` | `{PREFIX}{one.name.upper()}` |"
            f" {f'`{one.default}`' if str(one.default) else '–'} | {about(one).said} |"
            for one in fields(Settings)
        ]

        assert "\n".join(rows) in told, "\n".join(rows)
