// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IActing} from "../interfaces/IActing.sol";

/// @title Clock
/// @notice The only reader of the block's time.
/// @dev FISCO-BCOS counts milliseconds unless `feature_evm_timestamp` is on (domain 8.1): anything above 10^11 is milliseconds.
library Clock {
    uint256 internal constant MILLISECONDS_FROM = 1e11;

    /// @notice Returns the block's time in seconds since 1970 UTC.
    function nowSeconds() internal view returns (uint64) {
        uint256 time = block.timestamp;
        return uint64(time > MILLISECONDS_FROM ? time / 1000 : time);
    }

    /// @notice Returns a time in seconds as it is stored; reverts with {IActing.FieldInvalid} beyond the year 36 000.
    function pack(uint64 time) internal pure returns (uint40) {
        require(time <= type(uint40).max, IActing.FieldInvalid("time"));
        return uint40(time);
    }
}
