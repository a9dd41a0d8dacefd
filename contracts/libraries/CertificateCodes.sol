// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Shares} from "./Shares.sol";

/// @title CertificateCodes
/// @notice The 15-character certificate code: prefix, region, digit, year and month, serial (domain 7).
/// @dev The code is for people. It has no check digit and room for 9 999 serials a month, so it is never a key.
library CertificateCodes {
    uint256 internal constant SERIAL_MAX = 9999;

    uint256 private constant DAY_SECONDS = 86_400;
    uint256 private constant UTC8_SECONDS = 28_800;
    uint256 private constant DIGITS = 13;
    uint256 private constant LENGTH = 15;

    /// @notice Returns the year and month in UTC+8 as a number such as 202608.
    /// @dev Days to a civil date as in Howard Hinnant's `civil_from_days`; years begin in March, so leap days fall at the end.
    /// @param time Seconds since 1970 UTC.
    function yearMonthOf(uint64 time) internal pure returns (uint32 yearMonth) {
        uint256 dayNumber = _quotient(uint256(time) + UTC8_SECONDS, DAY_SECONDS) + 719_468;
        uint256 era = _quotient(dayNumber, 146_097);
        uint256 dayOfEra = dayNumber - era * 146_097;
        uint256 yearOfEra = _quotient(
            dayOfEra - _quotient(dayOfEra, 1460) + _quotient(dayOfEra, 36_524) - _quotient(dayOfEra, 146_096), 365
        );
        uint256 dayOfYear = dayOfEra - (365 * yearOfEra + _quotient(yearOfEra, 4) - _quotient(yearOfEra, 100));
        uint256 marchMonth = _quotient(5 * dayOfYear + 2, 153);
        uint256 month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9;
        uint256 year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0);
        return uint32(year * 100 + month);
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

    function _quotient(uint256 dividend, uint256 divisor) private pure returns (uint256 quotient) {
        (quotient,) = Shares.divideFloor(dividend, divisor);
    }
}
