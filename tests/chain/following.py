"""
What the tests of following a chain share: emitting events, a source, and a mirror that saw no fork.
"""

from pathlib import Path
from typing import Any

from chain.facts import Followed
from chain.fetch import Source
from chain.finality import Finality
from chain.indexer import sync_once
from chain.rpc import Node
from chain.store import open_mirror
from chain.values import Address
from tests.anvil import CHAIN_ID, Anvil
from tests.chain.emitter import calldata
from tests.chain.things import dump, project, registered_log, used_log


def emit(anvil: Anvil, emitter: str, *versions: int) -> None:
    """Mine one block per version, each with two events of several assets."""
    for version in versions:
        logs = [registered_log(version % 5, version), used_log(version % 3, version % 2)]
        anvil.send(to=emitter, data=calldata(logs))


def source_of(
    anvil: Anvil, emitter: str, *, depth: int = 64, node: Node | None = None, **options: Any
) -> Source:
    followed = Followed(address=Address(emitter), contract="Assets", from_block=0)
    return Source(
        node=node or anvil.node,
        chain_id=CHAIN_ID,
        contracts=(followed,),
        finality=Finality(depth),
        **options,
    )


def fresh(tmp_path: Path, source: Source) -> dict[str, Any]:
    """Return all rows of a mirror that only ever saw the chain as it is now."""
    engine = open_mirror(f"sqlite:///{tmp_path}/fresh.db")
    sync_once(engine, source, project)
    rows = dump(engine)
    engine.dispose()
    (tmp_path / "fresh.db").unlink()
    return rows


def no_block(number: int) -> Any:
    """Return a lie: this block is not there."""

    def spoil(method: str, parameters: list[Any], answer: dict[str, Any]) -> dict[str, Any]:
        if method == "eth_getBlockByNumber" and parameters[0] == hex(number):
            return {**answer, "result": None}
        return answer

    return spoil
