"""
Finds out what kind of chain a node serves, and refuses it if it is not what was asked for.

The client says its name; genesis and newest block show whether its consensus is the profile's. A
client that nobody here knows is taken only if the chain is named, and its blocks have that form.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from chain.chain_profiles import CHAIN_PROFILES, ChainProfile, Consensus
from chain.consensus import clique_signers, is_clique_block, qbft_validators
from chain.failure import Conflict
from chain.rpc import MILLISECONDS_FROM, NodeContradicts, number_of
from chain.values import Bytes32

# One request to a node: `Connection.request`, or the `call` of a `Node` or of several `Nodes`.
Ask = Callable[..., Any]

CLIENT_CHARACTERS_MAX: Final = 100


class ChainUnknown(Conflict):
    """No chain profile is known for what this node runs; name one with --chain."""

    client: str
    known: tuple[str, ...]


class ChainDiffers(Conflict):
    """The node serves another kind of chain than was asked for."""

    chain: str
    client: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Detected:
    """What a node's chain is."""

    profile: ChainProfile
    client: str
    genesis_hash: Bytes32


def detect(ask: Ask, *, chain: str = "") -> Detected:
    """
    Return what kind of chain a node serves.

    shape: `chain` names the profile that it must have; empty takes what the client is known for
    :raises ChainUnknown: if nobody named a chain for a client that is not known
    :raises ChainDiffers: if client or blocks are another chain's
    :raises NodeUnavailable: if it does not answer
    """
    client = str(ask("web3_clientVersion"))[:CLIENT_CHARACTERS_MAX]
    known = profile_of_client(client)
    profile = CHAIN_PROFILES[chain] if chain else known
    if profile is None:
        raise ChainUnknown(client=client, known=tuple(CHAIN_PROFILES))
    genesis, head = _block(ask, "0x0"), _block(ask, "latest")
    reason = _name_misfit(profile, known) or misfit(profile, genesis=genesis, head=head)
    if reason:
        raise ChainDiffers(chain=profile.name, client=client, reason=reason)
    return Detected(
        profile=profile, client=client, genesis_hash=Bytes32(str(genesis["hash"]).lower())
    )


def profile_of_client(client: str) -> ChainProfile | None:
    """Return the profile that a client is known for, by what `web3_clientVersion` answers."""
    name = client.lower()
    return next((one for one in CHAIN_PROFILES.values() if name.startswith(one.clients)), None)


def misfit(profile: ChainProfile, *, genesis: Mapping[str, Any], head: Mapping[str, Any]) -> str:
    """
    Return in what a chain's blocks are not those of a profile; empty if nothing is.

    shape: the node's JSON of the first and of the newest block
    """
    if number_of(head.get("timestamp")) >= MILLISECONDS_FROM and not profile.counts_milliseconds:
        return "its blocks count milliseconds"
    if profile.consensus is Consensus.CLIQUE:
        is_first = number_of(head.get("number")) == 0
        if not clique_signers(genesis) or not (is_first or is_clique_block(head)):
            return "its blocks are not sealed as Clique's are"
    elif profile.consensus is Consensus.QBFT:
        if not qbft_validators(genesis) or not qbft_validators(head):
            return "its blocks name no validators as QBFT's do"
    elif clique_signers(genesis) or qbft_validators(genesis):
        return f"its first block is one of {'Clique' if clique_signers(genesis) else 'QBFT'}"
    return ""


def _name_misfit(profile: ChainProfile, known: ChainProfile | None) -> str:
    if known is None and profile.is_instant:
        # Its blocks have no form of their own that could speak for it.
        return "only its own client mines when told"
    if known is not None and known is not profile:
        return f"its client is that of {known.name}"
    return ""


def _block(ask: Ask, tag: str) -> Mapping[str, Any]:
    found = ask("eth_getBlockByNumber", tag, False)
    if not isinstance(found, dict):
        raise NodeContradicts(reason=f"a chain without the block {tag}")
    return found
