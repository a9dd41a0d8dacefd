"""
Tests of reading the settings.
"""

from pathlib import Path

import pytest

from api.config import SettingInvalid, read_settings


class TestReadSettings:
    def test_puts_everything_inside_the_home(self, tmp_path: Path) -> None:
        settings = read_settings({}, home=tmp_path)

        assert settings.mirror_url == f"sqlite:///{tmp_path}/mirror.sqlite"
        assert settings.content_url == f"file://{tmp_path}/content"
        assert settings.operational == tmp_path / "operational.sqlite"
        assert settings.origin == "http://127.0.0.1:8300"

    def test_prefers_arguments_to_the_environment_to_the_defaults(self, tmp_path: Path) -> None:
        environment = {"SHULIAN_PORT": "9000", "SHULIAN_HOST": "ledger.example"}

        settings = read_settings(environment, home=tmp_path, port=9001, host=None)

        assert (settings.port, settings.host) == (9001, "ledger.example")
        assert settings.origin == "http://ledger.example:9001"

    def test_makes_a_relative_home_absolute(self) -> None:
        assert read_settings({"SHULIAN_HOME": "here"}).home == Path.cwd() / "here"

    @pytest.mark.parametrize("text", ["-1", "1.5", "many", "１２", "9" * 10])
    def test_refuses_a_number_that_is_none(self, text: str) -> None:
        with pytest.raises(SettingInvalid) as refused:
            read_settings({"SHULIAN_PORT": text})

        assert refused.value == SettingInvalid(
            setting="port", value=text, place="SHULIAN_PORT", expected="a number from 0 to 65535"
        )

    @pytest.mark.parametrize(
        ("setting", "text"),
        [
            ("mirror_url", "mysql://somewhere"),
            ("rpc_url", "http://one:8545,ftp://two"),
            ("origin", "ledger.example"),
            ("port", "65536"),
            ("poll_seconds", "-1"),
            ("chain", "bitcoin"),
            ("log_level", "LOUD"),
            ("webhook_networks", "ten"),
        ],
    )
    def test_refuses_what_cannot_be_meant(self, setting: str, text: str) -> None:
        with pytest.raises(SettingInvalid) as refused:
            read_settings({f"SHULIAN_{setting.upper()}": text})

        assert refused.value.setting == setting

    @pytest.mark.parametrize("text", ["auto", "finalized", "0", "16"])
    def test_takes_a_rule_of_finality(self, text: str) -> None:
        assert read_settings({"SHULIAN_FINALITY": text}).finality == text

    @pytest.mark.parametrize(
        ("setting", "text"),
        [("finality", "soon"), ("finality", "-1"), ("verify", "on"), ("verify", "RECEIPTS")],
    )
    def test_refuses_what_is_not_offered(self, setting: str, text: str) -> None:
        with pytest.raises(SettingInvalid) as refused:
            read_settings({f"SHULIAN_{setting.upper()}": text})

        assert (refused.value.setting, refused.value.value) == (setting, text)
        assert refused.value.place == f"SHULIAN_{setting.upper()}"

    def test_verifies_receipts_unless_told_otherwise(self) -> None:
        assert read_settings({}).verify == "receipts"
        assert read_settings({"SHULIAN_VERIFY": "off"}).verify == "off"
