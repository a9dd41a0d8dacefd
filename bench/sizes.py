"""
How much is measured: the sizes of performance.md, or small ones that only show that a line runs.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """
    The sizes of one run.

    units: `events` on the chain that is measured, `rounds` in which ours and references alternate,
           `seconds` of load per reading line and turn
    """

    events: int = 200_000
    rounds: int = 3
    sample_events: int = 10_000
    live_blocks: int = 200
    transactions: int = 1_000
    rows: int = 1_000_000
    nodes: int = 1_000_000
    edges: int = 3_000_000
    traces: int = 300
    certificates: int = 1_000_000
    payments: int = 1_000_000
    seconds: float = 4
    is_quick: bool = False


QUICK = Sizes(
    # Fewer, and the chain has no settlement yet.
    events=5_000,
    rounds=1,
    sample_events=500,
    live_blocks=5,
    transactions=100,
    rows=2_000,
    nodes=2_000,
    edges=6_000,
    traces=10,
    certificates=2_000,
    payments=500,
    seconds=0.3,
    is_quick=True,
)
