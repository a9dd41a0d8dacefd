"""
Samples is about the data packages that are shipped, and where they lie.

It is not about real data: every package here is made up by a script that stands beside it.
"""

from pathlib import Path
from typing import Final

PORT_THROUGHPUT: Final = Path(__file__).parent / "port-throughput"
