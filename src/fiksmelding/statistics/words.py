"""The words and numbers of statistics for people, in Norwegian bokmål."""

from collections.abc import Mapping
from datetime import date, timedelta
from types import MappingProxyType
from typing import Final

from fiksmelding.statistics.published import Published, Row
from fiksmelding.statistics.tally import Source

__all__ = ["HIDDEN", "REGISTERED", "SOURCES", "TITLES", "cells", "duration", "label", "number", "percent", "period"]

HIDDEN: Final = ":"
"""Statistics Norway's sign for a number that may not be told."""
NOTHING: Final = ("–",) * 5
SOURCES: Mapping[Source, str] = MappingProxyType({"received": "Mottatte meldinger", "sent": "Sendte meldinger"})
REGISTERED: Mapping[Source, str] = MappingProxyType({"received": "registrert", "sent": "levert"})
TITLES: Mapping[str, str] = MappingProxyType(
    {"kommune": "Kommune", "bydel": "Bydel", "slag": "Type melding", "maned": "Måned", "kanal": "Leveringskanal"}
)
_KINDS: Final = {"privat": "Fra privatperson", "offentlig": "Fra offentlig ansatt"}
_MONTHS: Final = ("jan.", "feb.", "mars", "april", "mai", "juni", "juli", "aug.", "sep.", "okt.", "nov.", "des.")
_UNKNOWN: Final = {"ukjent": "Ukjent", "andre": "Andre"}


def label(dimension: str, row: Row) -> str:
    """What a row is called."""
    if dimension == "maned":
        year, month = row.value.split("-")
        return f"{_MONTHS[int(month) - 1]} {year}"
    if dimension == "slag":
        return _KINDS.get(row.value, row.value)
    if row.name:
        return f"{row.name} ({row.value})"
    kommune, _, bydel = row.value.partition("-")
    return f"{_UNKNOWN.get(kommune, kommune)}, bydel {_UNKNOWN.get(bydel, bydel).lower()}" if bydel else _plain(kommune)


def cells(row: Row) -> tuple[str, ...]:
    """Count, share by letter, both times to registration, both times to the receipt."""
    if row.count == 0:
        return ("0", *NOTHING)
    times = (row.registered_median, row.registered_p90, row.receipted_median, row.receipted_p90)
    return number(row.count), percent(row.letter_share), *map(duration, times)


def _plain(value: str) -> str:
    return _UNKNOWN.get(value, value)


def number(value: int | None) -> str:
    """A count; a sign when it is hidden."""
    return HIDDEN if value is None else f"{value:,}".replace(",", "\N{NO-BREAK SPACE}")


def percent(share: float | None) -> str:
    """A share; a sign when it is hidden."""
    return HIDDEN if share is None else f"{100 * share:.1f}\N{NO-BREAK SPACE}%".replace(".", ",")


def duration(seconds: float | None) -> str:
    """A time; a sign when it is hidden or not known."""
    if seconds is None:
        return HIDDEN
    for limit, size, unit in ((60, 1, "s"), (3600, 60, "min"), (172_800, 3600, "t")):
        if seconds < limit:
            return _short(seconds / size, unit)
    return _short(seconds / 86_400, "døgn")


def _short(value: float, unit: str) -> str:
    text = f"{value:.1f}".removesuffix(".0") if value < 10 and unit != "s" else f"{value:.0f}"
    return f"{text}\N{NO-BREAK SPACE}{unit}".replace(".", ",")


def period(shown: Published) -> str:
    """From when until when."""
    return f"{_day(shown.first)}–{_day(shown.until - timedelta(days=1))}"


def _day(day: date) -> str:
    return f"{day.day}.{day.month}.{day.year}"
