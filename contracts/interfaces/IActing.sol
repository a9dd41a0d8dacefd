// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Authorization} from "../types/Acting.sol";

/// @title IActing
/// @notice How anyone acts on any contract of the ledger: directly, or by a signature that somebody relays.
/// @dev The signed type is `Act(address account,bytes4 selector,bytes32 argumentsHash,uint256 nonce,uint64 deadline)` in the
/// domain {name: "Shulian", version: "1", chainId, verifyingContract}; `argumentsHash` is keccak256 of the ABI encoding of all
/// arguments but the authorization. The account is signed too, or a key's signature would serve every contract wallet it owns. The nonce is marked used, never the signature's bytes (OpenZeppelin GHSA-4h98-2769-gh6h).
interface IActing {
    /// @notice A relayed authorization was consumed; its nonce can never be used again.
    /// @param account The account that signed.
    /// @param nonce The consumed nonce.
    event AuthorizationUsed(address indexed account, uint256 indexed nonce);

    /// @notice The authorization's deadline has passed.
    /// @custom:family Forbidden
    error AuthorizationExpired(uint64 deadline, uint64 nowSeconds);
    /// @notice The authorization was already used.
    /// @custom:family Conflict
    error AuthorizationAlreadyUsed(address account, uint256 nonce);
    /// @notice The signature was not made by the account it names.
    /// @custom:family Forbidden
    error SignatureInvalid(address account);
    /// @notice Without a signature only the sender itself can act.
    /// @custom:family Forbidden
    error SenderNotAccount(address sender, address account);

    /// @notice An adverse act needs a reason code, a decision document and the authority's own class.
    /// @custom:family Invalid
    error CauseIncomplete(uint16 reasonCode, bytes32 documentDigest);
    /// @notice A required field is empty or out of range.
    /// @custom:family Invalid
    error FieldInvalid(bytes32 field);
    /// @notice The moment lies in the past.
    /// @custom:family Invalid
    error TimeInPast(uint64 time, uint64 nowSeconds);
    /// @notice The deadline has passed.
    /// @custom:family Conflict
    error DeadlinePassed(uint64 deadline, uint64 nowSeconds);
    /// @notice The deadline has not come yet.
    /// @custom:family Conflict
    error DeadlineNotReached(uint64 deadline, uint64 nowSeconds);

    /// @notice Says whether an account has used a nonce here.
    function isNonceUsed(address account, uint256 nonce) external view returns (bool);
}
