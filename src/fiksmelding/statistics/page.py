"""One page with everything in it: charts, tables, and what the numbers mean. In Norwegian, for print and telephone."""

import base64
from collections.abc import Sequence
from html import escape
from typing import Final

from fiksmelding.statistics.charts import Chart
from fiksmelding.statistics.published import LEAST_FOR_P90, Published, Table
from fiksmelding.statistics.tally import Source
from fiksmelding.statistics.words import REGISTERED, SOURCES, TITLES, cells, duration, label, number, percent, period

__all__ = ["to_html"]

STYLE: Final = """
body { font: 1rem/1.5 system-ui, sans-serif; color: #1a1a1a; background: #fff; }
body { max-width: 52rem; margin: 0 auto; padding: 1rem; }
h1 { line-height: 1.2; } h2 { margin-top: 2.5rem; border-bottom: 2px solid #0072B2; }
figure { margin: 1.5rem 0; break-inside: avoid; } img { width: 100%; height: auto; }
.key { display: flex; flex-wrap: wrap; gap: 1rem; margin: 1rem 0; padding: 0; list-style: none; }
.key li { border-left: 4px solid #0072B2; padding: .2rem .8rem; } .key b { display: block; font-size: 1.6rem; }
.scroll { overflow-x: auto; } table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
caption { text-align: left; font-weight: bold; padding: .5rem 0; } tr { break-inside: avoid; }
th, td { padding: .3rem .6rem; border-bottom: 1px solid #d9d9d9; text-align: right; vertical-align: bottom; }
th:first-child { text-align: left; font-weight: normal; min-width: 8rem; } thead th { font-weight: bold; }
@media print { body { max-width: none; padding: 0; font-size: 10pt; } .scroll { overflow: visible; } }
"""


def to_html(shown: Published, pictures: Sequence[Chart], *, title: str = "Bekymringsmeldinger") -> str:
    """The page. It fetches nothing from anywhere.

    Args:
        shown: What may be shown.
        pictures: The charts.
        title: What stands above, such as the municipality's name.
    """
    body = "".join(_source(shown, source, pictures) for source in shown.tables) or "<p>Ingen meldinger i perioden.</p>"
    return (
        '<!doctype html>\n<html lang="nb">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}, {period(shown)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n"
        f"<h1>{escape(title)}</h1>\n<p>{period(shown)}</p>\n{body}{_meaning(shown)}</body>\n</html>\n"
    )


def _source(shown: Published, source: Source, pictures: Sequence[Chart]) -> str:
    total = shown.totals[source]
    facts = [
        ("meldinger", number(total.count)),
        ("gikk som brev", percent(total.letter_share)),
        (f"median til {REGISTERED[source]}", duration(total.registered_median)),
        (f"ni av ti {REGISTERED[source]} innen", duration(total.registered_p90)),
    ]
    if source == "received":
        facts.append(("median til kvittering", duration(total.receipted_median)))
    key = "".join(f"<li><b>{value}</b>{text}</li>" for text, value in facts)
    figures = "".join(_figure(chart) for chart in pictures if chart.name.startswith(f"{source}-"))
    tables = "".join(_table(source, table) for table in shown.tables[source] if table.rows)
    return f'<h2>{SOURCES[source]}</h2>\n<ul class="key">{key}</ul>\n{figures}{tables}'


def _figure(chart: Chart) -> str:
    data = base64.b64encode(chart.svg).decode("ascii")
    alt = escape(f"{chart.title}. {chart.text}", quote=True)
    return f'<figure><img src="data:image/svg+xml;base64,{data}" alt="{alt}"></figure>\n'


def _table(source: Source, table: Table) -> str:
    registered = REGISTERED[source]
    heads = ["Antall", "Brev", f"Median til {registered}", f"Ni av ti {registered} innen"]
    if source == "received":
        heads += ["Median til kvittering", "Ni av ti kvittert innen"]
    head = "".join(f'<th scope="col">{one}</th>' for one in (TITLES[table.dimension], *heads))
    rows = "".join(
        f'<tr><th scope="row">{escape(label(table.dimension, row))}</th>'
        f"{''.join(f'<td>{value}</td>' for value in cells(row)[: len(heads)])}</tr>\n"
        for row in table.rows
    )
    caption = f"{SOURCES[source]} etter {TITLES[table.dimension].lower()}"
    return (
        f'<div class="scroll"><table><caption>{caption}</caption>\n<thead><tr>{head}</tr></thead>\n'
        f"<tbody>\n{rows}</tbody></table></div>\n"
    )


def _meaning(shown: Published) -> str:
    return (
        "<h2>Slik leser du tallene</h2>\n"
        f"<p>Tegnet «:» står der et tall ikke kan vises. Tall under {shown.threshold} er skjult for at ingen skal "
        "kunne kjennes igjen. Noen større tall er skjult fordi de små ellers kunne regnes ut. 0 betyr ingen.</p>\n"
        "<p>En melding er regnet én gang, også om den kom flere ganger. Måneden er den da meldingen kom. "
        "Tidene er avrundet (til nærmeste fem prosent), og vises når minst fem meldinger har dem, «ni av ti» når "
        f"minst {LEAST_FOR_P90} har dem. «Brev» er meldinger som ikke ble registrert elektronisk, og som derfor ble "
        "sendt i posten.</p>\n"
    )
