"""
Reading a contract's views: arguments into calldata, answers into our own values.

It knows the shapes only; asking a node is `chain.client`'s.
"""

import re
from collections.abc import Mapping, Sequence
from types import GenericAlias
from typing import Any

from eth_abi.abi import decode
from eth_abi.exceptions import DecodingError
from eth_utils.crypto import keccak

from chain import codes, structs
from chain.abi import bytes_of, encode_values, from_abi, hex_of
from chain.rpc import NodeContradicts
from chain.values import Address, HexBytes


def encode_view(entry: Mapping[str, Any], arguments: Sequence[Any]) -> HexBytes:
    """
    Return the calldata of a view, its arguments in order.

    shape: a string as text, or as the bytes that it has on the chain (`chain.words`)
    :raises TypeError: if their number is wrong
    """
    types = [_abi_type(one) for one in entry["inputs"]]
    if len(types) != len(arguments):
        raise TypeError(f"{entry['name']} takes {len(types)} arguments, not {len(arguments)}")
    selector = keccak(text=f"{entry['name']}({','.join(types)})")[:4]
    # Bytes are encoded as a string is.
    raw = [isinstance(one, bytes) for one in arguments]
    told = ["bytes" if is_raw else kind for kind, is_raw in zip(types, raw, strict=True)]
    values = [hex_of(one) if is_raw else one for one, is_raw in zip(arguments, raw, strict=True)]
    return hex_of(selector + encode_values(told, values))


def decode_view(entry: Mapping[str, Any], data: str) -> dict[str, Any]:
    """
    Return a view's answers by their names, in order.

    shape: structs and codes as the generated classes; an answer without a name as "value0" …
    :raises NodeContradicts: if the data is no such answer
    """
    outputs = entry["outputs"]
    try:
        values = decode([_abi_type(one) for one in outputs], bytes_of(data))
    except DecodingError as error:
        raise NodeContradicts(reason=f"not an answer of {entry['name']}: {error}") from error
    return {
        _snake(one["name"]) or f"value{position}": from_abi(_hint(one), value)
        for position, (one, value) in enumerate(zip(outputs, values, strict=True))
    }


def _abi_type(parameter: Mapping[str, Any]) -> str:
    kind: str = parameter["type"]
    if not kind.startswith("tuple"):
        return kind
    inner = ",".join(_abi_type(one) for one in parameter["components"])
    return f"({inner}){kind.removeprefix('tuple')}"


def _hint(parameter: Mapping[str, Any]) -> Any:
    return _hint_of(parameter["type"], parameter.get("internalType", parameter["type"]))


def _hint_of(kind: str, internal: str) -> Any:
    if kind.endswith("]"):
        inner = _hint_of(kind.rpartition("[")[0], internal.rpartition("[")[0])
        return GenericAlias(tuple, (inner, ...))
    name = internal.rpartition(".")[2].rpartition(" ")[2]
    if internal.startswith("struct "):
        return getattr(structs, name)
    if internal.startswith("enum "):
        return getattr(codes, name)
    # Addresses are lower-cased like all hex; numbers, texts and truth values stay as they are.
    return Address if kind == "address" else object


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name.strip("_")).lower()
