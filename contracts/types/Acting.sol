// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AuthorityClass, DigestAlg} from "./Codes.sol";
import {ParticipantId} from "./Ids.sol";

/// @dev Who wants an act, and why an adverse act is done: the two structs that every noun's writes share.
/// @notice The last argument of every write: the account that acts and, when somebody else relays, its signature.
/// @param account The acting account; with an empty signature it must be the sender (or zero, meaning the sender).
/// @param nonce Any number the account has not used at this contract; unordered. Ignored without a signature.
/// @param deadline Seconds since 1970 UTC, exclusive: from this moment the signature is void. Ignored without one.
/// @param signature EIP-712 signature over {Act} (65 bytes), or what the contract wallet's ERC-1271 accepts.
struct Authorization {
    address account;
    uint256 nonce;
    uint64 deadline;
    bytes signature;
}

/// @notice What every adverse act carries (suspend, revoke, freeze, refuse, hold, terminate, waive).
/// @param reasonCode A code of the venue's or regulator's published reason list; never zero.
/// @param documentDigest Digest of the decision document.
/// @param digestAlg How that digest was made.
/// @param authority The class that acts; its role is checked.
/// @param until Seconds since 1970 UTC when the measure ends by itself; 0 means open.
struct Cause {
    uint16 reasonCode;
    bytes32 documentDigest;
    DigestAlg digestAlg;
    AuthorityClass authority;
    uint64 until;
}

/// @notice A payee of a revenue table.
/// @param participantId Who is paid.
/// @param shareBps Share in basis points, 1 to 10 000.
struct Payee {
    ParticipantId participantId;
    uint16 shareBps;
}

/// @notice Who acts, as the ledger knows it: an organisation through one of its accounts.
/// @param participantId The organisation.
/// @param sequence The organisation's number (1, 2, 3 …), used for packing.
/// @param account The account that signed or sent.
struct Actor {
    ParticipantId participantId;
    uint32 sequence;
    address account;
}
