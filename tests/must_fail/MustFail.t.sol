// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Test} from "../contracts/Test.sol";

/// @notice Fails on purpose: scripts/test runs it first and stops if forge calls it a success.
contract MustFailTest is Test {
    function test_fails_on_purpose() external pure {
        vm.assertEq(uint256(1), uint256(2));
    }
}
