from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fiksmelding.clock import NORWAY
from fiksmelding.errors import SettingsError
from fiksmelding.operations import Period

HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("day", "hours"), [(date(2026, 3, 28), 24), (date(2026, 3, 29), 23), (date(2026, 10, 25), 25)], ids=str
)
def test_a_day_is_as_long_as_it_is_in_norway(day: date, hours: int) -> None:
    period = Period.of_days(day, day + timedelta(days=1))
    assert period.end - period.start == hours * HOUR
    assert period.start.tzinfo is UTC
    assert (period.start in period, period.end in period) == (True, False)


@given(st.dates(date(1980, 1, 1), date(2100, 1, 1)), st.integers(1, 400))
def test_days_one_after_the_other_leave_no_gap_and_do_not_overlap(first: date, days: int) -> None:
    until = first + timedelta(days=days)
    assert Period.of_days(first, until).end == Period.of_days(until, until + timedelta(days=1)).start
    assert Period.of_days(first, until).start.astimezone(NORWAY).date() == first


def test_the_last_days_end_with_today_in_norway() -> None:
    late = datetime(2026, 3, 1, 23, 30, tzinfo=UTC)  # in Norway it is the second already
    assert Period.last_days(2, late) == Period.of_days(date(2026, 3, 1), date(2026, 3, 3))
    assert late in Period.last_days(1, late)


@pytest.mark.parametrize("until", [date(2026, 1, 1), date(2025, 12, 31)])
def test_a_period_without_a_day_is_refused(until: date) -> None:
    with pytest.raises(SettingsError, match="There is no day"):
        Period.of_days(date(2026, 1, 1), until)


def test_a_period_is_told_in_norwegian_time() -> None:
    told = str(Period.of_days(date(2026, 3, 28), date(2026, 3, 30)))
    assert told == "2026-03-28 00:00+01:00 to 2026-03-30 00:00+02:00"
