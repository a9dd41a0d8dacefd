// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IActing} from "../interfaces/IActing.sol";
import {IParticipants} from "../interfaces/IParticipants.sol";
import {ParticipantId} from "../types/Ids.sol";

/// @title Roles
/// @notice Which roles an exchange gives at its venue, and which the governor gives for the ledger (domain 3.2).
library Roles {
    /// @notice Says whether a role is one to trade in: never together with operating the same venue (A-07).
    function isTrading(IParticipants.Role role) internal pure returns (bool) {
        return
            role == IParticipants.Role.SELLER || role == IParticipants.Role.BUYER || role == IParticipants.Role.BROKER;
    }

    /// @notice Says whether a role is granted by exchanges, each at its own venue; all others are the governor's.
    function isOfVenue(IParticipants.Role role) internal pure returns (bool) {
        return isTrading(role) || role == IParticipants.Role.ASSESSOR || role == IParticipants.Role.CUSTODIAN
            || role == IParticipants.Role.TRUSTEE || role == IParticipants.Role.DELIVERY_PROVIDER
            || role == IParticipants.Role.INSURER || role == IParticipants.Role.NOTARY
            || role == IParticipants.Role.CLEARING;
    }

    /// @notice Reverts unless an organisation may hold a role at a venue: an operator only at itself, a trader anywhere
    /// else (A-07).
    function requireGrantable(ParticipantId participantId, IParticipants.Role role, ParticipantId venue) internal pure {
        IParticipants.Role operator = IParticipants.Role.EXCHANGE_OPERATOR;
        bool isAtItself = participantId == venue;
        require(role != IParticipants.Role.NONE, IActing.FieldInvalid("role"));
        require(role != operator || isAtItself, IActing.FieldInvalid("venue"));
        bool isCompatible = !isAtItself || !isTrading(role);
        require(isCompatible, IParticipants.RolesIncompatible(participantId, role, operator));
    }
}
