// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Shares
/// @notice The only division in the ledger: it floors, and returns the remainder.
library Shares {
    /// @dev Ten thousand basis points are the whole.
    uint256 internal constant WHOLE_BPS = 10_000;

    /// @notice Returns the floor of a share of an amount, and what the floor left.
    /// @param amount Any amount below 2^240.
    /// @param shareBps Share in basis points, at most 10 000.
    /// @return part The floor of `amount` times `shareBps` over 10 000.
    /// @return remainder Left over, in ten-thousandths of a unit, 0 to 9 999.
    function shareFloor(uint256 amount, uint256 shareBps) internal pure returns (uint256 part, uint256 remainder) {
        return divideFloor(amount * shareBps, WHOLE_BPS);
    }

    /// @notice Returns the floor of a quotient and its remainder.
    function divideFloor(uint256 dividend, uint256 divisor)
        internal
        pure
        returns (uint256 quotient, uint256 remainder)
    {
        quotient = dividend / divisor;
        // What the floor left is exactly what is meant here.
        // slither-disable-next-line divide-before-multiply
        remainder = dividend - quotient * divisor;
    }
}
