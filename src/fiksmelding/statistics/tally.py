"""Raw counts: small whatever is counted, and tallies of several journals add up."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from fiksmelding.errors import SettingsError

__all__ = ["DIMENSIONS", "OTHERS", "UNKNOWN", "Cell", "Source", "Tally", "Times", "class_of", "merged", "months_of"]

Source = Literal["received", "sent"]
DIMENSIONS: Final = ("kommune", "bydel", "slag", "maned", "kanal")
"""What is counted by. A `bydel` is named with its municipality: `4601-02`."""
UNKNOWN: Final = "ukjent"
OTHERS: Final = "andre"
CHANNELS: Final = 500
"""How many channels are told apart: their names come from outside, and memory must not grow with them."""
GROWTH: Final = 1.05
"""Each class of times is so much longer than the one before: a median is right within three per cent."""
_LOG: Final = math.log(GROWTH)
FORMAT: Final = "fiksmelding-statistics-exchange-1"


@dataclass(slots=True)
class Times:
    """How long something took, in classes that grow: a few hundred numbers, however many reports.

    Attributes:
        classes: How many there were in each class.
    """

    classes: Counter[int] = field(default_factory=Counter)

    @property
    def known(self) -> int:
        """How many there are."""
        return self.classes.total()

    def quantile(self, share: float) -> float | None:
        """The time that so large a share did not exceed, in seconds; None when there is none."""
        wanted, seen = share * self.known, 0
        for number in sorted(self.classes):
            seen += self.classes[number]
            if seen >= wanted:
                return float(GROWTH**number) if number else 0.0
        return None


def class_of(seconds: float) -> int:
    """The class of a time; 0 for a second or less."""
    return round(math.log(seconds) / _LOG) if seconds > 1 else 0


def months_of(first: date, until: date) -> list[str]:
    """Every month that a period has a part of."""
    months, month = [], first.replace(day=1)
    while month < until:
        months.append(f"{month:%Y-%m}")
        month = month.replace(year=month.year + month.month // 12, month=month.month % 12 + 1)
    return months


@dataclass(slots=True)
class Cell:
    """What is counted in one row of a table.

    Attributes:
        count: Reports.
        letters: Those that went by letter.
        registered: From keeping to registration; for reports sent, from keeping to `LEVERT`.
        receipted: From keeping to the receipt that the platform took; nothing for reports sent.
    """

    count: int = 0
    letters: int = 0
    registered: Times = field(default_factory=Times)
    receipted: Times = field(default_factory=Times)

    def add(self, *, letter: bool, registered: int | None, receipted: int | None) -> None:
        """One more report; times as classes (`class_of`)."""
        self.count += 1
        self.letters += letter
        if registered is not None:
            self.registered.classes[registered] += 1
        if receipted is not None:
            self.receipted.classes[receipted] += 1

    def merge(self, other: Self) -> None:
        """Those of another cell too."""
        self.count += other.count
        self.letters += other.letters
        self.registered.classes.update(other.registered.classes)
        self.receipted.classes.update(other.receipted.classes)


Tables = dict[str, dict[str, Cell]]


@dataclass(slots=True)
class Tally:
    """All counts of a period.

    Attributes:
        first: The first day of the period, in Norway.
        until: The first day that is not in it any more.
        sources: For what was received and what was sent: tables by dimension, and `total` with one row.
        names: Names of municipalities and offices, for people.
    """

    first: date
    until: date
    sources: dict[Source, Tables] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)

    def add(
        self,
        source: Source,
        values: Sequence[str],
        *,
        letter: bool,
        registered: int | None,
        receipted: int | None,
    ) -> None:
        """One more report.

        Args:
            source: Whether it was received or sent.
            values: Its value in each of `DIMENSIONS`.
            letter: Whether it went by letter.
            registered: The class of the time to its registration, when known.
            receipted: The class of the time to its receipt, when known.
        """
        tables = self.sources.get(source) or self._begin(source)
        tables["total"][""].add(letter=letter, registered=registered, receipted=receipted)
        for dimension, value in zip(DIMENSIONS, values, strict=True):
            table = tables[dimension]
            cell = table.get(value)
            if cell is None:
                known = OTHERS if dimension == "kanal" and len(table) >= CHANNELS else value
                cell = table.setdefault(known, Cell())
            cell.add(letter=letter, registered=registered, receipted=receipted)

    def merge(self, other: Self) -> None:
        """The counts of another journal too."""
        self.first, self.until = min(self.first, other.first), max(self.until, other.until)
        self.names |= other.names
        for source, tables in other.sources.items():
            ours = self.sources.get(source) or self._begin(source)
            for dimension, table in tables.items():
                for value, cell in table.items():
                    ours[dimension].setdefault(value, Cell()).merge(cell)

    def _begin(self, source: Source) -> Tables:
        self.sources[source] = {"total": {"": Cell()}, **{dimension: {} for dimension in DIMENSIONS}}
        return self.sources[source]

    def to_json(self) -> str:
        """For `merged`: everything, small numbers too. Not for publication."""
        return _Exchange.of(self).model_dump_json(indent=1)

    @classmethod
    def of_json(cls, data: bytes) -> Self:
        """What `to_json` wrote.

        Raises:
            SettingsError: It is something else.
        """
        try:
            exchange = _Exchange.model_validate_json(data)
        except ValidationError as error:
            raise SettingsError(
                "This is no file of counts to merge.", advice="`fiksmelding statistics --exchange FILE` writes one."
            ) from error
        tally = cls(exchange.first, exchange.until, names=dict(exchange.names))
        for source, tables in exchange.sources.items():
            ours = tally._begin(source)
            for dimension, table in tables.items():
                ours[dimension] = {value: cell.cell() for value, cell in table.items()}
        return tally


def merged(tallies: Iterable[Tally]) -> Tally:
    """The counts of several journals together.

    Raises:
        SettingsError: There is none.
    """
    whole: Tally | None = None
    for tally in tallies:
        if whole is None:
            whole = Tally(tally.first, tally.until)
        whole.merge(tally)
    if whole is None:
        raise SettingsError("There is nothing to merge.")
    return whole


Number = Annotated[int, Field(ge=0)]


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class _CellJson(_Strict):
    count: Number
    letters: Number
    registered: dict[int, Number]
    receipted: dict[int, Number]

    def cell(self) -> Cell:
        return Cell(self.count, self.letters, Times(Counter(self.registered)), Times(Counter(self.receipted)))


class _Exchange(_Strict):
    format: Literal["fiksmelding-statistics-exchange-1"]
    first: date
    until: date
    names: dict[str, str]
    sources: dict[Source, dict[Literal["total", "kommune", "bydel", "slag", "maned", "kanal"], dict[str, _CellJson]]]

    @classmethod
    def of(cls, tally: Tally) -> Self:
        sources: Mapping[str, object] = {
            source: {
                dimension: {
                    value: {
                        "count": cell.count,
                        "letters": cell.letters,
                        "registered": dict(sorted(cell.registered.classes.items())),
                        "receipted": dict(sorted(cell.receipted.classes.items())),
                    }
                    for value, cell in sorted(table.items())
                }
                for dimension, table in tables.items()
            }
            for source, tables in tally.sources.items()
        }
        return cls.model_validate(
            {"format": FORMAT, "first": tally.first, "until": tally.until, "names": tally.names, "sources": sources}
        )
