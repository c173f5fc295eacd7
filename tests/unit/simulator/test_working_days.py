from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fiksmelding.simulator.national.working_days import add_working_days, holidays, is_working_day

NORWAY = ZoneInfo("Europe/Oslo")


def norwegian(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=NORWAY)


@pytest.mark.parametrize(
    ("submitted", "due", "why"),
    [
        ("2026-11-16T10:00", "2026-11-18T10:00", "Monday to Wednesday"),
        ("2026-11-19T10:00", "2026-11-23T10:00", "over a week-end"),
        ("2026-11-21T23:30", "2026-11-25T00:00", "Saturday counts from Monday"),
        ("2026-03-31T12:00", "2026-04-07T12:00", "Maundy Thursday to Easter Monday are off"),
        ("2026-05-13T09:00", "2026-05-18T09:00", "Ascension, the week-end, and 17 May on a Sunday"),
        ("2026-12-23T15:00", "2026-12-28T15:00", "Christmas Eve is a working day, the two after are not"),
        ("2026-12-30T15:00", "2027-01-04T15:00", "New Year"),
        ("2026-03-27T12:00", "2026-03-31T12:00", "summer time begins: the time of day stays"),
    ],
)
def test_two_working_days_later(submitted: str, due: str, why: str) -> None:
    assert add_working_days(norwegian(submitted), 2) == norwegian(due).astimezone(UTC), why


@pytest.mark.parametrize(
    ("year", "easter"), [(2000, "2000-04-23"), (2008, "2008-03-23"), (2026, "2026-04-05"), (2038, "2038-04-25")]
)
def test_easter_is_when_the_calendar_says(year: int, easter: str) -> None:
    day = date.fromisoformat(easter)

    assert {day, day - timedelta(days=2), day + timedelta(days=39), day + timedelta(days=50)} <= holidays(year)


def test_the_holidays_of_a_year_are_twelve() -> None:
    assert len(holidays(2026)) == 12
    assert not is_working_day(date(2026, 5, 1))
    assert is_working_day(date(2026, 5, 4))


@given(
    st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    st.integers(1, 5),
)
def test_the_day_is_a_working_day_and_not_too_near(moment: datetime, count: int) -> None:
    due = add_working_days(moment, count)

    assert is_working_day(due.astimezone(NORWAY).date())
    assert due - moment >= timedelta(days=count) - timedelta(hours=1)
    assert due - moment < timedelta(days=count + 13)
