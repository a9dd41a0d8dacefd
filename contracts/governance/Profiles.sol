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
/// @dev All rules of a profile share one word, so that a step of a registration reads one slot: seven durations of
/// {DURATION_BITS}, each the unit above the amount, then three flags.
contract Profiles is IProfiles, Acting {
    // ---------------------------------------------------------------- types

    struct StoredProfile {
        // slot 0
        uint256 rules;
        // slot 1
        bytes32 name;
        // slot 2
        ProfileId profileId;
    }

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

    uint256 private constant AMOUNT_BITS = 32;
    uint256 private constant DURATION_BITS = 34;
    /// @dev Places of the two durations that are no {Step}, and of the flags.
    uint256 private constant VALIDITY = 5;
    uint256 private constant RENEWAL_OPENS = 6;
    uint256 private constant COUNTS_FIRST_DAY_BIT = 238;
    uint256 private constant WAIVABLE_BIT = 239;
    uint256 private constant VENUE_FORMAT_BIT = 240;

    IParticipants private immutable _participants;

    // ---------------------------------------------------------------- storage

    uint16 private _count;
    mapping(ProfileId profileId => uint16 number) private _numbers;
    mapping(uint16 number => StoredProfile stored) private _profiles;
    /// @dev Bit n is day n of the year. The low word is never zero once loaded.
    mapping(uint16 year => uint256[2] workingDays) private _calendar;

    // ---------------------------------------------------------------- constructor

    constructor(IParticipants participants) {
        _participants = participants;
    }

    // ---------------------------------------------------------------- views

    /// @inheritdoc IProfiles
    function profileOf(ProfileId profileId) external view returns (Profile memory profile) {
        StoredProfile storage stored = _profiles[_numberOf(profileId)];
        uint256 rules = stored.rules;
        profile.name = stored.name;
        profile.acceptance = _durationAt(rules, uint256(Step.ACCEPTANCE));
        profile.supplement = _durationAt(rules, uint256(Step.SUPPLEMENT));
        profile.decision = _durationAt(rules, uint256(Step.DECISION));
        profile.notice = _durationAt(rules, uint256(Step.NOTICE));
        profile.objection = _durationAt(rules, uint256(Step.OBJECTION));
        profile.validity = _durationAt(rules, VALIDITY);
        profile.renewalOpens = _durationAt(rules, RENEWAL_OPENS);
        profile.noticeCountsFirstDay = _isBitSet(rules, COUNTS_FIRST_DAY_BIT);
        profile.noticeWaivable = _isBitSet(rules, WAIVABLE_BIT);
        profile.codeFormat = _formatOf(rules);
    }

    /// @inheritdoc IProfiles
    function profileIdOf(uint16 number) external view returns (ProfileId profileId) {
        _rulesOf(number);
        return _profiles[number].profileId;
    }

    /// @inheritdoc IProfiles
    function openingOf(ProfileId profileId, uint64 start) external view returns (uint16 number, uint64 acceptUntil) {
        number = _numberOf(profileId);
        acceptUntil = _deadline(start, _durationAt(_rulesOf(number), uint256(Step.ACCEPTANCE)), false);
    }

    /// @inheritdoc IProfiles
    function deadlineOf(uint16 number, Step step, uint64 start) external view returns (uint64 deadline) {
        uint256 rules = _rulesOf(number);
        bool countsFirstDay = step == Step.NOTICE && _isBitSet(rules, COUNTS_FIRST_DAY_BIT);
        return _deadline(start, _durationAt(rules, uint256(step)), countsFirstDay);
    }

    /// @inheritdoc IProfiles
    function validityOf(uint16 number, uint64 start) external view returns (uint64 validUntil, CodeFormat codeFormat) {
        uint256 rules = _rulesOf(number);
        return (_deadline(start, _durationAt(rules, VALIDITY), false), _formatOf(rules));
    }

    /// @inheritdoc IProfiles
    function isNoticeWaivable(uint16 number) external view returns (bool) {
        return _isBitSet(_rulesOf(number), WAIVABLE_BIT);
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
        (uint16 year, uint256 newYear,) = Days.yearAround(day);
        return _isBitSet(_wordOf(year, day - newYear), (day - newYear) & 0xff);
    }

    /// @inheritdoc IProfiles
    function deadlineAfter(uint64 start, Duration calldata duration, bool countsFirstDay)
        external
        view
        returns (uint64 deadline)
    {
        _requireBounded(duration);
        return _deadline(start, duration, countsFirstDay);
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
        require(_numbers[profileId] == 0, ProfileAlreadyExists(profileId));
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
        _count += 1;
        _numbers[profileId] = _count;
        _profiles[_count] = StoredProfile({rules: _pack(profile), name: profile.name, profileId: profileId});
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

    // ---------------------------------------------------------------- internal: rules

    function _pack(Profile calldata profile) private pure returns (uint256 rules) {
        rules = _packed(profile.acceptance, uint256(Step.ACCEPTANCE));
        rules |= _packed(profile.supplement, uint256(Step.SUPPLEMENT));
        rules |= _packed(profile.decision, uint256(Step.DECISION));
        rules |= _packed(profile.notice, uint256(Step.NOTICE));
        rules |= _packed(profile.objection, uint256(Step.OBJECTION));
        rules |= _packed(profile.validity, VALIDITY) | _packed(profile.renewalOpens, RENEWAL_OPENS);
        if (profile.noticeCountsFirstDay) rules |= 1 << COUNTS_FIRST_DAY_BIT;
        if (profile.noticeWaivable) rules |= 1 << WAIVABLE_BIT;
        if (profile.codeFormat == CodeFormat.VENUE) rules |= 1 << VENUE_FORMAT_BIT;
    }

    function _packed(Duration calldata duration, uint256 place) private pure returns (uint256) {
        return (uint256(duration.unit) << AMOUNT_BITS | duration.amount) << (place * DURATION_BITS);
    }

    function _durationAt(uint256 rules, uint256 place) private pure returns (Duration memory) {
        uint256 packed = rules >> (place * DURATION_BITS);
        return Duration({amount: uint32(packed), unit: DurationUnit(packed >> AMOUNT_BITS & 3)});
    }

    function _formatOf(uint256 rules) private pure returns (CodeFormat) {
        return _isBitSet(rules, VENUE_FORMAT_BIT) ? CodeFormat.VENUE : CodeFormat.NATIONAL;
    }

    function _isBitSet(uint256 word, uint256 bit) private pure returns (bool) {
        return word >> bit & 1 != 0;
    }

    function _numberOf(ProfileId profileId) private view returns (uint16 number) {
        number = _numbers[profileId];
        require(number != 0, ProfileNotFound(profileId));
    }

    /// @dev Never zero: every profile has a validity.
    function _rulesOf(uint16 number) private view returns (uint256 rules) {
        rules = _profiles[number].rules;
        require(rules != 0, ProfileNotFound(ProfileId.wrap(0)));
    }

    // ---------------------------------------------------------------- internal: working days

    function _deadline(uint64 start, Duration memory duration, bool countsFirstDay) private view returns (uint64) {
        _requireSeconds(start);
        if (duration.unit == DurationUnit.SECONDS || duration.amount == 0) return start + duration.amount;
        uint256 first = Days.dayOf(start) + (countsFirstDay ? 0 : 1);
        if (duration.unit == DurationUnit.DAYS) return Days.endOf(first + duration.amount - 1);
        return Days.endOf(_workingDayFrom(first, duration.amount));
    }

    /// @dev Returns the `amount`-th working day, the day `first` being the earliest one.
    function _workingDayFrom(uint256 first, uint32 amount) private view returns (uint256) {
        (uint16 year, uint256 newYear, uint256 nextNewYear) = Days.yearAround(first);
        uint256 workingDays = _wordOf(year, first - newYear);
        uint256 counted = 0;
        for (uint256 day = first; day < first + MAX_SCANNED_DAYS; ++day) {
            if (day == nextNewYear) {
                (newYear, nextNewYear) = (nextNewYear, Days.firstDayOf(++year + 1));
                workingDays = _wordOf(year, 0);
            } else if (day == newYear + 256) {
                workingDays = _wordOf(year, 256);
            }
            if (_isBitSet(workingDays, (day - newYear) & 0xff) && ++counted == amount) return day;
        }
        revert DurationTooLong(amount, MAX_WORKING_DAYS);
    }

    /// @dev Returns the word of the calendar that holds a day of the year.
    function _wordOf(uint16 year, uint256 dayOfYear) private view returns (uint256 word) {
        word = _calendar[year][dayOfYear >> 8];
        require(word != 0 || _calendar[year][0] != 0, CalendarYearMissing(year));
    }

    /// @dev Refuses bits after 31 December, and bitmaps that mark the holidays instead.
    function _isYearPlausible(uint16 year, uint256[2] memory workingDays) private pure returns (bool) {
        uint256 length = Days.firstDayOf(year + 1) - Days.firstDayOf(year);
        if (workingDays[1] >> (length - 256) != 0) return false;
        uint256 count = 0;
        for (uint256 day = 0; day < length; ++day) {
            if (_isBitSet(workingDays[day >> 8], day & 0xff)) ++count;
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
