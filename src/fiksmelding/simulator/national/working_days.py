"""Norwegian working days: a report without a receipt after two of them goes by letter (contract section 9)."""

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

__all__ = ["add_working_days", "holidays", "is_working_day"]

NORWAY = ZoneInfo("Europe/Oslo")
FIXED = ((1, 1), (5, 1), (5, 17), (12, 25), (12, 26))
FROM_EASTER_SUNDAY = (-3, -2, 0, 1, 39, 49, 50)


def add_working_days(moment: datetime, count: int) -> datetime:
    """The moment `count` working days later, at the same time of day in Norway.

    What falls on a Saturday, Sunday or holiday counts from the start of the next working day.

    Args:
        moment: Aware.
        count: Number of working days, not negative.

    Returns:
        Aware, in UTC.
    """
    local = moment.astimezone(NORWAY)
    day, time_of_day = local.date(), local.time()
    if not is_working_day(day):
        day, time_of_day = _next_working_day(day), time(0)
    for _ in range(count):
        day = _next_working_day(day)
    return datetime.combine(day, time_of_day, NORWAY).astimezone(UTC)


def is_working_day(day: date) -> bool:
    """Whether a day is from Monday to Friday and no public holiday."""
    return day.weekday() < 5 and day not in holidays(day.year)


@lru_cache(maxsize=64)
def holidays(year: int) -> frozenset[date]:
    """Norway's public holidays in a year, Sundays apart (lov om helligdager og helgedagsfred § 2, and 1 and 17 May)."""
    easter = _easter_sunday(year)
    moving = {easter + timedelta(days=days) for days in FROM_EASTER_SUNDAY}
    return frozenset(moving | {date(year, month, day) for month, day in FIXED})


def _next_working_day(day: date) -> date:
    day += timedelta(days=1)
    while not is_working_day(day):
        day += timedelta(days=1)
    return day


def _easter_sunday(year: int) -> date:
    """Easter Sunday in the Gregorian calendar (Meeus, Astronomical Algorithms, chapter 8)."""
    century, in_century = divmod(year, 100)
    in_cycle = year % 19
    leap_centuries, century_rest = divmod(century, 4)
    correction = (century - (century + 8) // 25 + 1) // 3
    epact = (19 * in_cycle + century - leap_centuries - correction + 15) % 30
    leap_years, year_rest = divmod(in_century, 4)
    weekday = (32 + 2 * century_rest + 2 * leap_years - epact - year_rest) % 7
    late = (in_cycle + 11 * epact + 22 * weekday) // 451
    month, day = divmod(epact + weekday - 7 * late + 114, 31)
    return date(year, month, day + 1)
