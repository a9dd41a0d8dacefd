"""`up`, `down`, `demo` as processes: started, refused, stopped, killed, resumed, removed."""

import json
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.commands.homes import serving
from api.samples import PORT_THROUGHPUT
from chain.node import EmbeddedNode
from tests.api.copies import change, copy_home
from tests.api.shell import ROOT, Told, command, run, shulian
from tests.postgres import forget_mirror_of

SECONDS_MAX = 60


@pytest.fixture
def copy(home: Path, tmp_path: Path) -> Iterator[Path]:
    """A copy of the demonstrated home, stopped whatever the test did."""
    folder = copy_home(home, tmp_path / "home")
    yield folder
    if folder.exists():
        run("down", "--home", folder)
    forget_mirror_of(folder)


def until(condition: Any) -> Any:
    end = time.monotonic() + SECONDS_MAX
    while time.monotonic() < end:
        found = condition()
        if found:
            return found
        time.sleep(0.02)
    raise TimeoutError("it did not happen")


class TestUp:
    def test_serves_api_and_console_until_it_is_stopped(self, copy: Path) -> None:
        started = run("up", "--detach", "--home", copy, "--port", 0, "--json")
        assert started.code == 0, started.err
        url = started.json["url"]

        health = httpx.get(f"{url}/v1/health", trust_env=False).json()
        console = httpx.get(f"{url}/", trust_env=False)
        told = shulian("status", "--home", copy, "--json").json
        node = EmbeddedNode(copy).running()
        stopped = run("down", "--home", copy, "--json")

        assert health["status"] == "OK"
        assert console.status_code == 200
        assert told["api"] == {"running": True, "url": url, "pid": started.json["pid"]}
        assert told["mirror"]["lag_blocks"] == 0
        assert node is not None
        assert stopped.json == {"home": str(copy), "stopped": True, "wiped": False}
        assert EmbeddedNode(copy).running() is None
        assert serving(copy) is None

    def test_says_how_to_stop_what_was_left_running(self, copy: Path) -> None:
        told = run("up", "--detach", "--home", copy, "--port", 0)

        assert told.code == 0, told.err
        assert "stop with `shulian down`" in told.err + told.out
        assert "Ctrl-C" not in told.err + told.out

    def test_shares_its_chain_with_acts_and_keeps_others_out(self, copy: Path) -> None:
        run("up", "--detach", "--home", copy, "--port", 0)
        listing = shulian("listing", "ls", "--home", copy, "--json").json["items"][0]
        cause = {
            "reason_code": 1,
            "document_digest": listing["terms_digest"],
            "digest_alg": "SHA256",
            "authority": "VENUE",
            "until": 0,
        }

        acted = shulian(
            "listing", "suspend", "--listing-id", listing["listing_id"],
            "--cause", json.dumps(cause), "--as", "exchange-a", "--home", copy, "--json",
        )  # fmt: skip
        second = run("demo", "--once", "--json", "--home", copy)

        assert acted.code == 0, acted.err
        assert until(lambda: state_of(copy, listing["listing_id"]) == "SUSPENDED")
        assert second.code == 1
        assert second.out == ""
        assert second.problem["type"] == "/problems/home-in-use"

    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
    def test_ends_in_order_on_a_signal(self, copy: Path, number: int, tmp_path: Path) -> None:
        said = tmp_path / "said"
        with said.open("wb") as file:
            process = subprocess.Popen(
                command("up", "--home", copy, "--port", 0),
                cwd=ROOT,
                stderr=file,
                start_new_session=True,
            )
        until(lambda: (found := serving(copy)) is not None and found.url)

        os.kill(process.pid, number)

        assert process.wait(SECONDS_MAX) == 0, said.read_text("utf-8")
        assert EmbeddedNode(copy).running() is None
        assert not (copy / "serving.json").exists()

    def test_says_that_a_port_is_taken(self, copy: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            told = run("up", "--home", copy, "--port", port, "--json")

        assert told.code == 1
        assert told.problem["type"] == "/problems/port-taken"
        assert EmbeddedNode(copy).running() is None

    def test_tells_why_a_detached_one_did_not_start(self, copy: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            told = run("up", "--detach", "--home", copy, "--port", port)

        assert told.code == 1
        assert told.err.splitlines() == [
            f"PortTaken: Another process listens on this port: port={port}",
            "  → Choose another --port, or none for a free one.",
        ]

    def test_leaves_no_folder_where_no_chain_can_be_started(self, tmp_path: Path) -> None:
        nowhere = {**os.environ, "SHULIAN_ANVIL": str(tmp_path / "nope")}
        home = tmp_path / "home"

        told = run("up", "--home", home, "--json", environment=nowhere)

        assert told.problem["type"] == "/problems/anvil-missing"
        assert not home.exists()

    def test_tells_it_as_json_too(self, copy: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            told = run("up", "--detach", "--home", copy, "--port", port, "--json")

        assert told.code == 1
        assert told.problem["type"] == "/problems/port-taken"
        assert told.problem["fields"] == {"port": port}

    def test_refuses_a_folder_that_holds_something_else(self, tmp_path: Path) -> None:
        (tmp_path / "thesis.txt").write_text("mine")

        told = run("up", "--home", tmp_path, "--json")

        assert told.problem["type"] == "/problems/home-holds-others"
        assert [one.name for one in tmp_path.iterdir()] == ["thesis.txt"]


class TestDown:
    def test_stops_the_chain_that_a_killed_process_left(self, copy: Path) -> None:
        started = run("up", "--detach", "--home", copy, "--port", 0, "--json")
        os.kill(started.json["pid"], signal.SIGKILL)
        until(lambda: serving(copy) is None)
        assert EmbeddedNode(copy).running() is not None

        told = run("down", "--home", copy, "--json")

        assert told.json["stopped"]
        assert EmbeddedNode(copy).running() is None

    def test_says_when_nothing_runs(self, copy: Path) -> None:
        told = shulian("down", "--home", copy)

        assert told.code == 0
        assert told.err == "nothing was running\n"

    def test_leaves_a_process_alone_that_only_has_the_number(self, copy: Path) -> None:
        """A number alone names no process: the mark of its start must be the same."""
        noted = {"pid": os.getpid(), "mark": "another", "command": "up", "url": "http://x"}
        (copy / "serving.json").write_text(json.dumps(noted))

        assert shulian("down", "--home", copy, "--json").json["stopped"] is False

    def test_removes_the_home_if_asked(self, copy: Path) -> None:
        told = shulian("down", "--wipe", "--home", copy, "--json")

        assert told.json["wiped"]
        assert not copy.exists()

    def test_removes_nothing_that_it_did_not_make(self, copy: Path) -> None:
        (copy / "thesis.txt").write_text("mine")

        told = shulian("down", "--wipe", "--home", copy, "--json")

        assert told.code == 1
        assert told.problem["fields"]["names"] == ["thesis.txt"]
        assert (copy / "operational.sqlite").is_file()

    def test_removes_no_folder_that_is_no_home(self, tmp_path: Path) -> None:
        (tmp_path / "thesis.txt").write_text("mine")

        told = shulian("down", "--wipe", "--home", tmp_path, "--json")

        assert told.problem["type"] == "/problems/home-not-found"
        assert (tmp_path / "thesis.txt").is_file()


class TestAudit:
    def test_finds_mirror_and_chain_equal(self, home: Path) -> None:
        told = shulian("audit", "--home", home, "--json")

        assert told.code == 0, told.err
        assert told.json["equal"]
        assert told.json["compared"] > 100
        assert told.json["differences"] == []

    def test_ends_with_one_if_a_row_was_changed(self, copy: Path) -> None:
        change(copy, "UPDATE listings SET price_fen = 1 WHERE to_block IS NULL")

        told = shulian("audit", "--home", copy, "--json")

        assert told.code == 1
        assert [one["field"] for one in told.json["differences"]] == ["price_fen"]


class TestExport:
    def test_writes_files_that_a_peer_finds_valid(self, copy: Path) -> None:
        shutil.rmtree(copy / "exports")

        signing = ("--as", "exchange-a", "--as", "exchange-b")
        told = shulian("export", *signing, "--home", copy, "--json")
        trusted = shulian("trust", "--threshold", 2, "--home", copy, "--json")

        files = sorted((copy / "exports" / "certificates").iterdir())
        trust = copy / "exports" / "trust.json"
        assert told.code == 0, told.err
        assert trusted.code == 0, trusted.err
        assert told.json["certificates"] == len(files) == 10
        assert shulian("verify", *files, "--trust", trust).code == 0


class TestDemo:
    def test_tells_one_json_object(self, demonstrated: tuple[Path, Told]) -> None:
        folder, told = demonstrated

        assert told.code == 0, told.err
        assert set(told.json) == {
            "chain_id",
            "as_of",
            "counts",
            "certificates_verified",
            "audit",
            "exports",
            "seconds",
        }
        assert told.json["counts"] == {
            "registrations": 4,
            "resources": 2,
            "elements": 1,
            "products": 1,
            "listings": 1,
            "trades": 2,
            "deliveries": 2,
            "settlements": 2,
            "certificates": {"REGISTRATION": 4, "TRADE": 2, "DELIVERY": 2, "SETTLEMENT": 2},
        }
        assert told.json["certificates_verified"] == 10
        assert told.json["audit"] == "equal"
        assert told.json["exports"] == str(folder / "exports")

    def test_keeps_its_log_out_of_what_people_read(self, copy: Path) -> None:
        process = subprocess.Popen(
            command("demo", "--home", copy, "--port", 0),
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        until(lambda: (found := serving(copy)) is not None and found.url)
        log = copy / "serving.log"
        until(lambda: log.is_file() and log.read_text("utf-8"))

        run("down", "--home", copy)
        told, _ = process.communicate(timeout=SECONDS_MAX)

        assert "Console and API: http" in told
        assert [line for line in told.splitlines() if line.startswith("{")] == []
        assert all("level" in json.loads(line) for line in log.read_text("utf-8").splitlines())

    def test_records_nothing_of_a_bad_package(self, tmp_path: Path) -> None:
        bad = Path(shutil.copytree(PORT_THROUGHPUT, tmp_path / "bad"))
        shutil.rmtree(bad / "data")
        home = tmp_path / "home"

        told = shulian(
            "demo", "--package", PORT_THROUGHPUT, "--package", bad, "--home", home, "--once",
            "--json",
        )  # fmt: skip

        assert told.code == 1
        assert told.out == ""
        assert told.problem["type"] == "/problems/resource-file-missing"
        assert told.problem["next_step"] == "Add the file to the package, or mend its descriptor."
        assert not home.exists()

    @pytest.mark.slow
    def test_goes_on_where_it_was_killed(self, tmp_path: Path) -> None:
        home = tmp_path / "home"
        try:
            for wanted in (20, 70, 110):
                kill_when_sent(home, wanted)
            told = run("demo", "--once", "--json", "--home", home)
        finally:
            run("down", "--home", home)

        assert told.code == 0, told.err
        assert told.json["certificates_verified"] == 10
        assert told.json["counts"]["trades"] == 2
        assert told.json["audit"] == "equal"


def kill_when_sent(home: Path, wanted: int) -> None:
    """Start the demonstration, and kill it when so many transactions were sent."""
    process = subprocess.Popen(
        command("demo", "--once", "--home", home),
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    until(lambda: sent(home) >= wanted or process.poll() is not None)
    process.kill()
    process.wait()


def sent(home: Path) -> int:
    import sqlite3

    if not (home / "operational.sqlite").is_file():
        return 0
    database = sqlite3.connect(f"file:{home}/operational.sqlite?mode=ro", uri=True)
    try:
        found: int = database.execute("SELECT count(*) FROM outbox_entries").fetchone()[0]
    except sqlite3.OperationalError:
        return 0
    finally:
        database.close()
    return found


def state_of(home: Path, listing_id: str) -> Any:
    return shulian("listing", "show", listing_id, "--home", home, "--json").json["state"]
