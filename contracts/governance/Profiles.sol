// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IParticipants} from "../interfaces/IParticipants.sol";
import {IProfiles} from "../interfaces/IProfiles.sol";
import {Acting} from "../libraries/Acting.sol";
import {Clock} from "../libraries/Clock.sol";
import {Days} from "../libraries/Days.sol";
import {Authorization} from "../types/Acting.sol";
import {ProfileId} from "../types/Ids.sol";

/// @title Profiles
contract Profiles is IProfiles, Acting {
    // ---------------------------------------------------------------- constants and immutables

    uint32 private constant MAX_SECONDS = 3_153_600_000; // a hundred years
    uint32 private constant MAX_DAYS = 36_500;
    uint32 private constant MAX_WORKING_DAYS = 250;
    /// @dev 250 working days lie within two years, since every loaded year has 200.
    uint256 private constant MAX_SCANNED_DAYS = 732;
    uint256 private constant MIN_WORKING_DAYS_PER_YEAR = 200;
    uint256 private constant MAX_WORKING_DAYS_PER_YEAR = 300;
    uint16 private constant MIN_YEAR = 2000;
    uint16 private constant MAX_YEAR = 2999;

    IParticipants private immutable _participants;

    // ---------------------------------------------------------------- storage

    mapping(ProfileId profileId => Profile) private _profiles;
    /// @dev Bit n is day n of the year. The low word is never zero once loaded.
    mapping(uint16 year => uint256[2] workingDays) private _calendar;

    // ---------------------------------------------------------------- constructor

    constructor(IParticipants participants) {
        _participants = participants;
    }

    // ---------------------------------------------------------------- views

    /// @inheritdoc IProfiles
    function profileOf(ProfileId profileId) external view returns (Profile memory profile) {
        profile = _profiles[profileId];
        require(profile.name != 0, ProfileNotFound(profileId));
    }

    /// @inheritdoc IProfiles
    function calendarYearOf(uint16 year) external view returns (bool loaded, uint256[2] memory workingDays) {
        workingDays = _calendar[year];
        loaded = workingDays[0] != 0;
    }

    /// @inheritdoc IProfiles
    function isWorkingDay(uint64 time) external view returns (bool) {
        _requireSeconds(time);
        uint256 day = Days.dayOf(time);
        uint16 year = Days.yearOf(day);
        return _isSet(_requireYear(year), day - Days.firstDayOf(year));
    }

    /// @inheritdoc IProfiles
    function deadlineAfter(uint64 start, Duration calldata duration, bool countsFirstDay)
        external
        view
        returns (uint64 deadline)
    {
        _requireSeconds(start);
        uint32 maximum = _maximumOf(duration.unit);
        require(duration.amount <= maximum, DurationTooLong(duration.amount, maximum));
        if (duration.unit == DurationUnit.SECONDS || duration.amount == 0) return start + duration.amount;
        uint256 first = Days.dayOf(start) + (countsFirstDay ? 0 : 1);
        if (duration.unit == DurationUnit.DAYS) return Days.endOf(first + duration.amount - 1);
        return Days.endOf(_workingDayFrom(first, duration.amount));
    }

    // ---------------------------------------------------------------- writes

    /// @inheritdoc IProfiles
    function publish(Profile calldata profile, Authorization calldata authorization)
        external
        returns (ProfileId profileId)
    {
        bytes32 contentHash = keccak256(abi.encode(profile));
        address account = _authorize(contentHash, authorization);
        profileId = ProfileId.wrap(contentHash);
        require(_profiles[profileId].name == 0, ProfileAlreadyExists(profileId));
        _requireGovernor(account);
        require(profile.name != 0, FieldInvalid("name"));
        _requireBounded(profile.acceptance);
        _requireBounded(profile.supplement);
        _requireBounded(profile.decision);
        _requireBounded(profile.notice);
        _requireBounded(profile.objection);
        _requireBounded(profile.validity);
        _requireBounded(profile.renewalOpens);
        require(_secondsOf(profile.validity) != 0, FieldInvalid("validity"));
        require(_isRenewalValid(profile), FieldInvalid("renewalOpens"));
        _profiles[profileId] = profile;
        emit ProfilePublished(profileId, profile, account);
    }

    /// @inheritdoc IProfiles
    function loadCalendarYear(uint16 year, uint256[2] calldata workingDays, Authorization calldata authorization)
        external
    {
        address account = _authorize(keccak256(abi.encode(year, workingDays)), authorization);
        require(_calendar[year][0] == 0, CalendarYearAlreadyExists(year));
        _requireGovernor(account);
        require(year >= MIN_YEAR && year <= MAX_YEAR, FieldInvalid("year"));
        require(_isYearPlausible(year, workingDays), FieldInvalid("workingDays"));
        _calendar[year] = workingDays;
        emit CalendarYearLoaded(year, workingDays, account);
    }

    // ---------------------------------------------------------------- internal: working days

    /// @dev Returns the `amount`-th working day, the day `first` being the earliest one.
    function _workingDayFrom(uint256 first, uint32 amount) private view returns (uint256) {
        uint16 year = Days.yearOf(first);
        uint256 newYear = Days.firstDayOf(year);
        uint256 nextNewYear = Days.firstDayOf(year + 1);
        uint256[2] memory workingDays = _requireYear(year);
        uint256 counted = 0;
        for (uint256 day = first; day < first + MAX_SCANNED_DAYS; ++day) {
            if (day == nextNewYear) {
                workingDays = _requireYear(++year);
                (newYear, nextNewYear) = (nextNewYear, Days.firstDayOf(year + 1));
            }
            if (_isSet(workingDays, day - newYear) && ++counted == amount) return day;
        }
        revert DurationTooLong(amount, MAX_WORKING_DAYS);
    }

    function _requireYear(uint16 year) private view returns (uint256[2] memory workingDays) {
        workingDays = _calendar[year];
        require(workingDays[0] != 0, CalendarYearMissing(year));
    }

    function _isSet(uint256[2] memory workingDays, uint256 dayOfYear) private pure returns (bool) {
        return workingDays[dayOfYear >> 8] >> (dayOfYear & 0xff) & 1 != 0;
    }

    /// @dev Refuses bits after 31 December, and bitmaps that mark the holidays instead.
    function _isYearPlausible(uint16 year, uint256[2] memory workingDays) private pure returns (bool) {
        uint256 length = Days.firstDayOf(year + 1) - Days.firstDayOf(year);
        if (workingDays[1] >> (length - 256) != 0) return false;
        uint256 count = 0;
        for (uint256 day = 0; day < length; ++day) {
            if (_isSet(workingDays, day)) ++count;
        }
        return count >= MIN_WORKING_DAYS_PER_YEAR && count <= MAX_WORKING_DAYS_PER_YEAR;
    }

    // ---------------------------------------------------------------- internal: guards

    function _requireGovernor(address account) private view {
        require(account == _participants.governor(), IParticipants.CallerNotGovernor(account));
    }

    /// @dev A start in milliseconds would give a deadline that never comes.
    function _requireSeconds(uint64 time) private pure {
        require(time <= Clock.MILLISECONDS_FROM, FieldInvalid("time"));
    }

    function _requireBounded(Duration calldata duration) private pure {
        uint32 maximum = _maximumOf(duration.unit);
        require(duration.amount <= maximum, DurationTooLong(duration.amount, maximum));
    }

    function _maximumOf(DurationUnit unit) private pure returns (uint32) {
        if (unit == DurationUnit.SECONDS) return MAX_SECONDS;
        return unit == DurationUnit.DAYS ? MAX_DAYS : MAX_WORKING_DAYS;
    }

    /// @dev The window is counted back from the expiry, and neither can be counted in working days of years not yet
    /// published.
    function _isRenewalValid(Profile calldata profile) private pure returns (bool) {
        return profile.renewalOpens.unit != DurationUnit.WORKING_DAYS
            && _secondsOf(profile.renewalOpens) < _secondsOf(profile.validity);
    }

    /// @dev Returns 0 for working days, whose length is not known.
    function _secondsOf(Duration calldata duration) private pure returns (uint256) {
        if (duration.unit == DurationUnit.SECONDS) return duration.amount;
        return duration.unit == DurationUnit.DAYS ? uint256(duration.amount) * 1 days : 0;
    }
}
