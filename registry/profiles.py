"""
Rule profiles and the working-day calendar, as the chain recorded them, and the profiles we ship.

It is not the computing of deadlines: the contract computes them once, on entering a state.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import ClassVar

from chain import events as e
from chain.codes import CodeFormat, DurationUnit
from chain.records import INDEXED, Projected, Records, View
from chain.structs import Duration, Profile
from chain.values import Bytes32, ProfileId, word_of


@dataclass(frozen=True, slots=True)
class RuleProfile:
    """A published profile; its id is the hash of its content, so it never changes."""

    KEY: ClassVar = ("profile_id",)
    VIEW: ClassVar = View("Profiles", "profileOf", ("profile_id",))

    profile_id: ProfileId
    name: Bytes32 = field(metadata=INDEXED)
    acceptance: Duration
    supplement: Duration
    decision: Duration
    notice: Duration
    objection: Duration
    validity: Duration
    renewal_opens: Duration
    notice_counts_first_day: bool
    notice_waivable: bool
    code_format: CodeFormat


@dataclass(frozen=True, slots=True)
class CalendarYear:
    """
    A loaded year: bit n of the two words (low word first) says whether day n, from 0, is a
    working day.
    """

    KEY: ClassVar = ("year",)
    VIEW: ClassVar = View("Profiles", "calendarYearOf", ("year",))

    year: int
    loaded: bool
    working_days: tuple[int, ...]


def apply_profile_published(records: Records, event: e.ProfilePublished) -> Projected:
    """Record a profile."""
    profile = event.profile
    yield RuleProfile(
        profile_id=event.profile_id,
        name=profile.name,
        acceptance=profile.acceptance,
        supplement=profile.supplement,
        decision=profile.decision,
        notice=profile.notice,
        objection=profile.objection,
        validity=profile.validity,
        renewal_opens=profile.renewal_opens,
        notice_counts_first_day=profile.notice_counts_first_day,
        notice_waivable=profile.notice_waivable,
        code_format=profile.code_format,
    )


def apply_calendar_year_loaded(records: Records, event: e.CalendarYearLoaded) -> Projected:
    """Record a calendar year."""
    yield CalendarYear(year=event.year, loaded=True, working_days=tuple(event.working_days))


def _days(amount: int) -> Duration:
    return Duration(amount=amount, unit=DurationUnit.DAYS)


def _working_days(amount: int) -> Duration:
    return Duration(amount=amount, unit=DurationUnit.WORKING_DAYS)


def _seconds(amount: int) -> Duration:
    return Duration(amount=amount, unit=DurationUnit.SECONDS)


# P1 (国数综政策〔2026〕35号) arts 17, 24, 26, 28, 36, as domain 4.2 and 10 report them from one
# unofficial copy: compare with the official text before calling anything compliant. The time to
# supplement is not in the source (PROPOSED).
CN_2026_35 = Profile(
    name=word_of("CN_2026_35"),
    acceptance=_working_days(3),
    supplement=_working_days(10),
    decision=_working_days(10),
    notice=_working_days(5),
    objection=_working_days(10),
    validity=_days(5 * 365),
    renewal_opens=_days(183),
    notice_counts_first_day=False,
    notice_waivable=True,
    code_format=CodeFormat.NATIONAL,
)

# A venue's own short rules: a 3-day notice at one exchange (P12); the other numbers are PROPOSED.
VENUE = Profile(
    name=word_of("VENUE"),
    acceptance=_working_days(1),
    supplement=_working_days(3),
    decision=_working_days(5),
    notice=_days(3),
    objection=_working_days(3),
    validity=_days(3 * 365),
    renewal_opens=_days(90),
    notice_counts_first_day=False,
    notice_waivable=True,
    code_format=CodeFormat.VENUE,
)

# The same life in seconds, for a chain whose clock cannot be moved (PROPOSED, for trials only).
VENUE_SECONDS = Profile(
    name=word_of("VENUE_SECONDS"),
    acceptance=_seconds(60),
    supplement=_seconds(60),
    decision=_seconds(120),
    notice=_seconds(2),
    objection=_seconds(60),
    validity=_seconds(365 * 86_400),
    renewal_opens=_seconds(90 * 86_400),
    notice_counts_first_day=False,
    notice_waivable=True,
    code_format=CodeFormat.VENUE,
)

SHIPPED: Mapping[str, Profile] = MappingProxyType(
    {"CN_2026_35": CN_2026_35, "VENUE": VENUE, "VENUE_SECONDS": VENUE_SECONDS}
)
