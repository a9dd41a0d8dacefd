// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Days
/// @notice Civil days in UTC+8: days are numbered from 1970-01-01, and end at 24:00 in Shanghai.
/// @dev China keeps UTC+8 all year, so a day is always 86 400 seconds. These divisions count days, not money.
library Days {
    uint256 private constant UTC8 = 8 hours;
    uint256 private constant FIRST_YEAR = 1970;
    /// @dev Leap years before 1970.
    uint256 private constant LEAP_YEARS_BEFORE = 477;
    uint256 private constant DAYS_IN_400_YEARS = 146_097;

    /// @notice Returns the day that a moment falls on.
    /// @param time Seconds since 1970 UTC, below 2^63.
    function dayOf(uint64 time) internal pure returns (uint256 day) {
        return (time + UTC8) / 1 days;
    }

    /// @notice Returns the moment at which a day ends: the first second that is no longer part of it.
    function endOf(uint256 day) internal pure returns (uint64 time) {
        return uint64((day + 1) * 1 days - UTC8);
    }

    /// @notice Returns the year that a day falls in.
    function yearOf(uint256 day) internal pure returns (uint16 year) {
        (year,,) = yearAround(day);
    }

    /// @notice Returns the year that a day falls in, its 1 January and that of the next year.
    function yearAround(uint256 day) internal pure returns (uint16 year, uint256 newYear, uint256 nextNewYear) {
        year = uint16(FIRST_YEAR + day * 400 / DAYS_IN_400_YEARS); // off by one at most
        newYear = firstDayOf(year);
        if (day < newYear) return (year - 1, firstDayOf(year - 1), newYear);
        nextNewYear = firstDayOf(year + 1);
        if (day >= nextNewYear) return (year + 1, nextNewYear, firstDayOf(year + 2));
    }

    /// @notice Returns 1 January of a year.
    /// @param year 1970 or later.
    function firstDayOf(uint16 year) internal pure returns (uint256 day) {
        uint256 before = uint256(year) - 1;
        return (year - FIRST_YEAR) * 365 + before / 4 - before / 100 + before / 400 - LEAP_YEARS_BEFORE;
    }
}
