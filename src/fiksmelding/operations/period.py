"""A period of whole days in Norway, which are 23 or 25 hours long when the clocks change."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Self

from fiksmelding.clock import NORWAY
from fiksmelding.errors import SettingsError


@dataclass(frozen=True, slots=True)
class Period:
    """From a moment until before another.

    Attributes:
        start: When it begins, aware UTC.
        end: When it is over, aware UTC; that moment is not in it.
    """

    start: datetime
    end: datetime

    @classmethod
    def of_days(cls, first: date, until: date) -> Self:
        """Whole days in Norway.

        Args:
            first: The first day.
            until: The first day that is not in it any more.

        Raises:
            SettingsError: It has no day.
        """
        if until <= first:
            raise SettingsError(
                f"There is no day from {first} until {until}.", advice="The second is the first day not in the period."
            )
        return cls(_midnight(first), _midnight(until))

    @classmethod
    def last_days(cls, days: int, now: datetime) -> Self:
        """The last days in Norway, today included.

        Args:
            days: How many; at least 1.
            now: The present time, aware.

        Raises:
            SettingsError: There is none.
        """
        tomorrow = now.astimezone(NORWAY).date() + timedelta(days=1)
        return cls.of_days(tomorrow - timedelta(days=days), tomorrow)

    def __contains__(self, moment: datetime) -> bool:
        """Whether a moment is in it."""
        return self.start <= moment < self.end

    def __str__(self) -> str:
        """As a person writes it: in Norwegian time."""
        start, end = (
            moment.astimezone(NORWAY).isoformat(sep=" ", timespec="minutes") for moment in (self.start, self.end)
        )
        return f"{start} to {end}"


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), NORWAY).astimezone(UTC)
