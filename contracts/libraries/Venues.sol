// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IParticipants} from "../interfaces/IParticipants.sol";
import {Actor, Cause} from "../types/Acting.sol";
import {AuthorityClass} from "../types/Codes.sol";
import {ParticipantId} from "../types/Ids.sol";

/// @title Venues
/// @notice Who speaks for a venue: only the exchange itself, even where another holds the role for the whole ledger.
library Venues {
    IParticipants.Role private constant OPERATOR = IParticipants.Role.EXCHANGE_OPERATOR;

    /// @notice Returns who acts, and reverts with {IParticipants.RoleMissing} unless it operates the venue.
    function requireOperator(IParticipants participants, address account, ParticipantId venue)
        internal
        view
        returns (Actor memory actor)
    {
        actor = participants.actorInRole(account, OPERATOR, venue);
        require(actor.participantId == venue, IParticipants.RoleMissing(actor.participantId, OPERATOR, venue));
    }

    /// @notice Returns who acts for a cause; as VENUE only the venue itself, as BANK, ISSUER or PARTY nobody: their standing
    /// depends on the subject.
    function requireAuthority(IParticipants participants, address account, Cause calldata cause, ParticipantId venue)
        internal
        view
        returns (Actor memory actor)
    {
        actor = participants.actorForCause(account, cause, venue);
        AuthorityClass authority = cause.authority;
        bool stands = authority == AuthorityClass.VENUE
            ? actor.participantId == venue
            : authority == AuthorityClass.REGULATOR || authority == AuthorityClass.COURT
                || authority == AuthorityClass.ARBITRATION;
        require(stands, IParticipants.AuthorityMissing(actor.participantId, uint8(authority)));
    }
}
