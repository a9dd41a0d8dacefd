// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Days} from "./Days.sol";
import {Shares} from "./Shares.sol";

/// @title CertificateCodes
/// @notice The 15-character certificate code: prefix, region, digit, year and month, serial (domain 7).
/// @dev The code is for people. It has no check digit and room for 9 999 serials a month, so it is never a key.
library CertificateCodes {
    uint256 internal constant SERIAL_MAX = 9999;

    uint256 private constant DIGITS = 13;
    uint256 private constant LENGTH = 15;

    /// @notice Returns the year and month in UTC+8 as a number such as 202608.
    /// @dev February is taken as 30 days long, after which twelve months of 367/12 days fit every month's first day.
    /// @param time Seconds since 1970 UTC.
    function yearMonthOf(uint64 time) internal pure returns (uint32 yearMonth) {
        uint256 day = Days.dayOf(time);
        uint16 year = Days.yearOf(day);
        uint256 firstDay = Days.firstDayOf(year);
        uint256 february = Days.firstDayOf(year + 1) - firstDay - 337;
        uint256 dayOfYear = day - firstDay;
        if (dayOfYear >= 31 + february) dayOfYear += 30 - february;
        (uint256 month,) = Shares.divideFloor(dayOfYear * 12 + 373, 367);
        return uint32(uint256(year) * 100 + month);
    }

    /// @notice Returns the code in ASCII, left-aligned.
    /// @param prefix Two ASCII letters.
    /// @param region First two digits of the administrative division code, 10 to 99.
    /// @param digit The issuer's digit in its region, 0 to 9.
    /// @param yearMonth As {yearMonthOf} gives it.
    /// @param serial 1 to 9 999.
    function encode(bytes2 prefix, uint8 region, uint8 digit, uint32 yearMonth, uint16 serial)
        internal
        pure
        returns (bytes32 code)
    {
        uint256 number = ((uint256(region) * 10 + digit) * 1e6 + yearMonth) * 1e4 + serial;
        uint256 letters;
        for (uint256 i = 0; i < DIGITS; i++) {
            uint256 rest;
            (number, rest) = Shares.divideFloor(number, 10);
            letters |= (rest + 0x30) << (8 * (32 - LENGTH + i));
        }
        return bytes32(prefix) | bytes32(letters);
    }
}
