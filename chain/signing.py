"""
What accounts sign so that somebody else may send it: acts, trade terms, and joining a participant.

EIP-712 throughout, as full typed data that a wallet can show; judged on chain by Signatures.sol.
Nothing here sends, and nothing here keeps a key.
"""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, Final

from eth_account import Account
from eth_account.messages import encode_typed_data
from eth_account.signers.local import LocalAccount

from chain.abi import bytes_of
from chain.act import Act
from chain.structs import Authorization, TradeTerms
from chain.values import (
    ZERO_ADDRESS,
    Address,
    HexBytes,
    ParticipantId,
    address,
    checksum_address,
    hex_bytes,
)

TypedData = dict[str, Any]

DOMAIN_NAME: Final = "Shulian"
DOMAIN_VERSION: Final = "1"

_DOMAIN_TYPE: Final = [
    {"name": "name", "type": "string"},
    {"name": "version", "type": "string"},
    {"name": "chainId", "type": "uint256"},
    {"name": "verifyingContract", "type": "address"},
]
_ACT_TYPE: Final = {
    "account": "address",
    "selector": "bytes4",
    "argumentsHash": "bytes32",
    "nonce": "uint256",
    "deadline": "uint64",
}
_JOIN_TYPE: Final = {"participantId": "bytes32", "account": "address", "purposes": "uint8"}

# Whoever sends acts for itself: the contract takes the sender.
BY_SENDER: Final = Authorization(
    account=ZERO_ADDRESS, nonce=0, deadline=0, signature=HexBytes("0x")
)


def act_typed_data(
    act: Act, *, account: Address, chain_id: int, contract: Address, nonce: int, deadline: int
) -> TypedData:
    """
    Return what an account signs to let somebody else send its act.

    units: `deadline` in seconds since 1970 UTC, exclusive
    """
    message = {
        "account": checksum_address(account),
        "selector": act.SELECTOR,
        "argumentsHash": act.arguments_hash(),
        "nonce": nonce,
        "deadline": deadline,
    }
    return _typed("Act", _ACT_TYPE, message, chain_id=chain_id, contract=contract)


def terms_typed_data(terms: TradeTerms, *, chain_id: int, contract: Address) -> TypedData:
    """Return the terms of a trade as both sides sign them, in the clear."""
    names = [camel(field.name) for field in fields(terms)]
    types = TradeTerms.ABI.strip("()").split(",")
    message = dict(zip(names, terms.to_abi(), strict=True))
    kinds = dict(zip(names, types, strict=True))
    shown = {
        name: hex_bytes(value) if isinstance(value, bytes) else value
        for name, value in message.items()
    }
    return _typed("TradeTerms", kinds, shown, chain_id=chain_id, contract=contract)


def join_typed_data(
    participant_id: ParticipantId,
    *,
    account: Address,
    purposes: int,
    chain_id: int,
    contract: Address,
) -> TypedData:
    """Return what a new account signs to become one of a participant's."""
    message = {"participantId": participant_id, "account": account, "purposes": purposes}
    return _typed("JoinParticipant", _JOIN_TYPE, message, chain_id=chain_id, contract=contract)


def sign(typed: TypedData, account: LocalAccount) -> HexBytes:
    """Return an account's 65-byte signature of typed data."""
    signed = account.sign_message(encode_typed_data(full_message=typed))
    return hex_bytes(bytes(signed.signature))


def signer_of(typed: TypedData, signature: HexBytes) -> Address:
    """Return the plain account that made a signature; a contract wallet's cannot be told so."""
    found = Account.recover_message(
        encode_typed_data(full_message=typed), signature=bytes_of(signature)
    )
    return address(found)


def camel(name: str) -> str:
    """Return a field's name as Solidity has it: `price_fen` becomes `priceFen`."""
    first, *rest = name.strip("_").split("_")
    return first + "".join(word.capitalize() for word in rest)


def _typed(
    kind: str,
    types: Mapping[str, str],
    message: Mapping[str, Any],
    *,
    chain_id: int,
    contract: Address,
) -> TypedData:
    return {
        "types": {
            "EIP712Domain": _DOMAIN_TYPE,
            kind: [{"name": name, "type": one} for name, one in types.items()],
        },
        "primaryType": kind,
        "domain": {
            "name": DOMAIN_NAME,
            "version": DOMAIN_VERSION,
            "chainId": chain_id,
            "verifyingContract": checksum_address(contract),
        },
        "message": dict(message),
    }
