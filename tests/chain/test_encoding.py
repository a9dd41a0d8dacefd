"""
Tests of the encoding for hashes: the same bytes as `eth_abi` makes of the same values.
"""

import inspect
from typing import Any

import pytest
from eth_abi.grammar import ABIType, TupleType, parse
from hypothesis import given, settings
from hypothesis import strategies as st

from chain import structs
from chain.abi import Struct, encode_values
from chain.encoding import encoded
from chain.structs import Leg

STRUCTS = [
    kind.ABI
    for _, kind in inspect.getmembers(structs, inspect.isclass)
    if issubclass(kind, Struct) and kind is not Struct
]
OTHERS = ["uint8", "bytes3", "bytes", "string", "uint256[3]", "bytes[]", "string[2][]", "bool[][2]"]


def ours(node: ABIType) -> st.SearchStrategy[Any]:
    """Return a strategy of values of a type, as we write them."""
    if node.is_array:
        size = node.arrlist[-1][0] if node.arrlist[-1] else None
        most = 3 if size is None else size
        return st.lists(ours(node.item_type), min_size=size or 0, max_size=most)
    if isinstance(node, TupleType):
        return st.tuples(*map(ours, node.components))
    if node.base == "uint":
        return st.integers(0, 2 ** int(node.sub) - 1)
    if node.base == "bytes":
        least, most = (0, 70) if node.sub is None else (int(node.sub), int(node.sub))
        return st.binary(min_size=least, max_size=most).map(lambda one: "0x" + one.hex())
    if node.base == "address":
        return st.binary(min_size=20, max_size=20).map(lambda one: "0x" + one.hex())
    return {"bool": st.booleans(), "string": st.text(max_size=40)}[node.base]


class TestEncoded:
    @pytest.mark.parametrize("kind", sorted({*STRUCTS, *OTHERS}))
    @settings(max_examples=15, deadline=None)
    @given(data=st.data())
    def test_is_what_eth_abi_makes(self, kind: str, data: st.DataObject) -> None:
        types = (kind, f"{kind}[]", "uint64")
        values = data.draw(st.tuples(*(ours(parse(one)) for one in types)))

        assert encoded(types, values) == encode_values(types, values)

    def test_takes_structs_as_they_are(self) -> None:
        leg = Leg(kind=1, payee="0x" + "ab" * 32, amount_fen=7)

        assert encoded((Leg.ABI,), [leg]) == encode_values((Leg.ABI,), [leg])

    @pytest.mark.parametrize(
        ("kind", "value"),
        [
            ("uint64", 2**64),
            ("uint64", -1),
            ("bytes32", "0x00"),
            ("address", "0x" + "00" * 32),
            ("uint8[2]", [1]),
            ("bytes", "0xzz"),
            ("(uint8,bool)", (1,)),
        ],
    )
    def test_refuses_what_does_not_fit(self, kind: str, value: Any) -> None:
        with pytest.raises(ValueError, match=r"\w"):
            encoded((kind,), [value])
