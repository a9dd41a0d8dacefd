"""
The gas lines in the form of all others: exact figures, each against the target of its own.
"""

from collections.abc import Iterator

from bench.gas import measure
from bench.lines import Line, alone
from bench.sizes import Sizes


def measure_gas(sizes: Sizes) -> Iterator[Line]:
    """Carry the shipped sample through its life and say what each act cost; the size is fixed."""
    del sizes
    for line in measure():
        yield alone(line.name, line.gas, unit="gas", at_most=line.target or None)
