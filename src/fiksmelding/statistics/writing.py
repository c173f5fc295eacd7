"""Statistics as CSV, as Excel in Norway opens it."""

import csv
import io

from fiksmelding.statistics.published import Published, Row
from fiksmelding.statistics.words import HIDDEN, SOURCES, TITLES, label

__all__ = ["to_csv"]

HEADER = (
    "kilde",
    "tabell",
    "verdi",
    "navn",
    "antall",
    "antall brev",
    "andel brev (%)",
    "median til registrert eller levert (minutter)",
    "90 % registrert eller levert innen (minutter)",
    "median til kvittering (minutter)",
    "90 % kvittert innen (minutter)",
)


def to_csv(shown: Published) -> str:
    """All tables below each other: semicolons and decimal commas; write it as `utf-8-sig`.

    A text that a spreadsheet would take for a formula is kept from being one.
    """
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";", lineterminator="\r\n")
    writer.writerow(HEADER)
    for source, tables in shown.tables.items():
        writer.writerow([SOURCES[source], "I alt", "", "", *_cells(shown.totals[source])])
        for table in tables:
            for row in table.rows:
                told = (row.value, label(table.dimension, row))
                writer.writerow([SOURCES[source], TITLES[table.dimension], *map(_safe, told), *_cells(row)])
    return out.getvalue()


def _cells(row: Row) -> list[str]:
    share = None if row.letter_share is None else 100 * row.letter_share
    times = (row.registered_median, row.registered_p90, row.receipted_median, row.receipted_p90)
    minutes = [None if one is None else one / 60 for one in times]
    return [
        *(HIDDEN if one is None else str(one) for one in (row.count, row.letters)),
        *(HIDDEN if one is None else f"{one:.1f}".replace(".", ",") for one in (share, *minutes)),
    ]


def _safe(text: str) -> str:
    return f"'{text}" if text[:1] in {"=", "+", "-", "@", "\t"} else text
