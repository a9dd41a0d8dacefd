"""
Random values of any ABI type, and what a decoder must make of them, without our own code.
"""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from eth_abi.abi import encode
from eth_abi.packed import encode_packed
from eth_utils.crypto import keccak
from hypothesis import strategies as st

Parameter = Mapping[str, Any]

# NUL is not a character that every database holds, so the decoder writes it out.
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40)


def abi_type(parameter: Parameter) -> str:
    """Return the canonical type of an ABI parameter."""
    kind: str = parameter["type"]
    if not kind.startswith("tuple"):
        return kind
    inner = ",".join(abi_type(one) for one in parameter["components"])
    return f"({inner}){kind.removeprefix('tuple')}"


def values(parameter: Parameter, enums: Mapping[str, list[str]]) -> st.SearchStrategy[Any]:
    """Return a strategy of values as `eth_abi` encodes them."""
    kind: str = parameter["type"]
    if kind.endswith("]"):
        outer, _, length = kind[:-1].rpartition("[")
        internal = parameter.get("internalType", kind).rpartition("[")[0]
        inner = {**parameter, "type": outer, "internalType": internal}
        size = int(length) if length else None
        item = values(inner, enums)
        return st.lists(item, min_size=size or 0, max_size=size if size is not None else 3)
    if kind == "tuple":
        return st.tuples(*(values(one, enums) for one in parameter["components"]))
    internal = parameter.get("internalType", kind)
    if internal.startswith("enum "):
        return st.integers(0, len(enums[internal[5:].rpartition(".")[2]]) - 1)
    return _single(kind)


def _single(kind: str) -> st.SearchStrategy[Any]:
    if kind.startswith("uint"):
        return st.integers(0, 2 ** int(kind[4:]) - 1)
    if kind.startswith("int"):
        bits = int(kind[3:])
        return st.integers(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    if kind == "bytes":
        return st.binary(max_size=70)
    if kind.startswith("bytes"):
        size = int(kind[5:])
        return st.binary(min_size=size, max_size=size)
    if kind == "address":
        return st.binary(min_size=20, max_size=20).map(lambda one: "0x" + one.hex())
    return {"bool": st.booleans(), "string": TEXT}[kind]


def topic_of(parameter: Parameter, value: Any) -> str:
    """Return the topic that an indexed value becomes."""
    kind = parameter["type"]
    if kind in ("string", "bytes"):
        return "0x" + keccak(encode_packed([kind], [value])).hex()
    return "0x" + encode([abi_type(parameter)], [value]).hex()


def plain(value: Any) -> Any:
    """Return a value of ours, or one of `eth_abi`'s, as nested lists of plain values."""
    if is_dataclass(value):
        return [plain(getattr(value, one.name)) for one in fields(value)]
    if isinstance(value, bytes):
        return "0x" + value.hex()
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    if isinstance(value, int):
        return int(value)
    return value
