"""
The compiled contracts that this package ships: bytecode, and the shape of every function.

Making them is `chain.compile`'s; what is generated from them is `chain.acts` and its sisters.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from chain.abi import bytes_of
from chain.failure import NotFound
from chain.values import HexBytes

FOLDER: Final = Path(__file__).resolve().parent / "artifacts"


class ArtifactMissing(NotFound):
    """This version ships no contract, or no function of it, with that name."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact:
    """
    One contract.

    shape: `immutables` are [start, length] of every place in `deployed` that its constructor fills
    """

    name: str
    abi: tuple[Mapping[str, Any], ...]
    bytecode: HexBytes
    deployed: HexBytes
    immutables: tuple[tuple[int, int], ...]

    def function(self, name: str) -> Mapping[str, Any]:
        """
        Return the ABI entry of a function.

        :raises ArtifactMissing: if there is none
        """
        for entry in self.abi:
            if entry["type"] == "function" and entry["name"] == name:
                return entry
        raise ArtifactMissing(name=f"{self.name}.{name}")

    def constructor_inputs(self) -> tuple[Mapping[str, Any], ...]:
        """Return the ABI parameters that a deployment takes."""
        for entry in self.abi:
            if entry["type"] == "constructor":
                return tuple(entry["inputs"])
        return ()

    def is_code(self, code: str) -> bool:
        """Say whether deployed code is this contract's, whatever its immutables were set to."""
        return self._blank(code) == self._blank(self.deployed)

    def _blank(self, code: str) -> bytes:
        blank = bytearray(bytes_of(code))
        for start, length in self.immutables:
            blank[start : start + length] = bytes(len(blank[start : start + length]))
        return bytes(blank)


@cache
def artifact(name: str) -> Artifact:
    """
    Return a contract by its name.

    :raises ArtifactMissing: if it is not shipped
    """
    path = FOLDER / f"{name}.json"
    if not path.is_file():
        raise ArtifactMissing(name=name)
    found = json.loads(path.read_text("utf-8"))
    return Artifact(
        name=name,
        abi=tuple(found["abi"]),
        bytecode=found["bytecode"],
        deployed=found["deployedBytecode"],
        immutables=tuple((start, length) for start, length in found["immutables"]),
    )


@cache
def compiler() -> str:
    """Return the version of the compiler that made the artifacts."""
    version: str = json.loads((FOLDER / "index.json").read_text("utf-8"))["compiler"]
    return version
