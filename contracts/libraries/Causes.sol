// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IActing} from "../interfaces/IActing.sol";
import {IParticipants} from "../interfaces/IParticipants.sol";
import {Cause} from "../types/Acting.sol";
import {AuthorityClass, DigestAlg} from "../types/Codes.sol";
import {ParticipantId} from "../types/Ids.sol";
import {Clock} from "./Clock.sol";

/// @title Causes
/// @notice What the cause of an adverse act must give.
library Causes {
    /// @notice Reverts unless the cause is complete and of the class VENUE, as which every admitting body speaks, the
    /// governor too.
    function requireOfVenue(ParticipantId caller, Cause calldata cause) internal view {
        requireComplete(cause);
        bool isVenue = cause.authority == AuthorityClass.VENUE;
        require(isVenue, IParticipants.AuthorityMissing(caller, uint8(cause.authority)));
    }

    /// @notice Reverts unless reason, document and a possible end are given.
    function requireComplete(Cause calldata cause) internal view {
        bool isComplete = cause.reasonCode != 0 && cause.documentDigest != 0 && cause.digestAlg != DigestAlg.NONE;
        require(isComplete, IActing.CauseIncomplete(cause.reasonCode, cause.documentDigest));
        requireOpenOrFuture(cause.until);
    }

    /// @notice Reverts if the end of a term has passed; zero is no end.
    function requireOpenOrFuture(uint64 until) internal view {
        uint64 time = Clock.nowSeconds();
        require(until == 0 || until > time, IActing.TimeInPast(until, time));
    }
}
