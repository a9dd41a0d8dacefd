// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IActing} from "../interfaces/IActing.sol";
import {IParticipants} from "../interfaces/IParticipants.sol";
import {IRights} from "../interfaces/IRights.sol";
import {DigestAlg} from "../types/Codes.sol";
import {Clock} from "./Clock.sol";
import {Shares} from "./Shares.sol";

/// @title RightsTerms
/// @notice What the conditions of a right must satisfy, when they are applied for and when they are entered.
library RightsTerms {
    uint8 private constant KINDS = 7;
    uint32 private constant REGION_MAX = 999_999;

    /// @notice Returns the holder's number, and reverts unless terms are well formed, not over already, and their holder
    /// is active.
    function requireValid(IRights.RightTerms calldata terms, IParticipants participants)
        internal
        view
        returns (uint32 holder)
    {
        require(terms.kinds != 0 && terms.kinds <= KINDS, IActing.FieldInvalid("kinds"));
        require(terms.basis != IRights.RightBasis.NONE, IActing.FieldInvalid("basis"));
        bool isProved = terms.evidenceDigest != 0 && terms.digestAlg != DigestAlg.NONE;
        require(isProved, IActing.FieldInvalid("evidenceDigest"));
        require(terms.region <= REGION_MAX, IActing.FieldInvalid("region"));
        (uint64 validFrom, uint64 validUntil) = (terms.validFrom, terms.validUntil);
        require(validFrom <= type(uint40).max, IActing.FieldInvalid("validFrom"));
        require(validUntil <= type(uint40).max, IActing.FieldInvalid("validUntil"));
        if (validUntil != 0) {
            uint64 time = Clock.nowSeconds();
            require(validUntil > time, IActing.TimeInPast(validUntil, time));
            require(validUntil > validFrom, IActing.FieldInvalid("validFrom"));
        }
        require(terms.shareBps <= Shares.WHOLE_BPS, IActing.FieldInvalid("shareBps"));
        return participants.requireActive(terms.holder);
    }
}
