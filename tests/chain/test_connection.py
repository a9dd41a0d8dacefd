"""
What nodes say, in their dialects: reverts by name, refusals told from repeats, silence from noise.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from eth_utils.crypto import keccak
from web3.exceptions import ContractCustomError, ContractLogicError, Web3RPCError

from chain.connection import Connection, TransactionUnseen
from chain.errors import ParticipantNotFound
from chain.refusals import CallRefused, decode_revert, is_held
from chain.reverts import Panicked, RevertedWithReason, RevertUnknown
from chain.rpc import NodeRefused, NodeUnavailable
from chain.values import Bytes32, HexBytes, ParticipantId
from tests.anvil import Anvil
from tests.chain.fault_proxy import fault_proxy

ID = "22" * 32
DATA = "0x" + keccak(text="ParticipantNotFound(bytes32)")[:4].hex() + ID
NAMED = ParticipantNotFound(participant_id=ParticipantId("0x" + ID))

SHAPES: dict[str, dict[str, Any]] = {
    "geth": {"code": 3, "message": "execution reverted", "data": DATA},
    "anvil": {
        "code": 3,
        "message": f"execution reverted: custom error {DATA[:10]}: {ID}",
        "data": DATA,
    },
    "hardhat": {
        "code": -32603,
        "message": "Error: VM Exception while processing transaction: reverted with an "
        "unrecognized custom error",
        "data": {"message": "reverted", "data": DATA},
    },
    "hardhat, deeper": {"code": -32603, "message": "", "data": {"data": {"data": DATA}}},
    "old parity": {"code": -32015, "message": "VM execution error.", "data": f"Reverted {DATA}"},
    "text only": {"code": -32000, "message": f"execution reverted: {DATA}"},
}


@pytest.fixture
def connection(anvil: Anvil) -> Iterator[Connection]:
    with Connection.to(anvil.url) as connection:
        yield connection


class TestDecodeRevert:
    @pytest.mark.parametrize("node", sorted(SHAPES))
    def test_names_the_error_from_what_a_node_answers(self, node: str) -> None:
        assert decode_revert(SHAPES[node]) == NAMED
        assert decode_revert(CallRefused("eth_call", SHAPES[node])) == NAMED

    @pytest.mark.parametrize("node", sorted(SHAPES))
    def test_names_the_error_from_what_web3_raises(self, node: str) -> None:
        answer: Any = {"jsonrpc": "2.0", "id": 1, "error": SHAPES[node]}
        raised = Web3RPCError(str(SHAPES[node]["message"]), rpc_response=answer)

        assert decode_revert(raised) == NAMED

    @pytest.mark.parametrize("kind", [ContractCustomError, ContractLogicError])
    def test_names_the_error_from_web3s_own_decoding(self, kind: type[Exception]) -> None:
        assert decode_revert(kind("execution reverted", data=DATA)) == NAMED  # type: ignore[call-arg]

    def test_reads_solidity_s_own_errors(self) -> None:
        reason = "0x08c379a0" + f"{32:064x}{2:064x}" + b"no".hex().ljust(64, "0")
        panic = "0x4e487b71" + f"{0x11:064x}"

        assert decode_revert({"data": reason}) == RevertedWithReason(reason="no")
        assert decode_revert({"data": panic}) == Panicked(code=0x11)

    def test_keeps_an_unknown_error_whole(self) -> None:
        assert decode_revert({"data": "0x12345678"}) == RevertUnknown(data=HexBytes("0x12345678"))

    def test_knows_a_revert_without_bytes(self) -> None:
        error = {"code": 3, "message": "execution reverted", "data": "0x"}

        assert decode_revert(error) == RevertUnknown(data=HexBytes("0x"))

    def test_takes_no_hash_or_address_for_an_error(self) -> None:
        text = f"unknown transaction 0x{'ab' * 32} of 0x{'cd' * 20}"

        assert isinstance(decode_revert({"code": -32000, "message": text}), NodeRefused)


class TestIsHeld:
    @pytest.mark.parametrize(
        "message",
        [
            "already known",
            "transaction already imported",
            "Known transaction: 3fa4",
            "nonce too low",
            "Nonce too low. Expected nonce to be 3 but got 2.",
        ],
    )
    def test_takes_a_repeat_for_one(self, message: str) -> None:
        assert is_held(CallRefused("eth_sendRawTransaction", {"message": message}))

    @pytest.mark.parametrize(
        "message", ["insufficient funds", "replacement transaction underpriced", "nonce too high"]
    )
    def test_takes_nothing_else_for_one(self, message: str) -> None:
        assert not is_held(CallRefused("eth_sendRawTransaction", {"message": message}))


class TestConnection:
    def test_says_when_nobody_answers(self) -> None:
        with pytest.raises(NodeUnavailable):
            Connection.to("http://127.0.0.1:1", timeout_seconds=2)

    def test_answers_a_batch_in_order_with_refusals_in_their_places(
        self, connection: Connection
    ) -> None:
        answers = connection.batch(
            [("eth_chainId", []), ("no_such_method", []), ("eth_blockNumber", [])]
        )

        assert answers[0] == hex(connection.chain_id)
        assert isinstance(answers[1], CallRefused)
        assert answers[2] == hex(connection.latest().number)

    def test_gives_up_on_a_transaction_that_never_comes(self, connection: Connection) -> None:
        unknown = Bytes32("0x" + "ee" * 32)

        with pytest.raises(TransactionUnseen) as raised:
            connection.wait([unknown], timeout_seconds=1)

        assert raised.value.transaction_hash == unknown

    def test_waits_for_a_receipt_that_a_fork_took_away_for_a_moment(self, anvil: Anvil) -> None:
        """Two validators may seal one height: an act is then in no block until they agree."""
        sent = anvil.send(data="0x00")
        gone = iter([None, {**sent, "blockNumber": None}])

        with fault_proxy(anvil.url) as proxy, Connection.to(proxy.url) as connection:
            proxy.spoil = lambda method, _, answer: (
                {**answer, "result": next(gone, answer["result"])}
                if method == "eth_getTransactionReceipt"
                else answer
            )
            found = connection.whole_receipt(Bytes32(sent["transactionHash"]))

        assert found["blockHash"] == sent["blockHash"]

    def test_gives_up_on_a_receipt_that_never_comes(self, connection: Connection) -> None:
        unknown = Bytes32("0x" + "ee" * 32)

        with pytest.raises(TransactionUnseen):
            connection.whole_receipt(unknown, timeout_seconds=1)

    def test_names_no_block_beyond_the_head(self, connection: Connection) -> None:
        assert connection.head(connection.latest().number + 10) is None
