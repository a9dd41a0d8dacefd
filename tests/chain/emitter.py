"""
A contract that emits whatever logs it is told to, so that a real node serves logs of any event.
"""

from collections.abc import Sequence

from tests.anvil import Anvil

STOP, ADD, LT, EQ, ISZERO = 0x00, 0x01, 0x10, 0x14, 0x15
CALLDATALOAD, CALLDATASIZE, CALLDATACOPY, CODECOPY = 0x35, 0x36, 0x37, 0x39
JUMP, JUMPI, JUMPDEST, DUP1, LOG0, RETURN = 0x56, 0x57, 0x5B, 0x80, 0xA0, 0xF3

Log = tuple[Sequence[str], str]


def calldata(logs: Sequence[Log]) -> str:
    """
    Return the input that makes the contract emit these logs in this order.

    shape: per log its number of topics and its data's length as words, its topics, its data
    """
    parts = []
    for topics, data in logs:
        body = data.removeprefix("0x")
        words = (len(topics), len(body) // 2)
        parts += [f"{word:064x}" for word in words]
        parts += [topic.removeprefix("0x") for topic in topics]
        parts.append(body)
    return "0x" + "".join(parts)


def deploy(node: Anvil) -> str:
    """Deploy the contract and return its address."""
    runtime = _assemble(_program())
    length = [0x61, *len(runtime).to_bytes(2, "big")]
    code = bytes([*length, DUP1, *_push(0x0C), *_push(0), CODECOPY, *_push(0), RETURN])
    receipt = node.send(data="0x" + (code + runtime).hex())
    return str(receipt["contractAddress"]).lower()


def _program() -> list[int | str]:
    # The stack holds the position p of the next log in the calldata.
    program: list[int | str] = [*_push(0), ":loop"]
    program += [CALLDATASIZE, _dup(2), LT, ISZERO, "@end", JUMPI]
    for count in range(5):
        program += [DUP1, CALLDATALOAD, *_push(count), EQ, f"@log{count}", JUMPI]
    program += [STOP]
    for count in range(5):
        head = 0x40 + 0x20 * count
        program += [f":log{count}", DUP1, *_push(0x20), ADD, CALLDATALOAD]
        program += [DUP1, _dup(3), *_push(head), ADD, *_push(0), CALLDATACOPY]
        for pushed in range(count):
            place = 0x40 + 0x20 * (count - 1 - pushed)
            program += [_dup(pushed + 2), *_push(place), ADD, CALLDATALOAD]
        program += [_dup(count + 1), *_push(0), LOG0 + count]
        program += [ADD, *_push(head), ADD, "@loop", JUMP]
    return [*program, ":end", STOP]


def _push(value: int) -> list[int]:
    return [0x61, value >> 8, value & 0xFF] if value > 0xFF else [0x60, value]


def _dup(depth: int) -> int:
    return DUP1 + depth - 1


def _assemble(program: Sequence[int | str]) -> bytes:
    places: dict[str, int] = {}
    size = 0
    for one in program:
        if isinstance(one, str) and one.startswith(":"):
            places[one[1:]] = size
        size += 3 if isinstance(one, str) and one.startswith("@") else 1
    code = bytearray()
    for one in program:
        if isinstance(one, int):
            code.append(one)
        elif one.startswith(":"):
            code.append(JUMPDEST)
        else:
            code += bytes([0x61, *places[one[1:]].to_bytes(2, "big")])
    return bytes(code)
