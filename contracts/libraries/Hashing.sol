// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AssetKind} from "../types/Codes.sol";
import {AssetId, ParticipantId} from "../types/Ids.sol";

/// @title Hashing
/// @notice The one place where ids and stored hashes are made.
/// @dev All hashing is done at run time over `abi.encode`, with the noun's ASCII name as first word, so that no compile-time
/// hash is ever compared with a run-time hash (a 国密 chain computes SM3 at run time; domain 8.1).
library Hashing {
    /// @notice Returns the id of the organisation with a unified social credit code.
    /// @param usccDigest SHA-256 of the code's 18 ASCII characters.
    function participantId(bytes32 usccDigest) internal pure returns (ParticipantId) {
        return ParticipantId.wrap(keccak256(abi.encode(bytes32("participant"), usccDigest)));
    }

    /// @notice Returns the id of an asset: the same on every chain, so that a duplicate is seen across venues.
    /// @param kind Resource, element or product.
    /// @param registrant The organisation that declares it.
    /// @param contentDigest Digest of the first version's content.
    function assetId(AssetKind kind, ParticipantId registrant, bytes32 contentDigest) internal pure returns (AssetId) {
        return AssetId.wrap(keccak256(abi.encode(bytes32("asset"), kind, registrant, contentDigest)));
    }

    /// @notice Returns the id of an act (registration, right, certificate, listing, trade, delivery, settlement …).
    /// @param noun The noun's ASCII name, left-aligned.
    /// @param actor Who makes it.
    /// @param subject The id it is about.
    /// @param salt Derived from the caller's business key, so that a repeat gives the same id.
    function actId(bytes32 noun, ParticipantId actor, bytes32 subject, bytes32 salt) internal view returns (bytes32) {
        return keccak256(abi.encode(noun, block.chainid, actor, subject, salt));
    }
}
