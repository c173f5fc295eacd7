"""Periods as options say them."""

from datetime import UTC, datetime

from fiksmelding.clock import NORWAY
from fiksmelding.errors import SettingsError
from fiksmelding.operations import Period

DEFAULT_DAYS = 2


def chosen_period(first: datetime | None, until: datetime | None, days: int | None) -> Period:
    """The period that is asked for, in days of Norwegian time; yesterday and today if nothing is said.

    Args:
        first: The first day.
        until: The first day not in it; tomorrow when None.
        days: How many days, today included, instead of the two.

    Raises:
        SettingsError: It has no day, or is said in two ways.
    """
    recent = Period.last_days(DEFAULT_DAYS if days is None else days, datetime.now(UTC))
    if first is None and until is None:
        return recent
    if days is not None or first is None:
        raise SettingsError("A period is said by --from and --to, by --from alone, or by --days alone.")
    return Period.of_days(first.date(), recent.end.astimezone(NORWAY).date() if until is None else until.date())
