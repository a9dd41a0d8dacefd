// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IParticipants} from "../interfaces/IParticipants.sol";
import {Actor, Cause} from "../types/Acting.sol";
import {AuthorityClass} from "../types/Codes.sol";
import {ParticipantId} from "../types/Ids.sol";

/// @title Venues
/// @notice Who speaks for a venue, or with authority over what happens there.
/// @dev An exchange has the role EXCHANGE_OPERATOR at itself only ({IParticipants.grantRole}), so the role names the
/// venue.
library Venues {
    /// @notice Returns who acts, and reverts with {IParticipants.RoleMissing} unless it operates the venue.
    function requireOperator(IParticipants participants, address account, ParticipantId venue)
        internal
        view
        returns (Actor memory actor)
    {
        return participants.actorInRole(account, IParticipants.Role.EXCHANGE_OPERATOR, venue);
    }

    /// @notice Reverts with {IParticipants.AuthorityMissing} unless the account operates the venue and the cause is the
    /// venue's.
    function requireVenue(IParticipants participants, address account, Cause calldata cause, ParticipantId venue)
        internal
        view
    {
        Actor memory actor = participants.actorForCause(account, cause, venue);
        require(
            cause.authority == AuthorityClass.VENUE,
            IParticipants.AuthorityMissing(actor.participantId, uint8(cause.authority))
        );
    }

    /// @notice Returns who acts for a cause as VENUE, REGULATOR, COURT or ARBITRATION; reverts with
    /// {IParticipants.AuthorityMissing} for other
    /// classes, whose standing depends on the subject.
    function requireAuthority(IParticipants participants, address account, Cause calldata cause, ParticipantId venue)
        internal
        view
        returns (Actor memory actor)
    {
        actor = participants.actorForCause(account, cause, venue);
        AuthorityClass authority = cause.authority;
        require(
            authority == AuthorityClass.VENUE || authority == AuthorityClass.REGULATOR
                || authority == AuthorityClass.COURT || authority == AuthorityClass.ARBITRATION,
            IParticipants.AuthorityMissing(actor.participantId, uint8(authority))
        );
    }

    /// @notice Says whether a class takes over another's measure: a venue the party's, a regulator or court either's.
    function outranks(AuthorityClass authority, AuthorityClass held) internal pure returns (bool) {
        bool isPublic = authority == AuthorityClass.REGULATOR || authority == AuthorityClass.COURT;
        if (held == AuthorityClass.PARTY) return isPublic || authority == AuthorityClass.VENUE;
        return held == AuthorityClass.VENUE && isPublic;
    }
}
