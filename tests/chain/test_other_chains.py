"""
A mirror of a chain that is as FISCO-BCOS's profile has it is the mirror of any other chain.

Behind the door stands anvil: this shows what our side does with such answers, not the engine.
"""

import json
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from chain.chain_profiles import FISCO_BCOS
from chain.indexer import sync_once
from chain.rpc import METHOD_NOT_FOUND, Node
from tests.anvil import Anvil
from tests.chain.fault_proxy import FaultProxy, fault_proxy
from tests.chain.following import emit, fresh, source_of
from tests.chain.things import dump, project

EVENTS = 9


def as_fisco_bcos(proxy: FaultProxy) -> None:
    """Let a node answer as FISCO-BCOS does: one by one, in milliseconds, with roots of its own."""

    def spoil(method: str, _: list[Any], answer: dict[str, Any]) -> dict[str, Any]:
        if method == "eth_getBlockReceipts":
            error = {"code": METHOD_NOT_FOUND, "message": "Method not found"}
            return {"jsonrpc": "2.0", "id": answer["id"], "error": error}
        if method == "eth_getBlockByNumber" and answer.get("result"):
            header = answer["result"]
            changes = {
                "timestamp": hex(int(header["timestamp"], 16) * 1000),
                "logsBloom": "0x" + "00" * 256,
                "receiptsRoot": "0x" + "ab" * 32,
                "extraData": "0x",
            }
            return {**answer, "result": {**header, **changes}}
        return answer

    def one_by_one(body: bytes) -> tuple[int, bytes]:
        if not isinstance(json.loads(body), list):
            return 200, body
        error = {"code": -32600, "message": "The request is not a valid JSON object"}
        return 200, json.dumps({"jsonrpc": "2.0", "id": None, "error": error}).encode()

    proxy.spoil, proxy.spoil_body = spoil, one_by_one


def test_a_chain_as_fisco_bcos_is_mirrored_whole(
    anvil: Anvil, emitter: str, mirror: Engine, tmp_path: Path
) -> None:
    """Issue 5: chain profiles; domain 8.1.2 and 8.1.4."""
    emit(anvil, emitter, *range(EVENTS))
    options = {
        "verify": FISCO_BCOS.commits_to_receipts,
        "has_blooms": FISCO_BCOS.has_blooms,
        "has_block_receipts": FISCO_BCOS.has_block_receipts,
    }

    with fault_proxy(anvil.url) as proxy, Node(proxy.url) as node:
        as_fisco_bcos(proxy)
        source = source_of(anvil, emitter, node=node, **options)
        source.finality = FISCO_BCOS.finality
        synced = sync_once(mirror, source, project)
        asked = list(proxy.seen)

    assert synced.events == 2 * EVENTS
    assert "eth_getBlockReceipts" not in asked
    assert dump(mirror) == fresh(tmp_path, source_of(anvil, emitter))
