"""
Fills a mirror as a process of its own, and says how much memory that held at most.

`python -m bench.resident NODE_URL MIRROR_URL < ABOUT_THE_CHAIN`; prints two figures in megabytes.
It imports what a mirror needs, and nothing that signs or deploys.
"""

import sys

import orjson

from bench.ledger.recorded import chain_of
from bench.mirrors import fill, mirror
from bench.timing import peak_resident_mb


def main(node_url: str, mirror_url: str) -> None:
    """Fill the mirror, and print what was held before it and the peak."""
    chain = chain_of(node_url, orjson.loads(sys.stdin.read()))
    before = peak_resident_mb()
    with mirror(mirror_url) as engine:
        fill(engine, chain)
    sys.stdout.write(f"{before:.1f} {peak_resident_mb():.1f}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
