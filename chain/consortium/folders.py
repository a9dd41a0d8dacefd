"""
The folder of a consortium: who is in it, for everybody; and per node, what its machine needs.

    <folder>/consortium.json          public: chain, genesis hash, every node's name and place
    <folder>/genesis.json             the first block, as geth reads it
    <folder>/nodes/<name>/            all that the machine of that node needs
        start  geth.toml  genesis.json  keep.js   how it is started (`chain.consortium.scripts`)
        nodekey                           who it is among the nodes
        keystore/signer.json  password    with what it seals, encrypted, and the password of that
        data/  geth.ipc  geth.log  running.json  pid   made when it runs

Nothing is started here. Keys are made once and never replaced.
"""

import json
import secrets
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

import coincurve

from chain.consortium.genesis import genesis_hash, genesis_of
from chain.consortium.members import Member, Members, require_apart
from chain.consortium.scripts import geth_config, keep_script, start_script
from chain.durable import fresh_file, make_folder, publish
from chain.failure import Conflict, NotFound
from chain.keys import SCRYPT_N, Keyring, folder_password, write_once
from chain.values import Address, Bytes32, address

PUBLIC_FILE: Final = "consortium.json"
GENESIS_FILE: Final = "genesis.json"
NODES: Final = "nodes"
NODE_KEY_FILE: Final = "nodekey"
KEYSTORE: Final = "keystore"
SIGNER: Final = "signer"
FORMAT: Final = 1
CHAIN_ID_MAX: Final = 2**31 - 1
OPEN: Final = 0o644
RUN: Final = 0o755


class ConsortiumNotFound(NotFound):
    """There is no consortium in this folder."""

    folder: str


class ConsortiumDiffers(Conflict):
    """The folder holds another consortium, whose keys are never overwritten."""

    folder: str
    reason: str


class NodeUnknown(NotFound):
    """The consortium has no node of that name."""

    name: str


class NodeExists(Conflict):
    """The consortium has a node of that name already."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """
    A member's node as everybody knows it.

    shape: `key` is the public key of its connections, 128 hexadecimal digits; `signer` the account
           that seals; `is_validator` says whether it is meant to
    """

    name: str
    zh: str
    en: str
    host: str
    listen_host: str
    p2p_port: int
    rpc_port: int
    key: str
    signer: Address
    is_validator: bool

    @property
    def enode(self) -> str:
        """Return how other nodes reach it."""
        return f"enode://{self.key}@{_in_url(self.host)}:{self.p2p_port}"

    @property
    def rpc_url(self) -> str:
        """Return how ledgers reach it."""
        return f"http://{_in_url(self.host)}:{self.rpc_port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Consortium:
    """
    The public facts of a consortium.

    units: `period_seconds` between two blocks, `genesis_at` in seconds since 1970 UTC
    """

    zh: str
    en: str
    chain_id: int
    period_seconds: int
    genesis_at: int
    genesis_hash: Bytes32
    genesis_signers: tuple[Address, ...]
    nodes: tuple[Node, ...]

    def node(self, name: str) -> Node:
        """
        Return a node by its name.

        :raises NodeUnknown: if there is none
        """
        for one in self.nodes:
            if one.name == name:
                return one
        raise NodeUnknown(name=name)

    def genesis(self) -> dict[str, Any]:
        """Return the first block, the same at every call."""
        return genesis_of(
            chain_id=self.chain_id,
            period_seconds=self.period_seconds,
            signers=self.genesis_signers,
            timestamp=self.genesis_at,
        )

    def to_json(self) -> dict[str, Any]:
        """Return it as `consortium.json` holds it."""
        nodes = [{**asdict(one), "enode": one.enode, "rpc_url": one.rpc_url} for one in self.nodes]
        return {"format": FORMAT, **asdict(self), "nodes": nodes}


def read_consortium(folder: Path) -> Consortium:
    """
    Return the consortium of a folder.

    :raises ConsortiumNotFound: if there is none
    """
    try:
        found = json.loads((folder / PUBLIC_FILE).read_text("utf-8"))
        derived = ("enode", "rpc_url")
        nodes = tuple(
            Node(**{name: value for name, value in one.items() if name not in derived})
            for one in found.pop("nodes")
        )
        if found.pop("format") != FORMAT:
            raise ConsortiumDiffers(folder=str(folder), reason="a newer version wrote it")
        signers = tuple(found.pop("genesis_signers"))
        return Consortium(**found, genesis_signers=signers, nodes=nodes)
    except FileNotFoundError as error:
        raise ConsortiumNotFound(folder=str(folder)) from error
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ConsortiumDiffers(folder=str(folder), reason=f"{PUBLIC_FILE}: {error}") from error


def node_folder(folder: Path, name: str) -> Path:
    """Name the folder of what one node's machine needs."""
    return folder / NODES / name


# --- making ---------------------------------------------------------------------------------------


def found_consortium(folder: Path, members: Members, *, scrypt_n: int = SCRYPT_N) -> Consortium:
    """
    Make the folder of a consortium; again, mend what is missing and move nodes to other places.

    ensures: keys, chain id and genesis are made once, whatever is given later
    :raises ConsortiumDiffers: if the folder holds a consortium of others
    """
    if (folder / PUBLIC_FILE).is_file():
        consortium = _moved(folder, read_consortium(folder), members)
    else:
        _require_empty(folder)
        consortium = _new(folder, members, scrypt_n)
    write(folder, consortium)
    return consortium


def joined(folder: Path, consortium: Consortium, member: Member) -> Consortium:
    """
    Return the consortium with one more node, which does not validate yet, and write it down.

    :raises NodeExists: if the name is taken
    :raises MembersFileInvalid: if its place is
    """
    if any(one.name == member.name for one in consortium.nodes):
        raise NodeExists(name=member.name)
    require_apart([*(_member(one) for one in consortium.nodes), member])
    node = _node(folder, member, is_validator=False, scrypt_n=SCRYPT_N)
    changed = replace(consortium, nodes=(*consortium.nodes, node))
    write(folder, changed)
    return changed


def meant(folder: Path, consortium: Consortium, name: str, *, is_validator: bool) -> Consortium:
    """Return the consortium with one node meant to validate or not, and write it down."""
    node = replace(consortium.node(name), is_validator=is_validator)
    nodes = tuple(node if one.name == name else one for one in consortium.nodes)
    changed = replace(consortium, nodes=nodes)
    write(folder, changed)
    return changed


def write(folder: Path, consortium: Consortium) -> None:
    """Write every file that holds no key, each whole or not at all."""
    genesis = _json(consortium.genesis())
    _write(folder / GENESIS_FILE, genesis)
    keys = [one.key for one in consortium.nodes if one.is_validator]
    keep = keep_script(validators=keys, period_seconds=consortium.period_seconds)
    for node in consortium.nodes:
        place = node_folder(folder, node.name)
        if not place.is_dir():  # its keys are on another machine
            continue
        peers = [one.enode for one in consortium.nodes if one.name != node.name]
        _write(place / GENESIS_FILE, genesis)
        _write(place / PUBLIC_FILE, _json(consortium.to_json()))
        _write(place / "geth.toml", geth_config(node, chain_id=consortium.chain_id, peers=peers))
        _write(place / "keep.js", keep)
        _write(place / "start", start_script(node, consortium.genesis_hash), mode=RUN)
    _write(folder / PUBLIC_FILE, _json(consortium.to_json()))


def _new(folder: Path, members: Members, scrypt_n: int) -> Consortium:
    nodes = tuple(
        _node(folder, one, is_validator=place < members.validators, scrypt_n=scrypt_n)
        for place, one in enumerate(members.members)
    )
    chain_id, now = 1 + secrets.randbelow(CHAIN_ID_MAX), int(time.time())
    signers = tuple(sorted(one.signer for one in nodes if one.is_validator))
    genesis = genesis_of(
        chain_id=chain_id, period_seconds=members.period_seconds, signers=signers, timestamp=now
    )
    return Consortium(
        zh=members.zh,
        en=members.en,
        chain_id=chain_id,
        period_seconds=members.period_seconds,
        genesis_at=now,
        genesis_hash=genesis_hash(genesis),
        genesis_signers=signers,
        nodes=nodes,
    )


def _moved(folder: Path, before: Consortium, members: Members) -> Consortium:
    given = {one.name: one for one in members.members}
    added = sorted(given.keys() - {one.name for one in before.nodes})
    if added:
        raise ConsortiumDiffers(folder=str(folder), reason=f"it has no node {added[0]}")
    first = [before.node(one.name).signer for one in members.members[: members.validators]]
    if tuple(sorted(first)) != before.genesis_signers:
        raise ConsortiumDiffers(folder=str(folder), reason="its first validators are others")
    if members.period_seconds != before.period_seconds:
        raise ConsortiumDiffers(folder=str(folder), reason="its period is another")
    # Those who joined later are not in the founders' file, and stay where they are.
    nodes = tuple(
        replace(one, **asdict(given[one.name])) if one.name in given else one
        for one in before.nodes
    )
    return replace(before, zh=members.zh, en=members.en, nodes=nodes)


def _node(folder: Path, member: Member, *, is_validator: bool, scrypt_n: int) -> Node:
    place = node_folder(folder, member.name)
    make_folder(place)
    place.chmod(0o700)
    make_folder(place / KEYSTORE)
    password = folder_password(place)
    account = Keyring(place / KEYSTORE, password, scrypt_n=scrypt_n).account(SIGNER)
    key_file = place / NODE_KEY_FILE
    if not key_file.is_file():
        write_once(key_file, secrets.token_hex(32).encode("ascii"))
    key = coincurve.PrivateKey(bytes.fromhex(key_file.read_text("ascii").strip()))
    return Node(
        **asdict(member),
        key=key.public_key.format(compressed=False)[1:].hex(),
        signer=address(account.address),
        is_validator=is_validator,
    )


def _member(node: Node) -> Member:
    names = Member.__dataclass_fields__
    return Member(**{name: value for name, value in asdict(node).items() if name in names})


def _require_empty(folder: Path) -> None:
    # An interrupted founding left keys only, which the next one takes up.
    held = [one.name for one in folder.iterdir() if one.name != NODES] if folder.is_dir() else []
    strangers = [one for one in held if not one.startswith(".")]
    if strangers:
        raise ConsortiumDiffers(folder=str(folder), reason=f"it holds {sorted(strangers)[0]}")


def _in_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def _write(path: Path, text: str, *, mode: int = OPEN) -> None:
    if path.is_file() and path.read_text("utf-8") == text:
        return
    with fresh_file(path.parent) as file:
        file.write(text.encode("utf-8"))
        Path(file.name).chmod(mode)
        publish(file, path)
