// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IActing} from "../../contracts/interfaces/IActing.sol";
import {IParticipants} from "../../contracts/interfaces/IParticipants.sol";
import {IProfiles} from "../../contracts/interfaces/IProfiles.sol";
import {Clock} from "../../contracts/libraries/Clock.sol";
import {Days} from "../../contracts/libraries/Days.sol";
import {ProfileId} from "../../contracts/types/Ids.sol";
import {Ledger} from "./Ledger.sol";

/// @notice Rule profiles, the calendar, and deadlines: D-06, joints 7, domain 4.
contract ProfilesTest is Ledger {
    IProfiles.DurationUnit private constant SECONDS = IProfiles.DurationUnit.SECONDS;
    IProfiles.DurationUnit private constant DAYS = IProfiles.DurationUnit.DAYS;
    IProfiles.DurationUnit private constant WORKING_DAYS = IProfiles.DurationUnit.WORKING_DAYS;

    /// @dev 2025-12-31, 24:00 in Shanghai.
    uint64 private constant NEW_YEAR = 1_767_196_800;

    /// @dev The ledger's own calendar is plain; here 2026 has its holidays and make-up weekends.
    function _publishRules() internal override {
        vm.startPrank(governor.account);
        profiles.loadCalendarYear(2026, _calendar2026(), _direct());
        profiles.loadCalendarYear(2027, _weekdays(2027), _direct());
        profiles.loadCalendarYear(2028, _weekdays(2028), _direct());
        vm.stopPrank();
    }

    // ---------------------------------------------------------------- publish

    function test_publish_reverts_with_ProfileAlreadyExists() external {
        ProfileId id = _publish(governor, _nationalProfile());
        vm.expectRevert(abi.encodeWithSelector(IProfiles.ProfileAlreadyExists.selector, id));
        _publish(governor, _nationalProfile());
    }

    function test_publish_reverts_with_CallerNotGovernor() external {
        vm.expectRevert(abi.encodeWithSelector(IParticipants.CallerNotGovernor.selector, exchange.account));
        _publish(exchange, _nationalProfile());
    }

    function test_publish_reverts_with_FieldInvalid_when_it_has_no_name() external {
        IProfiles.Profile memory profile = _nationalProfile();
        profile.name = 0;
        _expectInvalid("name");
        _publish(governor, profile);
    }

    function test_publish_reverts_with_DurationTooLong() external {
        for (uint256 field = 0; field < 7; ++field) {
            _refuse(field, 251, WORKING_DAYS, 250);
            _refuse(field, 36_501, DAYS, 36_500);
            _refuse(field, 3_153_600_001, SECONDS, 3_153_600_000);
        }
    }

    function test_publish_reverts_with_FieldInvalid_when_the_validity_is_no_length() external {
        IProfiles.Profile memory profile = _nationalProfile();
        profile.validity = _duration(0, DAYS);
        _expectInvalid("validity");
        _publish(governor, profile);
        profile.validity = _duration(250, WORKING_DAYS);
        _expectInvalid("validity");
        _publish(governor, profile);
    }

    function test_publish_reverts_with_FieldInvalid_when_renewal_opens_before_the_deposit() external {
        IProfiles.Profile memory profile = _nationalProfile();
        profile.renewalOpens = profile.validity;
        _expectInvalid("renewalOpens");
        _publish(governor, profile);
        profile.renewalOpens = _workingDays(10);
        _expectInvalid("renewalOpens");
        _publish(governor, profile);
    }

    function test_publish_stores_the_profile_under_its_hash() external {
        IProfiles.Profile memory profile = _nationalProfile();
        ProfileId expected = ProfileId.wrap(keccak256(abi.encode(profile)));
        vm.expectEmit(address(profiles));
        emit IProfiles.ProfilePublished(expected, profile, governor.account);
        ProfileId id = _publish(governor, profile);

        vm.assertEq(ProfileId.unwrap(id), ProfileId.unwrap(expected));
        vm.assertEq(keccak256(abi.encode(profiles.profileOf(id))), ProfileId.unwrap(id));
    }

    function test_publish_serves_chains_whose_clock_cannot_be_moved() external {
        IProfiles.Profile memory profile = _nationalProfile();
        profile.notice = _duration(0, SECONDS);
        profile.validity = _duration(120, SECONDS);
        profile.renewalOpens = _duration(60, SECONDS);
        ProfileId id = _publish(governor, profile);
        vm.assertEq(profiles.profileOf(id).validity.amount, 120);
    }

    function test_profileOf_reverts_with_ProfileNotFound() external {
        ProfileId unknown = ProfileId.wrap("unknown");
        vm.expectRevert(abi.encodeWithSelector(IProfiles.ProfileNotFound.selector, unknown));
        profiles.profileOf(unknown);
    }

    /// @dev Seven durations, two flags and a format share one word: none may touch another.
    function testFuzz_profileOf_returns_every_field_as_published(uint256 seed) external {
        IProfiles.Profile memory profile = _anyProfile(seed);
        ProfileId id = _publish(governor, profile);
        vm.assertEq(keccak256(abi.encode(profiles.profileOf(id))), keccak256(abi.encode(profile)));
        vm.assertEq(ProfileId.unwrap(id), keccak256(abi.encode(profile)));
    }

    // ---------------------------------------------------------------- steps

    function test_steps_reverts_with_ProfileNotFound() external {
        ProfileId unknown = ProfileId.wrap("unknown");
        vm.expectRevert(abi.encodeWithSelector(IProfiles.ProfileNotFound.selector, unknown));
        profiles.openingOf(unknown, START);
        _expectNoProfile();
        profiles.deadlineOf(1, IProfiles.Step.NOTICE, START);
        _expectNoProfile();
        profiles.validityOf(1, START);
        _expectNoProfile();
        profiles.isNoticeWaivable(1);
        _expectNoProfile();
        profiles.profileIdOf(1);
    }

    function testFuzz_steps_counts_each_step_as_deadlineAfter_does(uint256 seed) external {
        _publish(governor, _nationalProfile());
        IProfiles.Profile memory profile = _anyProfile(seed);
        ProfileId id = _publish(governor, profile);
        (uint16 number, uint64 acceptUntil) = profiles.openingOf(id, START);
        vm.assertEq(number, 2);
        vm.assertEq(ProfileId.unwrap(profiles.profileIdOf(number)), ProfileId.unwrap(id));
        vm.assertEq(acceptUntil, profiles.deadlineAfter(START, profile.acceptance, false));
        _assertStep(number, IProfiles.Step.ACCEPTANCE, profile.acceptance, false);
        _assertStep(number, IProfiles.Step.SUPPLEMENT, profile.supplement, false);
        _assertStep(number, IProfiles.Step.DECISION, profile.decision, false);
        _assertStep(number, IProfiles.Step.NOTICE, profile.notice, profile.noticeCountsFirstDay);
        _assertStep(number, IProfiles.Step.OBJECTION, profile.objection, false);
        (uint64 validUntil, IProfiles.CodeFormat codeFormat) = profiles.validityOf(number, START);
        vm.assertEq(validUntil, profiles.deadlineAfter(START, profile.validity, false));
        vm.assertTrue(codeFormat == profile.codeFormat);
        vm.assertEq(profiles.isNoticeWaivable(number), profile.noticeWaivable);
    }

    // ---------------------------------------------------------------- loadCalendarYear

    function test_loadCalendarYear_reverts_with_CalendarYearAlreadyExists() external {
        vm.expectRevert(abi.encodeWithSelector(IProfiles.CalendarYearAlreadyExists.selector, 2026));
        _load(governor, 2026, _weekdays(2026));
    }

    function test_loadCalendarYear_reverts_with_CallerNotGovernor() external {
        vm.expectRevert(abi.encodeWithSelector(IParticipants.CallerNotGovernor.selector, exchange.account));
        _load(exchange, 2029, _weekdays(2029));
    }

    function test_loadCalendarYear_reverts_with_FieldInvalid_when_the_year_is_none() external {
        _expectInvalid("year");
        _load(governor, 1999, _weekdays(2029));
        _expectInvalid("year");
        _load(governor, 3000, _weekdays(2029));
    }

    function test_loadCalendarYear_reverts_with_FieldInvalid_when_a_day_lies_after_december() external {
        uint256[2] memory year = _weekdays(2029);
        year[1] |= 1 << 109; // day 365 of a year of 365 days
        _expectInvalid("workingDays");
        _load(governor, 2029, year);
    }

    function test_loadCalendarYear_reverts_with_FieldInvalid_when_the_holidays_are_marked_instead() external {
        uint256[2] memory year = _weekdays(2029);
        year = [~year[0], ~year[1] & ((1 << 109) - 1)];
        _expectInvalid("workingDays");
        _load(governor, 2029, year);

        year = [type(uint256).max, uint256((1 << 109) - 1)];
        _expectInvalid("workingDays");
        _load(governor, 2029, year);
    }

    function test_loadCalendarYear_stores_the_year() external {
        uint256[2] memory year = _weekdays(2032);
        vm.expectEmit(address(profiles));
        emit IProfiles.CalendarYearLoaded(2032, year, governor.account);
        _load(governor, 2032, year);
        (bool loaded, uint256[2] memory stored) = profiles.calendarYearOf(2032);
        vm.assertTrue(loaded);
        vm.assertEq(keccak256(abi.encode(stored)), keccak256(abi.encode(year)));
        (loaded,) = profiles.calendarYearOf(2033);
        vm.assertFalse(loaded);
    }

    // ---------------------------------------------------------------- isWorkingDay

    function test_isWorkingDay_reverts_with_CalendarYearMissing() external {
        vm.expectRevert(abi.encodeWithSelector(IProfiles.CalendarYearMissing.selector, 2025));
        profiles.isWorkingDay(NEW_YEAR - 1);
    }

    function test_isWorkingDay_reverts_with_FieldInvalid_when_time_is_in_milliseconds() external {
        _expectInvalid("time");
        profiles.isWorkingDay(NEW_YEAR * 1000);
    }

    function test_isWorkingDay_follows_holidays_and_make_up_weekends_in_Shanghai() external view {
        vm.assertFalse(profiles.isWorkingDay(NEW_YEAR)); // Thursday 1 January
        vm.assertTrue(profiles.isWorkingDay(_noon(2026, 3))); // Sunday 4 January, made up for
        vm.assertTrue(profiles.isWorkingDay(_noon(2026, 4))); // Monday 5 January
        vm.assertFalse(profiles.isWorkingDay(_noon(2026, 9))); // Saturday 10 January
        uint64 monday = NEW_YEAR + 11 days;
        vm.assertFalse(profiles.isWorkingDay(monday - 1)); // Sunday 24:00, less a second
        vm.assertTrue(profiles.isWorkingDay(monday));
    }

    // ---------------------------------------------------------------- deadlineAfter

    function test_deadlineAfter_reverts_with_FieldInvalid_when_start_is_in_milliseconds() external {
        _expectInvalid("time");
        profiles.deadlineAfter(START * 1000, _workingDays(3), false);
    }

    function test_deadlineAfter_reverts_with_DurationTooLong() external {
        vm.expectRevert(abi.encodeWithSelector(IProfiles.DurationTooLong.selector, 251, 250));
        profiles.deadlineAfter(START, _workingDays(251), false);
    }

    function test_deadlineAfter_reverts_with_CalendarYearMissing_when_a_later_year_is_needed() external {
        uint64 start = _noon(2028, 360);
        vm.expectRevert(abi.encodeWithSelector(IProfiles.CalendarYearMissing.selector, 2029));
        profiles.deadlineAfter(start, _workingDays(10), false);
    }

    function test_deadlineAfter_reverts_with_CalendarYearMissing_when_the_first_year_is() external {
        vm.expectRevert(abi.encodeWithSelector(IProfiles.CalendarYearMissing.selector, 2025));
        profiles.deadlineAfter(NEW_YEAR - 2 days, _workingDays(1), false);
    }

    function test_deadlineAfter_adds_seconds() external view {
        vm.assertEq(profiles.deadlineAfter(START, _duration(77, SECONDS), false), START + 77);
        vm.assertEq(profiles.deadlineAfter(START, _duration(77, SECONDS), true), START + 77);
    }

    function test_deadlineAfter_is_at_once_for_nothing() external view {
        vm.assertEq(profiles.deadlineAfter(START, _duration(0, DAYS), false), START);
        vm.assertEq(profiles.deadlineAfter(START, _workingDays(0), true), START);
    }

    /// @dev Civil Code art. 201: the day of the start does not count. Monday 2 March and three days end with Thursday 5 March.
    function test_deadlineAfter_ends_days_at_midnight() external view {
        uint64 midnight = _noon(2026, 63) + 12 hours; // 5 March, 24:00
        vm.assertEq(profiles.deadlineAfter(START, _duration(3, DAYS), false), midnight);
        vm.assertEq(profiles.deadlineAfter(START, _duration(3, DAYS), true), midnight - 1 days);
    }

    /// @dev D-06: three working days from Friday 30 January 2026 are 2, 3 and 4 February.
    function test_deadlineAfter_skips_the_weekend() external view {
        uint64 friday = _noon(2026, 29);
        vm.assertEq(profiles.deadlineAfter(friday, _workingDays(3), false), _noon(2026, 34) + 12 hours);
        vm.assertEq(profiles.deadlineAfter(friday, _workingDays(3), true), _noon(2026, 33) + 12 hours);
    }

    /// @dev D-06 over the Spring Festival: 15 to 23 February are free, Saturdays 14 and 28 February are worked.
    function test_deadlineAfter_skips_holidays_and_counts_make_up_weekends() external view {
        uint64 friday = _noon(2026, 43); // 13 February
        vm.assertEq(profiles.deadlineAfter(friday, _workingDays(1), false), _noon(2026, 44) + 12 hours);
        vm.assertEq(profiles.deadlineAfter(friday, _workingDays(2), false), _noon(2026, 54) + 12 hours);
        vm.assertEq(profiles.deadlineAfter(friday, _workingDays(6), false), _noon(2026, 58) + 12 hours);
        vm.assertEq(profiles.deadlineAfter(friday, _workingDays(7), false), _noon(2026, 60) + 12 hours);
    }

    function test_deadlineAfter_begins_a_start_on_a_holiday_with_the_next_working_day() external view {
        uint64 holiday = _noon(2026, 48); // 18 February
        uint64 deadline = _noon(2026, 54) + 12 hours; // 24 February, 24:00
        vm.assertEq(profiles.deadlineAfter(holiday, _workingDays(1), false), deadline);
        vm.assertEq(profiles.deadlineAfter(holiday, _workingDays(1), true), deadline);
    }

    function test_deadlineAfter_crosses_the_year() external view {
        uint64 start = _noon(2026, 363); // Wednesday 30 December
        // Thursday 31 December, Friday 1 January (plain in 2027), Monday 4 January
        vm.assertEq(profiles.deadlineAfter(start, _workingDays(3), false), _noon(2027, 3) + 12 hours);
    }

    function test_deadlineAfter_counts_the_leap_day() external view {
        uint64 start = _noon(2028, 57); // Sunday 27 February
        vm.assertEq(profiles.deadlineAfter(start, _workingDays(2), false), _noon(2028, 59) + 12 hours); // 29 February
        uint64 thursday = _noon(2028, 362); // 28 December, and day 363 is the Friday
        vm.assertEq(profiles.deadlineAfter(thursday, _workingDays(1), false), _noon(2028, 363) + 12 hours);
    }

    function test_deadlineAfter_is_the_same_at_any_hour_of_the_day() external view {
        uint64 midnight = NEW_YEAR + 60 days; // Monday 2 March, 00:00
        uint64 deadline = profiles.deadlineAfter(START, _workingDays(5), false);
        vm.assertEq(profiles.deadlineAfter(midnight, _workingDays(5), false), deadline);
        vm.assertEq(profiles.deadlineAfter(midnight + 1 days - 1, _workingDays(5), false), deadline);
        vm.assertGt(profiles.deadlineAfter(midnight + 1 days, _workingDays(5), false), deadline);
    }

    function test_deadlineAfter_is_the_same_on_a_millisecond_chain() external {
        uint64 deadline = profiles.deadlineAfter(Clock.nowSeconds(), _workingDays(5), false);
        vm.warp(uint256(START) * 1000 + 999);
        vm.assertEq(profiles.deadlineAfter(Clock.nowSeconds(), _workingDays(5), false), deadline);
    }

    /// @dev Against counting day by day with the public view, over holidays, leap day and two new years.
    function testFuzz_deadlineAfter_agrees_with_counting_day_by_day(uint64 start, uint8 amount, bool first)
        external
        view
    {
        start = uint64(bound(start, NEW_YEAR, NEW_YEAR + 760 days));
        amount = uint8(bound(amount, 1, 60));
        uint64 deadline = profiles.deadlineAfter(start, _workingDays(amount), first);

        uint64 midnight = NEW_YEAR + (start - NEW_YEAR) / 1 days * 1 days + (first ? 0 : 1 days);
        for (uint256 counted = 0; counted < amount; midnight += 1 days) {
            if (profiles.isWorkingDay(midnight)) ++counted;
        }
        vm.assertEq(deadline, midnight);
        vm.assertTrue(profiles.isWorkingDay(deadline - 1));
    }

    // ---------------------------------------------------------------- days

    function testFuzz_day_numbers_the_years_without_gaps(uint256 day) external pure {
        day = bound(day, 0, 376_000); // to the year 2999
        uint16 year = Days.yearOf(day);
        uint256 length = Days.firstDayOf(year + 1) - Days.firstDayOf(year);
        bool isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        vm.assertEq(length, isLeap ? 366 : 365);
        vm.assertLe(Days.firstDayOf(year), day);
        vm.assertLt(day, Days.firstDayOf(year) + length);
    }

    // ---------------------------------------------------------------- helpers

    /// @dev The State Council's arrangement for 2026, as days of the year from 0.
    function _calendar2026() private pure returns (uint256[2] memory year) {
        year = _weekdays(2026);
        _set(year, 0, 2, false); // New Year, 1–3 January
        _set(year, 3, 3, true);
        _set(year, 44, 44, true);
        _set(year, 45, 53, false); // Spring Festival, 15–23 February
        _set(year, 58, 58, true);
        _set(year, 93, 95, false); // Qingming, 4–6 April
        _set(year, 120, 124, false); // Labour Day, 1–5 May
        _set(year, 128, 128, true);
        _set(year, 169, 171, false); // Dragon Boat, 19–21 June
        _set(year, 262, 262, true);
        _set(year, 267, 269, false); // Mid-Autumn, 25–27 September
        _set(year, 273, 279, false); // National Day, 1–7 October
        _set(year, 282, 282, true);
    }

    function _set(uint256[2] memory year, uint256 first, uint256 last, bool isWorked) private pure {
        for (uint256 i = first; i <= last; ++i) {
            uint256 bit = 1 << (i & 0xff);
            year[i >> 8] = isWorked ? year[i >> 8] | bit : year[i >> 8] & ~bit;
        }
    }

    /// @dev 12:00 in Shanghai on a day of the year, from 0.
    function _noon(uint16 year, uint256 dayOfYear) private pure returns (uint64) {
        return Days.endOf(Days.firstDayOf(year) + dayOfYear) - 12 hours;
    }

    function _duration(uint32 amount, IProfiles.DurationUnit unit) private pure returns (IProfiles.Duration memory) {
        return IProfiles.Duration({amount: amount, unit: unit});
    }

    function _publish(Member memory caller, IProfiles.Profile memory profile) private returns (ProfileId) {
        vm.prank(caller.account);
        return profiles.publish(profile, _direct());
    }

    function _refuse(uint256 field, uint32 amount, IProfiles.DurationUnit unit, uint32 maximum) private {
        IProfiles.Profile memory profile = _nationalProfile();
        IProfiles.Duration memory duration = _duration(amount, unit);
        if (field == 0) profile.acceptance = duration;
        if (field == 1) profile.supplement = duration;
        if (field == 2) profile.decision = duration;
        if (field == 3) profile.notice = duration;
        if (field == 4) profile.objection = duration;
        if (field == 5) profile.validity = duration;
        if (field == 6) profile.renewalOpens = duration;
        vm.expectRevert(abi.encodeWithSelector(IProfiles.DurationTooLong.selector, amount, maximum));
        _publish(governor, profile);
    }

    function _load(Member memory caller, uint16 year, uint256[2] memory workingDays) private {
        vm.prank(caller.account);
        profiles.loadCalendarYear(year, workingDays, _direct());
    }

    function _expectInvalid(bytes32 field) private {
        vm.expectRevert(abi.encodeWithSelector(IActing.FieldInvalid.selector, field));
    }

    /// @dev A sound profile with all its durations, units and flags taken from a seed.
    function _anyProfile(uint256 seed) private pure returns (IProfiles.Profile memory profile) {
        profile.name = "ANY";
        profile.acceptance = _anyDuration(seed, 0);
        profile.supplement = _anyDuration(seed, 1);
        profile.decision = _anyDuration(seed, 2);
        profile.notice = _anyDuration(seed, 3);
        profile.objection = _anyDuration(seed, 4);
        profile.validity = _duration(uint32(bound(seed >> 200, 2, 36_500)), DAYS);
        profile.renewalOpens = _duration(uint32(bound(seed >> 220, 0, profile.validity.amount - 1)), DAYS);
        profile.noticeCountsFirstDay = seed & 1 != 0;
        profile.noticeWaivable = seed & 2 != 0;
        profile.codeFormat = seed & 4 != 0 ? IProfiles.CodeFormat.VENUE : IProfiles.CodeFormat.NATIONAL;
    }

    function _anyDuration(uint256 seed, uint256 place) private pure returns (IProfiles.Duration memory) {
        uint256 part = uint256(keccak256(abi.encode(seed, place)));
        if (part % 3 == 0) return _duration(uint32(bound(part >> 8, 0, 3_153_600_000)), SECONDS);
        if (part % 3 == 1) return _duration(uint32(bound(part >> 8, 0, 36_500)), DAYS);
        return _duration(uint32(bound(part >> 8, 0, 250)), WORKING_DAYS);
    }

    function _assertStep(uint16 number, IProfiles.Step step, IProfiles.Duration memory duration, bool countsFirstDay)
        private
        view
    {
        vm.assertEq(profiles.deadlineOf(number, step, START), profiles.deadlineAfter(START, duration, countsFirstDay));
    }

    function _expectNoProfile() private {
        vm.expectRevert(abi.encodeWithSelector(IProfiles.ProfileNotFound.selector, ProfileId.wrap(0)));
    }
}
