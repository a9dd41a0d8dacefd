"""
How large the deployed contracts are, as it was agreed to last.

    python -m tests.chain.sizes     writes the file anew, for a change that is meant
"""

import json
from pathlib import Path

from chain.abi import bytes_of
from chain.artifacts import FOLDER, artifact

FILE = Path(__file__).with_name("sizes.json")


def sizes() -> dict[str, int]:
    """Return the size of every deployed contract in bytes."""
    names = sorted(path.stem for path in FOLDER.glob("*.json") if path.stem != "index")
    found = {name: len(bytes_of(artifact(name).deployed)) for name in names}
    return {name: size for name, size in found.items() if size}


def agreed() -> dict[str, int]:
    """Return the sizes that the file holds."""
    found: dict[str, int] = json.loads(FILE.read_text("utf-8"))
    return found


if __name__ == "__main__":
    FILE.write_text(json.dumps(sizes(), indent=2) + "\n", "utf-8")
