"""
Working days of a year, as the calendar contract takes them.

It is not the State Council's notice: by itself this module knows weekends only. Holidays and
make-up working weekends are given by whoever loads the year (domain 4, Deadlines).
"""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta, timezone

# Deadlines fall at 24:00 in Shanghai, which keeps no summer time.
SHANGHAI = timezone(timedelta(hours=8))
WORD_BITS = 256


def weekday_bits(
    year: int, *, holidays: Iterable[date] = (), working_weekends: Iterable[date] = ()
) -> tuple[int, ...]:
    """
    Return the two words of a year: bit n (low word first) says whether day n, from 0, is worked.

    shape: Monday to Friday, less `holidays`, plus `working_weekends`; dates of other years are
           refused
    :raises ValueError: if a date lies in another year
    """
    off, on = frozenset(holidays), frozenset(working_weekends)
    if any(day.year != year for day in off | on):
        raise ValueError(f"a date is not in {year}")
    first = date(year, 1, 1)
    days = (date(year + 1, 1, 1) - first).days
    words = [0, 0]
    for index in range(days):
        day = first + timedelta(days=index)
        if day in on or (day.weekday() < 5 and day not in off):
            words[index // WORD_BITS] |= 1 << (index % WORD_BITS)
    return tuple(words)


def year_of(time: int) -> int:
    """Return the calendar year in Shanghai at a moment in seconds since 1970 UTC."""
    return datetime.fromtimestamp(time, UTC).astimezone(SHANGHAI).year
