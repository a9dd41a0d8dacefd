"""
The clearing line: how long a million revenue splits take. Netting is not built yet.
"""

from collections.abc import Iterator
from random import Random
from typing import Final

from bench.lines import Line, alone
from bench.sizes import Sizes
from bench.timing import seconds
from settlement.revenue import split

PAYEES: Final = 16
SPLIT_SECONDS: Final = 10
FULL: Final = 1_000_000


def measure_clearing(sizes: Sizes) -> Iterator[Line]:
    """Split payments over sixteen payees each; every split closes, or it raises."""
    random = Random(1)
    cuts = [sorted(random.sample(range(1, 10_000), PAYEES - 1)) for _ in range(100)]
    weights = [
        [high - low for low, high in zip([0, *cut], [*cut, 10_000], strict=True)] for cut in cuts
    ]
    amounts = [random.randrange(1, 10**10) for _ in range(1_000)]

    def run() -> None:
        for number in range(sizes.payments):
            split(net_fen=amounts[number % 1_000], weights_bps=weights[number % 100])

    took = seconds(run)
    yield alone(
        f"revenue split, {sizes.payments} payments of {PAYEES} payees",
        took * FULL / sizes.payments,
        unit="s",
        at_most=SPLIT_SECONDS,
        note="" if sizes.payments == FULL else "scaled up to 1 000 000",
    )
