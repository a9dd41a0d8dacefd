// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title CertificateCodes
/// @notice The 15-character certificate code: prefix, region, digit, year and month, serial (domain 7).
/// @dev The code is for people. It has no check digit and room for 9 999 serials a month, so it is never a key.
/// These divisions count days and digits, not money.
library CertificateCodes {
    uint256 internal constant SERIAL_MAX = 9999;

    uint256 private constant UTC8 = 8 hours;
    /// @dev From 1 March of the year 0, on which the 400-year cycle begins, to 1970-01-01.
    uint256 private constant DAYS_BEFORE_1970 = 719_468;
    /// @dev Where the last and the first of the code's 13 digits stand in a word.
    uint256 private constant LAST_DIGIT = 8 * 17;
    uint256 private constant FIRST_DIGIT = 8 * 29;

    /// @notice Returns the year and month in UTC+8 as a number such as 202608.
    /// @dev As Howard Hinnant's `civil_from_days`: years begin in March here, so that leap days come last.
    /// @param time Seconds since 1970 UTC.
    // slither-disable-start divide-before-multiply
    // What each division of days floors is what the calendar counts.
    function yearMonthOf(uint64 time) internal pure returns (uint32 yearMonth) {
        uint256 day = (time + UTC8) / 1 days + DAYS_BEFORE_1970;
        uint256 cycle = day / 146_097;
        uint256 dayOfCycle = day % 146_097;
        uint256 year = (dayOfCycle - dayOfCycle / 1460 + dayOfCycle / 36_524 - dayOfCycle / 146_096) / 365;
        uint256 month = (5 * (dayOfCycle + year / 100 - 365 * year - year / 4) + 2) / 153; // 0 is March
        year += 400 * cycle;
        return uint32(month < 10 ? year * 100 + month + 3 : (year + 1) * 100 + month - 9);
    }

    // slither-disable-end divide-before-multiply

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
        for (uint256 shift = LAST_DIGIT; shift <= FIRST_DIGIT; shift += 8) {
            letters |= (number % 10 + 0x30) << shift;
            number /= 10;
        }
        return bytes32(prefix) | bytes32(letters);
    }
}
