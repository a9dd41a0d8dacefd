// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IActing} from "../interfaces/IActing.sol";
import {IParticipants} from "../interfaces/IParticipants.sol";
import {ITrades} from "../interfaces/ITrades.sol";
import {Payee} from "../types/Acting.sol";
import {ParticipantId} from "../types/Ids.sol";
import {Shares} from "./Shares.sol";

/// @title Legs
/// @notice Whether the payments of a contract may be agreed: who may charge, and whether the shares follow the revenue
/// table.
library Legs {
    /// @dev What one settlement pays at most: 16 payees, fees and tax.
    uint256 internal constant MAX = 24;

    /// @notice Returns the sum of all legs and of the SHARE legs; reverts if a leg is empty or charges without
    /// standing.
    function sum(ITrades.Leg[] calldata legs, ITrades.TradeTerms calldata terms, IParticipants participants)
        internal
        view
        returns (uint256 totalFen, uint256 netFen)
    {
        for (uint256 i = 0; i < legs.length; ++i) {
            ITrades.Leg calldata leg = legs[i];
            uint64 amountFen = leg.amountFen;
            require(amountFen != 0, IActing.FieldInvalid("amountFen"));
            totalFen += amountFen;
            if (leg.kind == ITrades.LegKind.SHARE) {
                netFen += amountFen;
            } else {
                require(_mayCharge(leg, terms, participants), ITrades.LegPayeeWrong(leg.kind, leg.payee));
            }
        }
    }

    /// @notice Reverts unless something is shared, the SHARE legs stand in the table's order, and each payee gets the
    /// floor of its share, or one fen more where the floor cut; a share of nothing has no leg.
    /// @param netFen Sum of the SHARE legs in fen.
    function requireShares(ITrades.Leg[] calldata legs, Payee[] calldata revenueTable, uint256 netFen) internal pure {
        require(netFen != 0, ITrades.ShareLegWrong(revenueTable[0].participantId, 1, 0));
        uint256 next = 0;
        for (uint256 i = 0; i < revenueTable.length; ++i) {
            ParticipantId payee = revenueTable[i].participantId;
            (uint256 requiredFen, uint256 remainder) = Shares.shareFloor(netFen, revenueTable[i].shareBps);
            next = _nextShare(legs, next);
            uint256 givenFen = 0;
            if (next < legs.length && legs[next].payee == payee) {
                givenFen = legs[next].amountFen;
                ++next;
            }
            require(
                givenFen == requiredFen || (remainder != 0 && givenFen == requiredFen + 1),
                ITrades.ShareLegWrong(payee, requiredFen, givenFen)
            );
        }
        next = _nextShare(legs, next);
        if (next < legs.length) revert ITrades.ShareLegWrong(legs[next].payee, 0, legs[next].amountFen);
    }

    /// @dev Fees go to the venues and the broker, tax to a tax collector; nothing else is agreed beforehand.
    function _mayCharge(ITrades.Leg calldata leg, ITrades.TradeTerms calldata terms, IParticipants participants)
        private
        view
        returns (bool)
    {
        if (leg.kind == ITrades.LegKind.FEE) {
            return leg.payee == terms.listingVenue || leg.payee == terms.executingVenue
                || (leg.payee == terms.broker && ParticipantId.unwrap(leg.payee) != 0);
        }
        return leg.kind == ITrades.LegKind.TAX
            && participants.hasRole(leg.payee, IParticipants.Role.TAX_COLLECTOR, terms.executingVenue);
    }

    function _nextShare(ITrades.Leg[] calldata legs, uint256 from) private pure returns (uint256 next) {
        next = from;
        while (next < legs.length && legs[next].kind != ITrades.LegKind.SHARE) ++next;
    }
}
