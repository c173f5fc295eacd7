"""What may be shown of a tally: tables in which small numbers are hidden."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Final

from fiksmelding.statistics.suppression import THRESHOLD, hidden_counts, hidden_parts
from fiksmelding.statistics.tally import DIMENSIONS, OTHERS, UNKNOWN, Cell, Source, Tables, Tally, Times, months_of

__all__ = ["LEAST_FOR_P90", "Published", "Row", "Table", "published"]

LEAST_FOR_P90: Final = 10
"""Below, one report alone decides what nine of ten did not exceed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What is shown of one value.

    Attributes:
        value: The value, such as `4601`; empty for the total.
        name: What people call it; empty when nothing is known.
        count: How many reports; None when it is hidden.
        letters: How many went by letter; None when it is hidden.
        registered_median: Half were registered (those sent: `LEVERT`) within that, in seconds.
        registered_p90: Nine of ten were, in seconds.
        receipted_median: Half were answered, and the answer taken, within that, in seconds.
        receipted_p90: Nine of ten were, in seconds.
    """

    value: str
    name: str = ""
    count: int | None
    letters: int | None
    registered_median: float | None
    registered_p90: float | None
    receipted_median: float | None
    receipted_p90: float | None

    @property
    def letter_share(self) -> float | None:
        """The share that went by letter, from 0 to 1; None when it is hidden."""
        return self.letters / self.count if self.count and self.letters is not None else None


@dataclass(frozen=True, slots=True)
class Table:
    """The rows of one dimension, in the order to show them."""

    dimension: str
    rows: Sequence[Row]


@dataclass(frozen=True, slots=True)
class Published:
    """What may be shown.

    Attributes:
        first: The first day of the period, in Norway.
        until: The first day that is not in it any more.
        threshold: The smallest number that is shown.
        totals: For what was received and what was sent: one row.
        tables: For each of them: a table for each dimension.
    """

    first: date
    until: date
    threshold: int
    totals: Mapping[Source, Row]
    tables: Mapping[Source, Sequence[Table]]

    def as_json(self) -> dict[str, object]:
        """What programs get of it."""
        return {
            "format": "fiksmelding-statistics-1",
            "first": self.first.isoformat(),
            "until": self.until.isoformat(),
            "threshold": self.threshold,
            "sources": {
                source: {
                    "total": _row_json(self.totals[source]),
                    "tables": {table.dimension: [_row_json(row) for row in table.rows] for table in tables},
                }
                for source, tables in self.tables.items()
            },
        }


def published(tally: Tally, *, threshold: int = THRESHOLD) -> Published:
    """Hide what must not be shown of a tally."""
    totals: dict[Source, Row] = {}
    tables: dict[Source, Sequence[Table]] = {}
    for source, counted in tally.sources.items():
        total = counted["total"][""]
        whole, part = _hidden({"": total}, threshold)
        totals[source] = _row("", "", total, count=not whole, letters=not part)
        tables[source] = [_table(tally, counted, dimension, threshold, shown=not whole) for dimension in DIMENSIONS]
    return Published(tally.first, tally.until, threshold, totals, tables)


def _table(tally: Tally, counted: Tables, dimension: str, threshold: int, *, shown: bool) -> Table:
    cells: Mapping[str, Cell] = counted[dimension]
    if dimension == "maned":
        cells = {month: cells.get(month, Cell()) for month in months_of(tally.first, tally.until)}
    if dimension == "kanal":
        cells = _pooled(cells, threshold)
    rows = [
        row
        for group, parts in (_groups(counted, dimension, list(cells), threshold) if shown else [])
        for row in _group(tally, dimension, {one: cells[one] for one in group}, threshold, parts=parts)
    ]
    return Table(dimension, sorted(rows, key=lambda row: _place(dimension, row)))


def _group(tally: Tally, dimension: str, cells: Mapping[str, Cell], threshold: int, *, parts: bool) -> Iterator[Row]:
    """The rows that add up to a total which is shown; their letters only if those of the total are."""
    hidden, no_letters = _hidden(cells, threshold)
    if hidden == cells.keys() and dimension != "maned":
        return  # how many there are would tell how many each has; of months everybody knows
    for value, cell in cells.items():
        name = tally.names.get(value, "") if dimension in {"kommune", "bydel"} else ""
        yield _row(value, name, cell, count=value not in hidden, letters=parts and value not in no_letters)


def _hidden(cells: Mapping[str, Cell], threshold: int) -> tuple[frozenset[str], frozenset[str]]:
    """The rows whose counts are hidden, and those whose letters are."""
    counts = {value: cell.count for value, cell in cells.items()}
    letters = {value: cell.letters for value, cell in cells.items()}
    hidden = hidden_counts(counts, threshold)
    return hidden, hidden_parts(counts, letters, hidden, threshold)


def _pooled(cells: Mapping[str, Cell], threshold: int) -> Mapping[str, Cell]:
    """The channels, small ones together as one: what a sender wrote is shown only if several wrote the same."""
    by_size = sorted((value for value in cells if value != OTHERS), key=lambda value: (cells[value].count, value))
    others = Cell()
    others.merge(cells.get(OTHERS, Cell()))
    while by_size and (cells[by_size[0]].count < threshold or 0 < others.count < threshold):
        others.merge(cells[by_size.pop(0)])
    return {value: cells[value] for value in by_size} | ({OTHERS: others} if others.count else {})


def _groups(counted: Tables, dimension: str, values: Sequence[str], threshold: int) -> list[tuple[list[str], bool]]:
    """The rows that add up to a total which is shown, and whether the total's letters are.

    Offices add up to their municipality; those of one that is hidden are left out.
    """
    if dimension != "bydel":
        return [(list(values), True)]
    hidden, no_letters = _hidden(counted["kommune"], threshold)
    return [
        ([value for value in values if value.partition("-")[0] == number], number not in no_letters)
        for number in counted["kommune"]
        if number not in hidden
    ]


def _row(value: str, name: str, cell: Cell, *, count: bool, letters: bool) -> Row:
    def quantile(times: Times, share: float, least: int) -> float | None:
        return times.quantile(share) if count and times.known >= least else None

    return Row(
        value=value,
        name=name,
        count=cell.count if count else None,
        letters=cell.letters if count and letters else None,
        registered_median=quantile(cell.registered, 0.5, THRESHOLD),
        registered_p90=quantile(cell.registered, 0.9, LEAST_FOR_P90),
        receipted_median=quantile(cell.receipted, 0.5, THRESHOLD),
        receipted_p90=quantile(cell.receipted, 0.9, LEAST_FOR_P90),
    )


def _place(dimension: str, row: Row) -> tuple[bool, int, str]:
    """Time goes on; the rest by number, what is hidden and what is not known last."""
    if dimension == "maned":
        return False, 0, row.value
    return row.value in {UNKNOWN, OTHERS} or row.count is None, -(row.count or 0), row.value


def _row_json(row: Row) -> dict[str, object]:
    return {**asdict(row), "letter_share": row.letter_share}
