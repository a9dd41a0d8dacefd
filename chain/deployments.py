"""
Where the contracts of a chain are: one file per chain id, in `<home>/deployments/`.

It names every version ever deployed there, since contracts are never changed and the mirror follows
all; writing acts go to the last. Deploying itself is `chain.deploy`'s.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from chain.abi import bytes_of
from chain.artifacts import artifact
from chain.connection import Connection
from chain.durable import fresh_file, publish
from chain.facts import Followed
from chain.failure import Conflict, NotFound
from chain.fetch import WrongChain
from chain.values import Address, Bytes32, bytes32, keccak

FORMAT: Final = 1
NO_CODE: Final = "0x"


class DeploymentNotFound(NotFound):
    """No contracts are deployed for this chain in this home."""

    chain_id: int


class ContractMissing(Conflict):
    """There is no contract at the address where it was deployed."""

    contract: str
    address: Address


class CodeDiffers(Conflict):
    """The code at a contract's address is not what was deployed, or not what is known here."""

    contract: str
    address: Address


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployed:
    """One contract on the chain."""

    address: Address
    block_number: int
    block_hash: Bytes32
    transaction_hash: Bytes32
    code_hash: Bytes32


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """
    One version of all contracts.

    shape: `contracts` in the order they were deployed, by name; `governor` as the constructor got
           it, which may have handed over since; `genesis_hash` is that of the chain's first block,
           None where an older version did not note it
    """

    chain_id: int
    version: int
    governor: Address
    compiler: str
    contracts: Mapping[str, Deployed]
    genesis_hash: Bytes32 | None = None

    def address_of(self, contract: str) -> Address:
        """
        Return a contract's address.

        :raises KeyError: if this deployment has none of that name
        """
        return self.contracts[contract].address

    def followed(self) -> tuple[Followed, ...]:
        """Return what the mirror follows."""
        return tuple(
            Followed(address=one.address, contract=name, from_block=one.block_number)
            for name, one in self.contracts.items()
        )


def chains_of(home: Path) -> tuple[int, ...]:
    """Return the ids of the chains that a home follows contracts on."""
    paths = (home / "deployments").glob("*.json")
    return tuple(sorted(int(one.stem) for one in paths if one.stem.isdigit()))


def load_deployments(home: Path, *, chain_id: int) -> tuple[Deployment, ...]:
    """Return every deployment on a chain, oldest first; none is no error."""
    path = _path(home, chain_id)
    if not path.is_file():
        return ()
    found = json.loads(path.read_text("utf-8"))
    if found["chain_id"] != chain_id:
        raise WrongChain(expected_chain_id=chain_id, found_chain_id=found["chain_id"])
    return parse_deployments(found)


def parse_deployments(found: Mapping[str, Any]) -> tuple[Deployment, ...]:
    """
    Return what a chain's file holds, oldest first: at least one deployment.

    :raises ValueError: KeyError: TypeError: if it is of another form
    """
    if found["format"] != FORMAT or not found["deployments"]:
        raise ValueError(f"format {found['format']}, not {FORMAT}, or no deployment")
    return tuple(_deployment(int(found["chain_id"]), one) for one in found["deployments"])


def load_deployment(home: Path, *, chain_id: int) -> Deployment:
    """
    Return the deployment that acts go to: the last.

    :raises DeploymentNotFound: if there is none
    """
    found = load_deployments(home, chain_id=chain_id)
    if not found:
        raise DeploymentNotFound(chain_id=chain_id)
    return found[-1]


def save_deployment(home: Path, deployment: Deployment) -> None:
    """Write a deployment into its chain's file, in the place of the same version if it is there."""
    known = load_deployments(home, chain_id=deployment.chain_id)
    others = [one for one in known if one.version != deployment.version]
    all_ = sorted([*others, deployment], key=lambda one: one.version)
    content = {
        "format": FORMAT,
        "chain_id": deployment.chain_id,
        "deployments": [_written(one) for one in all_],
    }
    with fresh_file(home / "deployments") as file:
        file.write(json.dumps(content, indent=2).encode("utf-8") + b"\n")
        publish(file, _path(home, deployment.chain_id))


def verify_deployment(connection: Connection, deployment: Deployment) -> None:
    """
    Check that the chain is the one, and that every contract is what this version was made for.

    :raises WrongChain: if the node serves another chain
    :raises ContractMissing: CodeDiffers: if code is missing, was replaced, or belongs to other
             sources
    """
    if connection.chain_id != deployment.chain_id:
        raise WrongChain(expected_chain_id=deployment.chain_id, found_chain_id=connection.chain_id)
    for name, one in deployment.contracts.items():
        code = connection.code(one.address)
        if code == NO_CODE:
            raise ContractMissing(contract=name, address=one.address)
        if code_hash(code) != one.code_hash or not artifact(name).is_code(code):
            raise CodeDiffers(contract=name, address=one.address)


def code_hash(code: str) -> Bytes32:
    """Return the Keccak-256 of deployed code."""
    return bytes32(keccak(bytes_of(code)))


def _path(home: Path, chain_id: int) -> Path:
    return home / "deployments" / f"{chain_id}.json"


def _written(deployment: Deployment) -> dict[str, Any]:
    return {
        "version": deployment.version,
        "governor": deployment.governor,
        "compiler": deployment.compiler,
        "genesis_hash": deployment.genesis_hash,
        "contracts": {name: asdict(one) for name, one in deployment.contracts.items()},
    }


def _deployment(chain_id: int, found: Mapping[str, Any]) -> Deployment:
    contracts = {name: Deployed(**one) for name, one in found["contracts"].items()}
    return Deployment(**{**found, "chain_id": chain_id, "contracts": contracts})
