"""
Tests of decoding: the generated decoders say what eth_abi says, and refuse what no event encodes.
"""

import importlib
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import fields
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from eth_abi.abi import decode, encode
from eth_abi.exceptions import DecodingError
from eth_utils.crypto import keccak
from hypothesis import given, settings
from hypothesis import strategies as st

from chain.codegen.files import texts
from chain.codegen.model import STANDARD_EVENTS, read_artifacts
from chain.codes import DigestAlg
from chain.decoder import LogMalformed, decode_log
from chain.decoders import DECODERS
from chain.event import EventMeta, UnknownEvent, describe
from chain.events import EVENTS, AssetRegistered, AuthorizationUsed, ParticipantSupplemented
from chain.values import Address, Bytes32
from tests.chain.abi_values import abi_type, plain, topic_of, values

ROOT = Path(__file__).resolve().parents[2]
INDEX, ARTIFACTS = read_artifacts(ROOT / "chain/artifacts")

META = EventMeta(
    contract="Assets",
    address=Address("0x" + "aa" * 20),
    block_number=1,
    block_hash=Bytes32("0x" + "bb" * 32),
    timestamp=1_700_000_000,
    transaction_hash=Bytes32("0x" + "cc" * 32),
    transaction_index=0,
    log_index=3,
)

# An event of every shape that our contracts do not use today, and may tomorrow.
SHAPES_JSON = """
[{"type": "event", "name": "Shaped", "anonymous": false, "inputs": [
   {"name": "key", "type": "string", "indexed": true},
   {"name": "flag", "type": "bool", "indexed": true},
   {"name": "who", "type": "address", "indexed": true},
   {"name": "low", "type": "int256"}, {"name": "small", "type": "int24"},
   {"name": "isOpen", "type": "bool"}, {"name": "code", "type": "bytes4"},
   {"name": "trio", "type": "uint16[3]"}, {"name": "names", "type": "string[]"},
   {"name": "pairs", "type": "string[2]"}, {"name": "grid", "type": "uint64[2][]"},
   {"name": "flags", "type": "bool[]"}, {"name": "owners", "type": "address[]"},
   {"name": "data", "type": "bytes"},
   {"name": "moods", "type": "uint8[]", "internalType": "enum IShapes.Mood[]"},
   {"name": "codes", "type": "bytes4[]"}, {"name": "signed", "type": "int24[]"},
   {"name": "nested", "type": "tuple[]", "internalType": "struct Outer[]", "components": [
      {"name": "id", "type": "bytes32"}, {"name": "note", "type": "string"},
      {"name": "inner", "type": "tuple", "internalType": "struct Inner", "components": [
         {"name": "blob", "type": "bytes"}, {"name": "marks", "type": "uint8[]"}]},
      {"name": "delta", "type": "int8"}]},
   {"name": "last", "type": "uint256"}]}]
"""


def declared() -> list[dict[str, Any]]:
    """Return the ABI entries of all events that are decoded, each once."""
    found: dict[str, dict[str, Any]] = {}
    for artifact in ARTIFACTS:
        for entry in artifact["abi"]:
            if entry["type"] == "event" and signature(entry) not in STANDARD_EVENTS:
                found[entry["name"]] = entry
    return list(found.values())


def signature(entry: dict[str, Any]) -> str:
    return f"{entry['name']}({','.join(abi_type(one) for one in entry['inputs'])})"


def log_of(entry: dict[str, Any], given_values: dict[str, Any]) -> tuple[list[str], str]:
    """Encode a log the way Solidity does, with eth_abi."""
    topics = ["0x" + keccak(text=signature(entry)).hex()]
    rest = []
    for parameter in entry["inputs"]:
        if parameter["indexed"]:
            topics.append(topic_of(parameter, given_values[parameter["name"]]))
        else:
            rest.append(parameter)
    data = encode([abi_type(one) for one in rest], [given_values[one["name"]] for one in rest])
    return topics, "0x" + data.hex()


def expected_of(entry: dict[str, Any], topics: list[str], data: str) -> list[Any]:
    """Decode the log with eth_abi alone."""
    rest = [one for one in entry["inputs"] if not one["indexed"]]
    read = iter(decode([abi_type(one) for one in rest], bytes.fromhex(data[2:])))
    left = iter(topics[1:])
    found = []
    for parameter in entry["inputs"]:
        if not parameter["indexed"]:
            found.append(plain(next(read)))
        elif parameter["type"] in ("string", "bytes"):
            found.append(next(left))
        else:
            found.append(plain(decode([parameter["type"]], bytes.fromhex(next(left)[2:]))[0]))
    return found


def any_log(entry: dict[str, Any]) -> st.SearchStrategy[tuple[list[str], str]]:
    enums = {**INDEX["enums"], "Mood": ["GOOD", "BAD"]}
    each = {one["name"]: values(one, enums) for one in entry["inputs"]}
    return st.fixed_dictionaries(each).map(lambda given_values: log_of(entry, given_values))


def read_values(event: Any) -> list[Any]:
    return [plain(getattr(event, one.name)) for one in fields(event) if one.name != "meta"]


class TestDecodeLog:
    @pytest.mark.parametrize("entry", declared(), ids=lambda entry: entry["name"])
    @settings(max_examples=25, deadline=None)
    @given(data=st.data())
    def test_says_what_eth_abi_says(self, entry: dict[str, Any], data: st.DataObject) -> None:
        topics, body = data.draw(any_log(entry))

        event = decode_log(topics, body, META)

        assert type(event).__name__ == entry["name"]
        assert event is not None
        assert event.meta is META
        assert read_values(event) == expected_of(entry, topics, body)

    @pytest.mark.parametrize("entry", declared(), ids=lambda entry: entry["name"])
    @settings(max_examples=20, deadline=None)
    @given(data=st.data())
    def test_never_reads_a_spoilt_log_as_something_else(
        self, entry: dict[str, Any], data: st.DataObject
    ) -> None:
        topics, body = data.draw(any_log(entry))
        place = data.draw(st.integers(0, (len(body) - 2) // 64 + len(topics) - 2))
        word = data.draw(st.sampled_from(["ff" * 32, "80" + "00" * 31, f"{2**40:064x}"]))
        if place < len(topics) - 1:
            topics = [*topics[: place + 1], "0x" + word, *topics[place + 2 :]]
        else:
            at = 2 + 64 * (place - len(topics) + 1)
            body = body[:at] + word + body[at + 64 :]

        ours = theirs = None
        with suppress(LogMalformed):
            ours = decode_log(topics, body, META)
        with suppress(DecodingError, ValueError, OverflowError):
            theirs = expected_of(entry, topics, body)

        assert ours is None or theirs is None or read_values(ours) == theirs

    @pytest.mark.parametrize("entry", declared(), ids=lambda entry: entry["name"])
    @settings(max_examples=1, deadline=None)
    @given(data=st.data())
    def test_refuses_a_topic_too_many(self, entry: dict[str, Any], data: st.DataObject) -> None:
        topics, body = data.draw(any_log(entry))

        with pytest.raises(LogMalformed):
            decode_log([*topics, "0x" + "00" * 32], body, META)

    def test_gives_enums_and_ids_their_types(self) -> None:
        entry = next(one for one in declared() if one["name"] == "ParticipantSupplemented")
        given_values = {
            "participantId": b"\1" * 32,
            "byAccount": "0x" + "Ab" * 20,
            "profileDigest": b"\2" * 32,
            "digestAlg": 2,
        }

        event = decode_log(*log_of(entry, given_values), META)

        assert isinstance(event, ParticipantSupplemented)
        assert event.digest_alg is DigestAlg.SM3
        assert event.participant_id == "0x" + "01" * 32
        assert event.by_account == "0x" + "ab" * 20

    def test_keeps_an_unknown_topic_raw(self) -> None:
        topics = ["0x" + "12" * 32, "0x" + "34" * 32]

        event = decode_log(topics, "0xabcd", META)

        assert event == UnknownEvent(
            meta=META, topics=(Bytes32(topics[0]), Bytes32(topics[1])), data="0xabcd"
        )

    def test_keeps_a_log_without_topics_raw(self) -> None:
        assert isinstance(decode_log([], "0x", META), UnknownEvent)

    @pytest.mark.parametrize("one", sorted(STANDARD_EVENTS))
    def test_ignores_the_token_standards(self, one: str) -> None:
        assert decode_log(["0x" + keccak(text=one).hex()], "0x", META) is None

    @settings(max_examples=150, deadline=None)
    @given(data=st.data())
    def test_refuses_a_log_that_ends_early(self, data: st.DataObject) -> None:
        entry = data.draw(st.sampled_from([one for one in declared() if has_data(one)]))
        topics, body = data.draw(any_log(entry))
        kept = data.draw(st.integers(0, max(0, len(body) // 2 - 33)))

        with pytest.raises(LogMalformed) as malformed:
            decode_log(topics, body[: 2 + 2 * kept], META)

        assert malformed.value.log_index == 3

    @pytest.mark.parametrize(
        ("kind", "topics", "data"),
        [
            (AssetRegistered, ["0x" + "01" * 32], "0x" + f"{2**32:064x}"),
            (AssetRegistered, ["0x" + "01" * 32, "0x" + "01" * 32], "0x" + f"{1:064x}"),
            (AssetRegistered, ["0x" + "01" * 32], "0x" + f"{1:064x}" * 2),
            (AuthorizationUsed, ["0x" + "01" * 32, "0x" + "01" * 32], "0x"),
        ],
        ids=["number too wide", "topic too many", "word too many", "address too wide"],
    )
    def test_refuses_what_no_contract_encodes(
        self, kind: type, topics: list[str], data: str
    ) -> None:
        topic = next(one for one, read in DECODERS.items() if returned(read) is kind)

        with pytest.raises(LogMalformed):
            decode_log([topic, *topics], data, META)

    def test_refuses_an_enum_value_that_is_none(self) -> None:
        entry = next(one for one in declared() if one["name"] == "ParticipantSupplemented")
        given_values = {
            "participantId": b"\1" * 32,
            "byAccount": "0x" + "ab" * 20,
            "profileDigest": b"\2" * 32,
            "digestAlg": len(DigestAlg),
        }

        with pytest.raises(LogMalformed):
            decode_log(*log_of(entry, given_values), META)


@pytest.fixture(scope="module")
def shapes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModuleType]:
    folder = tmp_path_factory.mktemp("generated")
    artifact = {
        "abi": json.loads(SHAPES_JSON),
        "contractName": "Shapes",
        "devdoc": {},
        "kind": "contract",
        "userdoc": {},
    }
    (folder / "shapes").mkdir()
    index = {"aliases": {}, "enums": {"Mood": ["GOOD", "BAD"]}, "structs": {}}
    for name, text in texts(index, [artifact], "shapes").items():
        (folder / "shapes" / name).write_text(text)
    (folder / "shapes" / "__init__.py").write_text("")
    sys.path.insert(0, str(folder))
    yield importlib.import_module("shapes.decoders")
    sys.path.remove(str(folder))
    for name in [one for one in sys.modules if one.split(".")[0] == "shapes"]:
        del sys.modules[name]


class TestGeneratedShapes:
    """The generator on types that no contract of ours uses yet."""

    @settings(max_examples=200, deadline=None)
    @given(data=st.data())
    def test_say_what_eth_abi_says(self, shapes: ModuleType, data: st.DataObject) -> None:
        entry = json.loads(SHAPES_JSON)[0]
        entry["inputs"] = [{"indexed": False, **one} for one in entry["inputs"]]
        topics, body = data.draw(any_log(entry))

        event = shapes.DECODERS[topics[0]](topics, body, META)

        assert read_values(event) == expected_of(entry, topics, body)

    def test_show_a_bad_string_and_nul_as_escapes(self, shapes: ModuleType) -> None:
        words = shapes.words
        data = "0x" + encode(["bytes"], [b"a\0b\xff"]).hex()

        assert words.text(data, 2 + 64) == "a\\x00b\\xff"

    @settings(max_examples=500, deadline=None)
    @given(
        st.lists(st.sampled_from([b"\\", b"x", b"5c", b"ff", b"\xff", b"\0", b"0", b"a", b"\xe4"]))
    )
    def test_show_no_two_strings_alike(self, shapes: ModuleType, parts: list[bytes]) -> None:
        written = b"".join(parts)
        data = "0x" + encode(["bytes"], [written]).hex()

        shown = shapes.words.text(data, 2 + 64)

        assert shapes.words.bytes_of_text(shown) == written
        assert "\0" not in shown
        if b"\\" not in written and written.isascii() and b"\0" not in written:
            assert shown == written.decode()

    @pytest.mark.parametrize(
        ("kind", "word"),
        [
            ("sint(24)", 2**23),
            ("sint(24)", -(2**23) - 1),
            ("uint(8)", 256),
            ("boolean", 2),
            ("address", 2**160),
            ("fixed_bytes(4)", 1),
            ("member(DigestAlg)", 4),
        ],
    )
    def test_refuse_a_value_wider_than_its_type(
        self, shapes: ModuleType, kind: str, word: int
    ) -> None:
        read = eval(kind, {**vars(shapes.words), "DigestAlg": DigestAlg})
        data = f"{word % 2**256:064x}"

        with pytest.raises(shapes.MalformedLog):
            read(data, 0)


class TestEvents:
    def test_have_the_contracts_prose(self) -> None:
        assert (
            describe(EVENTS["AssetReviewed"])["expires_at"] == "Seconds, exclusive; 0 means open."
        )

    def test_do_not_bring_web3(self) -> None:
        program = (
            "import sys, chain.events, chain.errors, chain.values, chain.acts, chain.decoder;"
            "sys.exit('web3' in sys.modules)"
        )
        assert (
            subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=False).returncode == 0
        )


def has_data(entry: dict[str, Any]) -> bool:
    return any(not one["indexed"] for one in entry["inputs"])


def returned(read: Any) -> type:
    kind: type = EVENTS[read.__annotations__["return"].__name__]
    return kind
