// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Authorization} from "../types/Acting.sol";
import {ProfileId} from "../types/Ids.sol";
import {IActing} from "./IActing.sol";

/// @title IProfiles
/// @notice Rule profiles (durations, reviews, code format) and the working-day calendar they count in.
/// @dev A profile's id is the hash of its content, so a profile can never change under an application that froze it
/// (joints 7). Its numbers come from rules that domain.md marks as single-source or unverified: they are data, never
/// constants.
interface IProfiles is IActing {
    /// @dev Units of a duration. WORKING_DAYS and DAYS fall due at 24:00 UTC+8; SECONDS serve chains whose clock cannot
    /// be moved.
    enum DurationUnit {
        SECONDS,
        DAYS,
        WORKING_DAYS
    }

    /// @dev How certificate codes are written. NATIONAL is the 15-character `SJ…` code (domain 7), VENUE the same
    /// layout under prefix `VN`.
    enum CodeFormat {
        NATIONAL,
        VENUE
    }

    /// @dev The steps of a registration that a profile gives time for.
    enum Step {
        ACCEPTANCE,
        SUPPLEMENT,
        DECISION,
        NOTICE,
        OBJECTION
    }

    /// @param amount How many units; 0 means at once.
    /// @param unit What is counted.
    struct Duration {
        uint32 amount;
        DurationUnit unit;
    }

    /// @notice A rule profile.
    /// @param name ASCII name such as `CN_2026_35` or `VENUE`, left-aligned.
    /// @param acceptance Time for the registrar's answer to an application (D-06).
    /// @param supplement Time for the applicant to supplement.
    /// @param decision Time for the decision after acceptance (D-06).
    /// @param notice Length of the public notice (D-06).
    /// @param objection Time to investigate an objection (O-03).
    /// @param validity Longest validity of a certificate, from deposit (D-08).
    /// @param renewalOpens How long before expiry the renewal window opens (D-08).
    /// @param noticeCountsFirstDay Whether the day of publication counts (unclear in the source: domain 4.2).
    /// @param noticeWaivable Whether the notice may be waived for cause (D-04).
    /// @param codeFormat How certificate codes are written.
    struct Profile {
        bytes32 name;
        Duration acceptance;
        Duration supplement;
        Duration decision;
        Duration notice;
        Duration objection;
        Duration validity;
        Duration renewalOpens;
        bool noticeCountsFirstDay;
        bool noticeWaivable;
        CodeFormat codeFormat;
    }

    /// @notice A profile was published under its content hash.
    event ProfilePublished(ProfileId indexed profileId, Profile profile, address byAccount);
    /// @notice A year of the working-day calendar was loaded: bit n of `workingDays` (two words, low word first) is day
    /// n of the year, from 0.
    event CalendarYearLoaded(uint16 indexed year, uint256[2] workingDays, address byAccount);

    /// @notice The profile is not known.
    /// @custom:family NotFound
    error ProfileNotFound(ProfileId profileId);
    /// @notice The profile is already published.
    /// @custom:family Conflict
    error ProfileAlreadyExists(ProfileId profileId);
    /// @notice The calendar of this year is not loaded, so no working day in it can be counted.
    /// @custom:family Conflict
    error CalendarYearMissing(uint16 year);
    /// @notice The calendar of this year is loaded already; deadlines were computed from it.
    /// @custom:family Conflict
    error CalendarYearAlreadyExists(uint16 year);
    /// @notice A duration exceeds what can be counted in one call.
    /// @custom:family Invalid
    error DurationTooLong(uint32 amount, uint32 maximum);

    /// @notice Publishes a profile under its content hash, keccak256 of its ABI encoding.
    ///
    /// Requirements, in order:
    /// - it is not published;
    /// - the caller is the governor;
    /// - it has a name, and no duration exceeds 100 years, 36 500 days or 250 working days;
    /// - the validity is given in seconds or days, and renewal opens within it.
    ///
    /// Emits a {ProfilePublished} event.
    function publish(Profile calldata profile, Authorization calldata authorization)
        external
        returns (ProfileId profileId);
    /// @notice Loads a year's working days, statutory holidays and make-up weekends included; once, since deadlines are
    /// computed from it.
    /// @param year 2000 to 2999.
    /// @param workingDays Bit n is day n of the year from 0, low word first.
    ///
    /// Requirements, in order:
    /// - the year is not loaded;
    /// - the caller is the governor;
    /// - the year is within range;
    /// - no day lies after 31 December, and 200 to 300 days are worked.
    ///
    /// Emits a {CalendarYearLoaded} event.
    function loadCalendarYear(uint16 year, uint256[2] calldata workingDays, Authorization calldata authorization)
        external;

    /// @notice Returns a profile; reverts with {ProfileNotFound}.
    function profileOf(ProfileId profileId) external view returns (Profile memory);
    /// @notice Returns the profile with a number; reverts with {ProfileNotFound}, which then names zero.
    function profileIdOf(uint16 number) external view returns (ProfileId);
    /// @notice Returns a profile's number (1, 2, 3 …, for packing), and until when an application made under it at
    /// `start` is to be answered; reverts with {ProfileNotFound}.
    function openingOf(ProfileId profileId, uint64 start) external view returns (uint16 number, uint64 acceptUntil);
    /// @notice Returns when a step that begins at `start` ends under the profile with a number, as {deadlineAfter}
    /// counts.
    function deadlineOf(uint16 number, Step step, uint64 start) external view returns (uint64 deadline);
    /// @notice Returns until when a certificate issued at `start` may be valid, and how its code is written, under the
    /// profile with a number.
    function validityOf(uint16 number, uint64 start) external view returns (uint64 validUntil, CodeFormat codeFormat);
    /// @notice Says whether the profile with a number allows waiving the notice.
    function isNoticeWaivable(uint16 number) external view returns (bool);
    /// @notice Returns a year of the calendar, and whether it is loaded.
    function calendarYearOf(uint16 year) external view returns (bool loaded, uint256[2] memory workingDays);
    /// @notice Says whether a moment falls on a working day in UTC+8; reverts with {CalendarYearMissing}.
    /// @param time Seconds since 1970 UTC.
    function isWorkingDay(uint64 time) external view returns (bool);
    /// @notice Returns when a duration that begins at `start` ends: exclusive, at 24:00 UTC+8 for days and working
    /// days.
    /// @dev The day of `start` is not counted unless `countsFirstDay`; a DAYS deadline on a day that is no working day
    /// stays there (only WORKING_DAYS reads the calendar). An amount of 0 ends at `start`. A start in milliseconds
    /// reverts with {FieldInvalid}.
    /// @param start Seconds since 1970 UTC.
    /// @param duration At most 100 years, 36 500 days or 250 working days.
    /// @param countsFirstDay Whether the day of `start` counts, if it is one of those counted.
    /// @return deadline Seconds since 1970 UTC.
    function deadlineAfter(uint64 start, Duration calldata duration, bool countsFirstDay)
        external
        view
        returns (uint64 deadline);
}
