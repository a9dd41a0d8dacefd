"""
Tests of the stream over a real server and a real chain: everything in order, once, forks told.
"""

import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from api.streaming import stream
from api.streaming.streams import Streams, StreamsFull, TooManyStreams
from tests.anvil import Anvil
from tests.api.lived import Lived
from tests.api.streamed import Client, Streamed, folded, open_streamed, serving
from tests.chain.things import asset


@pytest.fixture
def chain(anvil: Anvil, tmp_path: Path, mirror_url: str) -> Iterator[Streamed]:
    with open_streamed(anvil, tmp_path / "home", mirror_url=mirror_url) as found:
        yield found


class TestStream:
    def test_tells_every_event_in_the_order_of_the_chain(self, chain: Streamed) -> None:
        chain.emit(1, 2, 3)

        with chain.listen() as client:
            told = client.until_current()

        assert folded(told) == chain.mirrored()
        assert [one.event for one in told] == ["AssetRegistered", "AuthorizationUsed"] * 3
        assert told[0].data["fields"] == {"asset_id": asset(1), "version": 1}
        assert told[1].data["fields"]["nonce"] == "1"

    def test_says_what_it_is_current_as_of(self, chain: Streamed) -> None:
        chain.emit(1)

        with chain.listen() as client:
            client.until_current()

        block = client.messages[-1]
        health = httpx.get(f"{chain.url}/v1/health", trust_env=False).json()
        assert block.data["as_of"] == health["as_of"]
        assert block.id.endswith(health["as_of"]["block_hash"])

    def test_goes_on_with_what_happens_next(self, chain: Streamed) -> None:
        chain.emit(1)
        with chain.listen() as client:
            client.until_current()

            chain.emit(2, 3)

            client.until(lambda one: one.data.get("fields", {}).get("version") == 3)
            client.next()
        assert folded(client.messages) == chain.mirrored()

    def test_tells_the_same_as_the_list(self, chain: Streamed) -> None:
        chain.emit(1, 2)

        with chain.listen() as client:
            told = [one.data for one in client.until_current()]

        listed = httpx.get(f"{chain.url}/v1/events", trust_env=False).json()["items"]
        assert told == listed

    def test_notices_a_block_that_another_process_mirrored(self, chain: Streamed) -> None:
        chain.emit(1)
        with chain.listen() as client:
            client.until_current()
            chain.services.streams.notify = lambda: None  # type: ignore[method-assign]

            chain.emit(2)

            found = client.next()
        assert found is not None
        assert found.data["fields"]["version"] == 2

    def test_keeps_a_quiet_client_current(
        self, chain: Streamed, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(stream, "HEARTBEAT_SECONDS", 0.05)
        chain.emit(1)

        with chain.listen(after="newest") as client:
            beats = [client.next() for _ in range(3)]

        assert {one and one.event for one in beats} == {"block"}


class TestWanted:
    def test_narrows_to_what_holds_an_id(self, chain: Streamed) -> None:
        chain.emit(1, 2, 6)

        about = asset(1).upper().replace("0X", "0x")
        with chain.listen(about=about, name="AssetRegistered") as client:
            told = client.until_current()

        assert [one.data["fields"]["version"] for one in told] == [1, 6]

    def test_narrows_to_a_contract_and_a_name(self, chain: Streamed) -> None:
        chain.emit(1, 2)

        with chain.listen(contract="Assets", name="AuthorizationUsed") as client:
            named = client.until_current()
        with chain.listen(contract="Rights") as client:
            nothing = client.until_current()

        assert [one.event for one in named] == ["AuthorizationUsed"] * 2
        assert nothing == []

    @pytest.mark.parametrize(
        "query",
        [
            "name=Nothing",
            "contract=Nothing",
            "about=0x12",
            "unknown=1",
            "final=maybe",
            "name=A&name=B",
        ],
    )
    def test_refuses_what_it_does_not_know(self, chain: Streamed, query: str) -> None:
        chain.emit(1)

        answer = httpx.get(f"{chain.url}/v1/stream?{query}", trust_env=False)

        assert answer.status_code == 422


class TestShared:
    def test_tells_each_what_it_wants_from_where_it_stands(self, chain: Streamed) -> None:
        chain.emit(1)
        with (
            chain.listen() as first,
            chain.listen() as second,
            chain.listen(name="AssetRegistered") as third,
            chain.listen(after="newest") as fourth,
        ):
            clients = (first, second, third, fourth)
            for client in clients:
                client.until_current()
            chain.emit(2, 3, 4)
            for client in clients:
                client.until(lambda one: one.data.get("fields", {}).get("version") == 4)
            for client in (first, second, fourth):
                client.next()

        whole = chain.mirrored()
        assert folded(first.messages) == folded(second.messages) == whole
        assert folded(third.messages) == whole[::2]
        assert folded(fourth.messages) == whole[2:]


class TestPlaces:
    def test_are_limited_and_given_back(self, anvil: Anvil, tmp_path: Path) -> None:
        with open_streamed(anvil, tmp_path / "home", streams_max=2) as chain:
            chain.emit(1)
            with chain.listen() as first:
                first.next()
                refused = httpx.get(f"{chain.url}/v1/stream", trust_env=False)
            for _ in range(100):
                if not len(chain.services.streams):
                    break
                time.sleep(0.02)

            with chain.listen() as again:
                assert again.next() is not None
        assert refused.status_code == 429
        assert refused.json()["type"] == "/problems/too-many-streams"

    def test_leave_room_for_the_others(self) -> None:
        streams = Streams(16)
        for _ in range(8):
            streams.take("")
        with pytest.raises(TooManyStreams):
            streams.take("")
        for owner in "abcd":
            streams.take(owner)
            streams.take(owner)

        with pytest.raises(StreamsFull):
            streams.take("e")

    def test_end_with_the_server(self, anvil: Anvil, tmp_path: Path) -> None:
        heard: list[object] = []
        with open_streamed(anvil, tmp_path / "home") as chain:
            chain.emit(1)
            with chain.listen() as client:
                client.until_current()
                listener = threading.Thread(target=lambda: heard.append(client.next()))
                listener.start()
                chain.services.streams.close()
                listener.join(5)
        assert heard == [None]


@pytest.mark.slow
class TestAccess:
    """What the lists show to those concerned only, the stream tells to them only."""

    def test_tells_trades_to_those_concerned_only(self, lived: Lived) -> None:
        services = replace(lived.services, streams=Streams())
        with (
            serving(services) as url,
            httpx.stream("GET", f"{url}/v1/stream", timeout=10, trust_env=False) as answer,
        ):
            told = Client(answer).until_current()
        names = {one.event for one in told}

        assert "AssetDeclared" in names
        assert not {one for one in names if one.startswith(("Trade", "Funds", "Delivery"))}
        assert not {one for one in names if one.startswith("Settlement")}
        kinds = {one.data["fields"]["kind"] for one in told if one.event == "CertificateIssued"}
        assert kinds == {"REGISTRATION"}
