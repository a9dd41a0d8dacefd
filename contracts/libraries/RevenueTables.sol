// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAssets} from "../interfaces/IAssets.sol";
import {IParticipants} from "../interfaces/IParticipants.sol";
import {Payee} from "../types/Acting.sol";
import {ParticipantId} from "../types/Ids.sol";
import {Shares} from "./Shares.sol";

/// @title RevenueTables
/// @notice Flattened revenue tables: whole by themselves, and no less than what was consented upstream.
/// @dev Tables stand in ascending order of payee, so a parent's table and the child's are walked together once.
library RevenueTables {
    uint256 internal constant PAYEES_MAX = 16;

    /// @notice Reverts unless a table has 1 to 16 payees in ascending order, each with a share, together 10 000 basis
    /// points.
    function requireWhole(Payee[] calldata table) internal pure {
        require(table.length <= PAYEES_MAX, IAssets.TooManyPayees(table.length, PAYEES_MAX));
        uint256 totalBps;
        bytes32 previous;
        for (uint256 i = 0; i < table.length; i++) {
            bytes32 current = ParticipantId.unwrap(table[i].participantId);
            require(current > previous && table[i].shareBps != 0, IAssets.PayeesOutOfOrder(table[i].participantId));
            previous = current;
            totalBps += table[i].shareBps;
        }
        require(totalBps == Shares.WHOLE_BPS, IAssets.SharesNotWhole(totalBps));
    }

    /// @notice Adds what a parent's payees are owed: the floor of each one's share of the consented share.
    /// @param owedBps What each payee of `table` is owed so far, in the same order; added to.
    /// @param table The child's table, already whole.
    /// @param upstream The parent's table, in ascending order like the child's.
    /// @param shareBps The consent's share.
    function addOwed(uint256[] memory owedBps, Payee[] calldata table, Payee[] calldata upstream, uint256 shareBps)
        internal
        pure
    {
        uint256 position;
        for (uint256 i = 0; i < upstream.length; i++) {
            (uint256 dueBps,) = Shares.shareFloor(upstream[i].shareBps, shareBps);
            if (dueBps == 0) continue;
            bytes32 payee = ParticipantId.unwrap(upstream[i].participantId);
            while (position < table.length && ParticipantId.unwrap(table[position].participantId) < payee) position++;
            require(
                position < table.length && table[position].participantId == upstream[i].participantId,
                IAssets.UpstreamShareMissing(upstream[i].participantId, dueBps, 0)
            );
            owedBps[position] += dueBps;
        }
    }

    /// @notice Reverts unless every payee of a table is given what it is owed.
    function requireOwed(uint256[] memory owedBps, Payee[] calldata table) internal pure {
        for (uint256 i = 0; i < table.length; i++) {
            require(
                table[i].shareBps >= owedBps[i],
                IAssets.UpstreamShareMissing(table[i].participantId, owedBps[i], table[i].shareBps)
            );
        }
    }

    /// @notice Reverts unless every payee is a participant, or its share would be lost. Upstream payees and the registrant
    /// are known already.
    function requireKnown(
        uint256[] memory owedBps,
        Payee[] calldata table,
        ParticipantId registrant,
        IParticipants participants
    ) internal view {
        for (uint256 i = 0; i < table.length; i++) {
            if (owedBps[i] == 0 && table[i].participantId != registrant) {
                participants.sequenceOf(table[i].participantId);
            }
        }
    }
}
