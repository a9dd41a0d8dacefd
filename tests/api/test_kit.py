"""The files for the machine around a ledger: filled in, and right to the programs that read."""

import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from tests.api.mirrored import Mirrored
from tests.api.shell import shulian

SERVICES = ("kubo", "shulian", "shulian-backup", "shulian-content", "shulian-node")
HARDENED = ("NoNewPrivileges=yes", "ProtectSystem=strict", "CapabilityBoundingSet=\n", "User=")


@pytest.fixture
def kit(tmp_path: Path) -> Path:
    config = tmp_path / "shulian.toml"
    config.write_text(
        'home = "/var/lib/shulian"\nport = 8301\norigin = "https://ledger.example"\n'
        'backup_folder = "/var/backups/ledger"\nkey_password_file = "/etc/shulian/key-password"\n'
    )
    told = shulian("--config", config, "kit", tmp_path / "kit", "--json")
    assert told.code == 0, told.err
    assert len(told.json["files"]) == len(list((tmp_path / "kit").rglob("*.*")))
    return tmp_path / "kit"


def text(kit: Path, name: str) -> str:
    return (kit / name).read_text("utf-8")


class TestEveryFile:
    def test_is_filled_in(self, kit: Path) -> None:
        for path in kit.rglob("*.*"):
            assert not re.search(r"@[A-Z]+@", path.read_text("utf-8")), path

    def test_says_what_the_settings_say(self, kit: Path, tmp_path: Path) -> None:
        unit = text(kit, "systemd/shulian.service")

        assert f"Environment=SHULIAN_CONFIG={tmp_path}/shulian.toml" in unit
        assert "LoadCredential=key-password:/etc/shulian/key-password" in unit
        assert "ReadWritePaths=/var/lib/shulian\n" in unit
        assert "/var/backups/ledger" in text(kit, "systemd/shulian-backup.service")
        assert "server_name ledger.example;" in text(kit, "nginx/shulian.conf")
        assert text(kit, "nginx/shulian.conf").count("http://127.0.0.1:8301") == 2
        assert "127.0.0.1:8301" in text(kit, "prometheus/shulian.yml")

    def test_may_be_written_again(self, kit: Path, tmp_path: Path) -> None:
        told = shulian("--config", tmp_path / "shulian.toml", "kit", kit)

        assert told.code == 0


class TestNotes:
    def test_say_what_the_units_would_miss(self, tmp_path: Path) -> None:
        """They name a file that is not there, and back up to nowhere every night."""
        told = shulian("kit", tmp_path / "kit", "--home", tmp_path / "home", "--json")
        said = shulian("kit", tmp_path / "kit", "--home", tmp_path / "home")

        settings, backups = told.json["notes"]
        assert "/etc/shulian/shulian.toml" in settings
        assert "TargetMissing" in backups
        assert "backup_folder" in said.out + said.err

    def test_say_nothing_where_nothing_is_missing(self, kit: Path, tmp_path: Path) -> None:
        told = shulian("--config", tmp_path / "shulian.toml", "kit", kit, "--json")

        assert told.json["notes"] == []


class TestUnits:
    @pytest.mark.parametrize("name", SERVICES)
    def test_give_a_service_no_more_than_it_needs(self, kit: Path, name: str) -> None:
        unit = text(kit, f"systemd/{name}.service")

        assert [one for one in HARDENED if one not in unit] == []
        assert "password=" not in unit.lower()

    def test_are_units_to_systemd(self, kit: Path, tmp_path: Path) -> None:
        if shutil.which("systemd-analyze") is None:
            pytest.skip("systemd-analyze is not here")
        program = tmp_path / "program"
        program.write_text("#!/bin/sh\n")
        program.chmod(0o755)
        units = sorted((kit / "systemd").iterdir())
        for path in units:
            # The programs are on the machine that the units are for.
            path.write_text(re.sub(r"(?m)^ExecStart=\S+", f"ExecStart={program}", path.read_text()))

        done = subprocess.run(
            ["systemd-analyze", "verify", "--man=no", *map(str, units)],
            capture_output=True,
            text=True,
            check=False,
        )

        ours = [line for line in done.stderr.splitlines() if str(kit) in line or "shulian" in line]
        assert done.returncode == 0, done.stderr
        assert ours == []


class TestTheProxy:
    def test_is_a_configuration_to_nginx(self, kit: Path, tmp_path: Path) -> None:
        if shutil.which("nginx") is None or shutil.which("openssl") is None:
            pytest.skip("nginx or openssl is not here")
        certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
        subprocess.run(
            [
                *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"),
                *("-subj", "/CN=ledger.example", "-keyout", str(key), "-out", str(certificate)),
            ],
            capture_output=True,
            check=True,
        )
        ours = text(kit, "nginx/shulian.conf").replace("/etc/shulian/tls", str(tmp_path))
        ours = ours.replace("/etc/nginx/", f"{kit}/nginx/")
        whole = tmp_path / "nginx.conf"
        whole.write_text(
            f"pid {tmp_path}/pid;\nerror_log stderr;\nevents {{}}\n"
            f"http {{\naccess_log off;\nclient_body_temp_path {tmp_path}/body;\n{ours}\n}}\n"
        )

        done = subprocess.run(
            ["nginx", "-t", "-c", str(whole)], capture_output=True, text=True, check=False
        )

        assert "syntax is ok" in done.stderr, done.stderr

    def test_closes_what_is_the_operators_and_holds_no_stream_back(self, kit: Path) -> None:
        proxy = text(kit, "nginx/shulian.conf")

        assert "location = /metrics { return 403; }" in proxy
        assert "proxy_buffering off" in proxy.partition("location = /v1/stream")[2]
        assert "$proxy_add_x_forwarded_for" not in text(kit, "nginx/shulian-proxy.conf")


class TestAlerts:
    def test_ask_for_figures_that_are_told(self, kit: Path, mirrored: Mirrored) -> None:
        """An alert about a figure that nobody tells never rings."""
        client: TestClient = mirrored.client
        known = set(re.findall(r"(?m)^# TYPE (\w+) ", client.get("/metrics").text))
        asked = set(re.findall(r"\bshulian_\w+", text(kit, "prometheus/shulian-alerts.yml")))

        assert asked
        assert asked - known == set()

    def test_rings_after_as_long_as_it_says(self, kit: Path) -> None:
        rules = text(kit, "prometheus/shulian-alerts.yml").partition("ChainStandsStill")[2]
        window, wait = re.findall(r"\[(\d+)m\]|for: (\d+)m", rules)[:2]

        assert int(window[0]) + int(wait[1]) == 5
        assert "five minutes" in rules

    def test_rings_for_a_backup_that_is_late_or_was_never_made(
        self, kit: Path, mirrored: Mirrored, tmp_path: Path
    ) -> None:
        services = replace(mirrored.services, backup_folder=str(tmp_path))
        mirrored = replace(mirrored, services=services)
        figure = "shulian_backup_made_timestamp_seconds"

        never = mirrored.client.get("/metrics").text
        (tmp_path / "shulian-7-1-20260101T023000Z.tar.gz").touch()
        made = mirrored.client.get("/metrics").text

        assert f"time() - {figure} > 36 * 3600" in text(kit, "prometheus/shulian-alerts.yml")
        assert f"\n{figure} 0.0\n" in never
        assert float(re.findall(rf"(?m)^{figure} (.+)$", made)[0]) > 1_700_000_000
