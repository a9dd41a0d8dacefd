"""
Fills a mirror as a process of its own, and says how much memory that held at most.

`python -m bench.resident EVENTS MIRROR_URL`; prints two figures in megabytes.
"""

import sys

from bench.ledger.chain import served_chain
from bench.mirrors import fill, mirror
from bench.timing import peak_resident_mb


def main(events: str, url: str) -> None:
    """Fill the mirror, and print what was held before it and the peak."""
    before = peak_resident_mb()
    with served_chain(events=int(events)) as chain, mirror(url) as engine:
        fill(engine, chain)
    sys.stdout.write(f"{before:.1f} {peak_resident_mb():.1f}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
