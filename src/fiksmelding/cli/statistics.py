"""`fiksmelding statistics`: counted, or merged, and shown without small numbers."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.table import Table as Grid

from fiksmelding.cli.output import Exit, console
from fiksmelding.config import Settings
from fiksmelding.operations import Period
from fiksmelding.statistics import Published, Tally, count, look_up_names, merged, published
from fiksmelding.statistics.words import SOURCES, TITLES, cells, label, period

__all__ = ["Output", "merge_files", "show_counts"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """Where the numbers go; a table is printed when nothing else is asked for.

    Attributes:
        threshold: The smallest number that is shown.
        title: What stands above the page.
        as_json: Print JSON.
        csv: File for a spreadsheet.
        html: File for the page with charts.
        charts: Folder for the charts, each as SVG and PNG.
        exchange: File with every number, for `merge`.
    """

    threshold: int
    title: str
    as_json: bool
    csv: Path | None
    html: Path | None
    charts: Path | None
    exchange: Path | None


async def show_counts(
    settings: Settings,
    when: Period,
    output: Output,
    *,
    kommunenummer: str | None,
    all_accounts: bool,
    names: bool,
) -> Exit:
    """Count the reports of a period, and show what may be shown."""
    tally = await count(settings, when, kommunenummer=kommunenummer, all_accounts=all_accounts)
    if names:
        tally.names |= await look_up_names(settings)
    await asyncio.to_thread(_hand_out, tally, output)
    return Exit.FINE


def merge_files(files: Sequence[Path], output: Output) -> Exit:
    """Add up the counts of several journals, and show what may be shown of the whole."""
    _hand_out(merged(Tally.of_json(file.read_bytes()) for file in files), output)
    return Exit.FINE


def _hand_out(tally: Tally, output: Output) -> None:
    shown = published(tally, threshold=output.threshold)
    if output.exchange is not None:
        _write_for_owner(output.exchange, tally.to_json())
    if output.csv is not None:
        from fiksmelding.statistics.writing import to_csv  # noqa: PLC0415 - only what is asked for is loaded

        # Told by its first bytes, Excel reads it as UTF-8.
        output.csv.write_text(to_csv(shown), "utf-8-sig", newline="")
    if output.html is not None or output.charts is not None:
        _draw(shown, output)
    if output.as_json:
        console.print_json(json.dumps(shown.as_json()))
    elif not any((output.exchange, output.csv, output.html, output.charts)):
        _print(shown)


def _draw(shown: Published, output: Output) -> None:
    from fiksmelding.statistics.charts import charts  # noqa: PLC0415
    from fiksmelding.statistics.page import to_html  # noqa: PLC0415

    pictures = charts(shown)
    if output.html is not None:
        output.html.write_text(to_html(shown, pictures, title=output.title), "utf-8")
    if output.charts is not None:
        output.charts.mkdir(parents=True, exist_ok=True)
        for chart in pictures:
            (output.charts / f"{chart.name}.svg").write_bytes(chart.svg)
            (output.charts / f"{chart.name}.png").write_bytes(chart.png)


def _write_for_owner(file: Path, text: str) -> None:
    """Small numbers are in it: readable by its owner alone from the first moment."""
    file.touch(mode=0o600)
    file.chmod(0o600)
    file.write_text(text, "utf-8")


def _print(shown: Published) -> None:
    console.print(f"{period(shown)}; «:» = skjult (under {shown.threshold}, eller kan røpe et slikt tall)")
    for source, tables in shown.tables.items():
        for table in tables:
            grid = Grid(title=f"{SOURCES[source]} etter {TITLES[table.dimension].lower()}", title_justify="left")
            grid.add_column(TITLES[table.dimension], overflow="fold")
            for name in ("antall", "brev", "median", "ni av ti", "kvittering", "ni av ti"):
                grid.add_column(name, justify="right")
            for row in table.rows:
                grid.add_row(label(table.dimension, row), *cells(row))
            grid.add_section()
            grid.add_row("I alt", *cells(shown.totals[source]))
            console.print(grid)
    if not shown.tables:
        console.print("Ingen meldinger i perioden.")
