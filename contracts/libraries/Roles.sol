// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IParticipants} from "../interfaces/IParticipants.sol";

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
}
