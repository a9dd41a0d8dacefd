"""
What each act costs in gas, and what a product's whole life costs, beside the targets.

Gas is exact: the same contracts on the same kind of chain give the same numbers everywhere. The
life is the demonstration's, on the shipped sample, on a chain of its own.
"""

import json
import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from api.demo.home import open_demo
from api.demo.life import live
from api.demo.stage import Silence
from api.packages.packages import read_package
from api.samples import PORT_THROUGHPUT
from chain.entries import Entry, Kind

# performance.md, Gas: what one act may cost. Settlement: 25 000 per payee and 120 000 besides.
TARGETS: Final[Mapping[str, int]] = {
    "Assets.declare (2 parents)": 130_000,
    "Assets.declare + Listings.submit": 260_000,
    "Trades.conclude": 260_000,
    "Deliveries.deliver + accept": 110_000,
}
SETTLE_PER_PAYEE: Final = 25_000
SETTLE_BASE: Final = 120_000
LIFE_TARGET: Final = 1_500_000
LIFE_TRANSACTIONS: Final = 18


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """
    One measured figure.

    units: gas; `target` is 0 where none is set
    """

    name: str
    gas: int
    target: int

    @property
    def verdict(self) -> str:
        """Return how the figure stands to its target."""
        if not self.target:
            return "-"
        return "PASS" if self.gas <= self.target else "FAIL"


def measure() -> list[Line]:
    """Return the gas of every act of a life, and of a product's whole life."""
    with TemporaryDirectory(prefix="shulian-gas-") as folder, open_demo(Path(folder)) as demo:
        live(demo.stage(Silence()), [read_package(PORT_THROUGHPUT)])
        used = demo.gas_used()
    acts: dict[str, list[int]] = defaultdict(list)
    for entry, gas in used:
        if entry.kind is Kind.ACT:
            acts[f"{entry.contract}.{entry.function}"].append(gas)
    lines = [
        Line(name=f"{name} (median of {len(found)})", gas=_median(found), target=0)
        for name, found in sorted(acts.items())
    ]
    return [*lines, *_judged(used), *_life(used)]


def _judged(used: Sequence[tuple[Entry, int]]) -> list[Line]:
    gas = {entry.key: cost for entry, cost in used}
    element = next(
        cost for key, cost in gas.items() if key.startswith("element/") and key.endswith("/declare")
    )
    product = next(
        key.removesuffix("/declare")
        for key in gas
        if key.startswith("product/") and key.endswith("/declare")
    )
    listed = gas[f"{product}/declare"] + gas[f"{product}/list"]
    concluded = gas[f"{product}/trade/buyer-one"]
    trade = _first_trade(used, product)
    delivered = gas[f"trade/{trade}/deliver"] + gas[f"trade/{trade}/accept/1"]
    settled = gas[f"trade/{trade}/settle"]
    payees = 6
    figures = {
        "Assets.declare (2 parents)": element,
        "Assets.declare + Listings.submit": listed,
        "Trades.conclude": concluded,
        "Deliveries.deliver + accept": delivered,
    }
    lines = [Line(name=name, gas=cost, target=TARGETS[name]) for name, cost in figures.items()]
    target = SETTLE_BASE + payees * SETTLE_PER_PAYEE
    return [*lines, Line(name=f"Settlements.settle ({payees} payees)", gas=settled, target=target)]


def _life(used: Sequence[tuple[Entry, int]]) -> list[Line]:
    """Return the product's own transactions, from declaration to settlement of its first trade."""
    product = next(e.key for e, _ in used if e.key.startswith("product/")).split("/declare")[0]
    trade = _first_trade(used, product)
    own = [
        (entry, gas)
        for entry, gas in used
        if (
            entry.key.startswith(f"{product}/") and not entry.key.endswith(("/mirror", "buyer-two"))
        )
        or entry.key.startswith(f"trade/{trade}/")
    ]
    total = sum(gas for _, gas in own)
    return [
        Line(
            name=f"whole life of a product ({len(own)} transactions)", gas=total, target=LIFE_TARGET
        )
    ]


def _first_trade(used: Sequence[tuple[Entry, int]], product: str) -> str:
    order = [entry.key for entry, _ in used]
    after = order[order.index(f"{product}/trade/buyer-one") :]
    return next(key.split("/")[1] for key in after if key.startswith("trade/"))


def _median(values: Sequence[int]) -> int:
    return sorted(values)[len(values) // 2]


def main(arguments: Sequence[str]) -> int:
    """Print one line per figure; with --json, one object."""
    lines = measure()
    if "--json" in arguments:
        told = [{**asdict(line), "verdict": line.verdict} for line in lines]
        sys.stdout.write(json.dumps({"gas": told}, indent=2) + "\n")
        return 0
    for line in lines:
        target = f"{line.target:>10,}" if line.target else " " * 10
        sys.stdout.write(f"{line.name:<58}{line.gas:>10,} {target}  {line.verdict}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
