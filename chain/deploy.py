"""
Puts the contracts on a chain, bottom up, and names those that may push changes down.

Safe to call on every start: what the outbox holds is not sent again. Where they ended up is kept by
`chain.deployments`.
"""

import logging
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from eth_account.signers.local import LocalAccount

from chain.abi import bytes_of, encode_values, hex_of
from chain.acts import ParticipantsSetModule
from chain.artifacts import Artifact, artifact, compiler
from chain.client import Ledger, Request
from chain.codes import ModuleKind
from chain.deployments import NO_CODE, Deployed, Deployment, code_hash, save_deployment
from chain.entries import Entry, Kind
from chain.rpc import NodeContradicts
from chain.sender import Order, Sender
from chain.values import Address, HexBytes, address, keccak

LOG: Final = logging.getLogger(__name__)

WAIT_SECONDS: Final = 60
TRIES: Final = 5

# Each holds those before it that it calls, and never calls up.
ORDER: Final = (
    "Participants",
    "Profiles",
    "Agreements",
    "Funds",
    "Certificates",
    "Rights",
    "Assets",
    "Assessments",
    "Registrations",
    "Listings",
    "Trades",
    "Deliveries",
    "Settlements",
)

# Who may push a change down into a contract deployed before it.
MODULES: Final = (
    (ModuleKind.CERTIFICATE_ISSUER, ("Registrations", "Trades", "Deliveries", "Settlements")),
    (ModuleKind.RIGHT_GRANTER, ("Registrations",)),
    (ModuleKind.ASSET_REGISTRAR, ("Registrations",)),
    (ModuleKind.FUNDS_HOLDER, ("Trades",)),
    (ModuleKind.FUNDS_SPLITTER, ("Settlements",)),
    (ModuleKind.TRADE_ADVANCER, ("Deliveries", "Settlements")),
)


def deploy(
    sender: Sender,
    *,
    home: Path,
    deployer: LocalAccount,
    governor: Address | None = None,
    version: int = 1,
) -> Deployment:
    """
    Deploy every contract, or go on where an earlier call ended, and return where they are.

    shape: without a governor the deployer is it, and the modules are set too; a governor with a key
           of its own, or a multisig, sets them itself (`missing_modules` says which)
    ensures: the deployments file is written last, whole; a second call sends nothing
    :raises OutboxConflict: if this version was deployed here from other sources
    """
    ruler = governor or address(deployer.address)
    found: dict[str, Deployed] = {}
    entries: dict[str, Entry] = {}
    for name in ORDER:
        order = _order(name, found, deployer=deployer, governor=ruler, version=version)
        (entries[name],) = sender.carry_out([order])
        found[name] = _deployed(sender, entries[name])
        LOG.info("contract deployed name=%s address=%s", name, found[name].address)
    deployment = Deployment(
        chain_id=sender.connection.chain_id,
        version=version,
        governor=ruler,
        compiler=compiler(),
        contracts=found,
        genesis_hash=sender.connection.genesis_hash,
    )
    if ruler == address(deployer.address):
        _set_modules(Ledger(sender, deployment), deployer)
    # A fork may have moved one to another block since; the mirror follows each from its own.
    placed = {name: _deployed(sender, entry) for name, entry in entries.items()}
    deployment = replace(deployment, contracts=placed)
    save_deployment(home, deployment)
    return deployment


def missing_modules(ledger: Ledger) -> list[ParticipantsSetModule]:
    """Return the acts by which the governor has yet to name modules."""
    acts = [
        ParticipantsSetModule(kind=kind, module=ledger.deployment.address_of(name), enabled=True)
        for kind, names in MODULES
        for name in names
    ]
    return [
        one for one in acts if not ledger.call("Participants", "isModule", one.kind, one.module)
    ]


def _set_modules(ledger: Ledger, governor: LocalAccount) -> None:
    version = ledger.deployment.version
    requests = [
        Request(act=act, key=f"deploy/{version}/{act.kind.name}/{act.module}")
        for act in missing_modules(ledger)
    ]
    if requests:
        ledger.act_many(requests, by=governor)


def _order(
    name: str,
    found: Mapping[str, Deployed],
    *,
    deployer: LocalAccount,
    governor: Address,
    version: int,
) -> Order:
    made = artifact(name)
    arguments = [_argument(one, found, governor) for one in made.constructor_inputs()]
    data = _creation(made, arguments)
    content: dict[str, Any] = {
        "creation_hash": hex_of(keccak(bytes_of(data))),
        "arguments": arguments,
    }
    return Order(
        kind=Kind.DEPLOY,
        key=f"deploy/{version}/{name}",
        contract=name,
        function="",
        act=content,
        actor=address(deployer.address),
        account=deployer,
        to=None,
        data=data,
    )


def _argument(
    parameter: Mapping[str, Any], found: Mapping[str, Deployed], governor: Address
) -> Address:
    # A constructor takes the governor, or contracts that its type names: `contract IAssets`.
    kind = str(parameter["internalType"])
    if not kind.startswith("contract I"):
        return governor
    return found[kind.removeprefix("contract I")].address


def _creation(made: Artifact, arguments: list[Address]) -> HexBytes:
    types = [one["type"] for one in made.constructor_inputs()]
    return hex_of(bytes_of(made.bytecode) + encode_values(types, arguments))


def _deployed(sender: Sender, entry: Entry) -> Deployed:
    connection = sender.connection
    if entry.transaction_hash is None:
        raise NodeContradicts(reason=f"{entry.key} was never sent")
    # Its block may be given up at any moment; then it is on its way into another.
    for _ in range(TRIES):
        (receipt,) = connection.wait([entry.transaction_hash], timeout_seconds=WAIT_SECONDS)
        if receipt.contract_address is None:
            break
        code = connection.code(receipt.contract_address)
        if code != NO_CODE:
            return Deployed(
                address=receipt.contract_address,
                block_number=receipt.block_number,
                block_hash=receipt.block_hash,
                transaction_hash=receipt.transaction_hash,
                code_hash=code_hash(code),
            )
    raise NodeContradicts(reason=f"{entry.key} is mined but made no contract")
