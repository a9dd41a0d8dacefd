"""
Tests of acts and reverts: calldata, the hash that is signed, JSON, and errors from their bytes.
"""

import json
from pathlib import Path
from typing import Any, get_type_hints

import pytest
from eth_abi.abi import decode, encode
from eth_utils.crypto import keccak
from hypothesis import given, settings
from hypothesis import strategies as st

from chain.abi import from_abi, hints_of
from chain.acts import ACTS
from chain.codegen.model import read_artifacts
from chain.codegen.types import snake
from chain.errors import ERRORS
from chain.failure import Conflict, Forbidden, Invalid, NotFound
from chain.reverts import Panicked, RevertedWithReason, RevertUnknown, decode_revert_data
from chain.structs import Authorization
from chain.values import Address, HexBytes
from tests.chain.abi_values import abi_type, plain, values

ROOT = Path(__file__).resolve().parents[2]
INDEX, ARTIFACTS = read_artifacts(ROOT / "chain/artifacts")

AUTHORIZATION = Authorization(
    account=Address("0x" + "0a" * 20), nonce=2**255 + 1, deadline=7, signature=HexBytes("0x1234")
)


def functions() -> dict[str, dict[str, Any]]:
    """Return the ABI entry of every act by the act's name."""
    by_contract = {one["contractName"]: one["abi"] for one in ARTIFACTS}
    return {
        name: next(
            entry for entry in by_contract[act.CONTRACT] if entry.get("name") == act.FUNCTION
        )
        for name, act in ACTS.items()
    }


def draw_act(data: st.DataObject, name: str) -> tuple[Any, list[str], list[Any]]:
    """Return an act, and the types and values of its arguments for eth_abi."""
    *arguments, _ = functions()[name]["inputs"]
    given_values = [data.draw(values(one, INDEX["enums"])) for one in arguments]
    kind = ACTS[name]
    inner = given_values[0] if kind.FLATTENED else given_values
    hints = hints_of(kind)
    fields = {
        field: from_abi(hint, value)
        for (field, hint), value in zip(hints.items(), inner, strict=True)
    }
    return kind(**fields), [abi_type(one) for one in arguments], given_values


class TestAct:
    @pytest.mark.parametrize("name", sorted(ACTS))
    @settings(max_examples=8, deadline=None)
    @given(data=st.data())
    def test_encodes_what_eth_abi_encodes(self, name: str, data: st.DataObject) -> None:
        act, types, given_values = draw_act(data, name)

        calldata = bytes.fromhex(act.encode(AUTHORIZATION)[2:])

        authorization = "(address,uint256,uint64,bytes)"
        assert calldata[:4] == keccak(text=act.SIGNATURE)[:4]
        assert f"{act.FUNCTION}({','.join([*types, authorization])})" == act.SIGNATURE
        assert plain(decode([*types, authorization], calldata[4:])) == [
            *plain(given_values),
            ["0x" + "0a" * 20, 2**255 + 1, 7, "0x1234"],
        ]
        assert act.arguments_hash() == "0x" + keccak(encode(types, given_values)).hex()

    @pytest.mark.parametrize("name", sorted(ACTS))
    @settings(max_examples=5, deadline=None)
    @given(data=st.data())
    def test_comes_back_from_json(self, name: str, data: st.DataObject) -> None:
        act, _, _ = draw_act(data, name)

        text = json.dumps(act.to_json())

        assert type(act).from_json(json.loads(text)) == act
        assert all(abs(number) < 2**53 for number in numbers(json.loads(text)))

    def test_has_its_fields_in_the_functions_order(self) -> None:
        for name, entry in functions().items():
            *arguments, _ = entry["inputs"]
            inputs = arguments[0]["components"] if ACTS[name].FLATTENED else arguments
            assert list(hints_of(ACTS[name])) == [snake(one["name"]) for one in inputs]


class TestDecodeRevertData:
    @pytest.mark.parametrize("name", sorted(ERRORS))
    @settings(max_examples=5, deadline=None)
    @given(data=st.data())
    def test_names_every_error_of_the_contracts(self, name: str, data: st.DataObject) -> None:
        entry = next(
            one
            for artifact in ARTIFACTS
            for one in artifact["abi"]
            if one["type"] == "error" and one["name"] == name
        )
        given_values = [data.draw(values(one, INDEX["enums"])) for one in entry["inputs"]]
        types = [abi_type(one) for one in entry["inputs"]]
        selector = keccak(text=f"{name}({','.join(types)})")[:4]

        error = decode_revert_data(selector + encode(types, given_values))

        assert type(error) is ERRORS[name]
        assert isinstance(error, NotFound | Conflict | Forbidden | Invalid)
        assert [plain(one) for one in error.fields.values()] == plain(given_values)

    def test_gives_fields_their_types(self) -> None:
        for kind in ERRORS.values():
            hints = get_type_hints(kind)
            assert len(kind.ABI) == len(  # type: ignore[attr-defined]
                [name for name in hints if name in kind._field_names]
            )

    def test_reads_soliditys_own_errors(self) -> None:
        reason = keccak(text="Error(string)")[:4] + encode(["string"], ["no"])
        panic = keccak(text="Panic(uint256)")[:4] + encode(["uint256"], [0x11])

        assert decode_revert_data("0x" + reason.hex()) == RevertedWithReason(reason="no")
        assert decode_revert_data(panic) == Panicked(code=0x11)

    @pytest.mark.parametrize("data", ["0x", "0x12", "0x12345678", "0x08c379a0ff"])
    def test_keeps_what_it_cannot_read(self, data: str) -> None:
        assert decode_revert_data(data) == RevertUnknown(data=HexBytes(data))


def numbers(value: Any) -> list[int]:
    if isinstance(value, dict):
        return [one for part in value.values() for one in numbers(part)]
    if isinstance(value, list):
        return [one for part in value for one in numbers(part)]
    return [value] if isinstance(value, int) else []
