"""Charts, readable on paper and telephone, and by whoever does not tell red from green (matplotlib)."""

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from fiksmelding.errors import SettingsError
from fiksmelding.statistics.published import Published, Row, Table
from fiksmelding.statistics.tally import Source
from fiksmelding.statistics.words import REGISTERED, SOURCES, TITLES, duration, label, number, percent

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.ticker import NullLocator

__all__ = ["Chart", "charts"]

BLUE, ORANGE, INK, PALE = "#0072B2", "#D55E00", "#1a1a1a", "#d9d9d9"
"""Blue and vermilion of Okabe and Ito's palette, which differ in lightness too."""
WIDTH_INCHES: Final = 7.0
MOST_BARS: Final = 20
MINUTE, HOUR, DAY = 60, 3600, 86_400
ORDER: Final = ("maned", "slag", "kommune", "bydel", "kanal")
TICKS: Final = (1, 2, 5, 10, 30, *(n * MINUTE for n in (1, 2, 5, 10, 30)), *(n * HOUR for n in (1, 2, 6, 12)), DAY)
LONG_TICKS: Final = tuple(n * DAY for n in (2, 4, 7, 14, 30))
"""Times that people think in, in seconds."""


@dataclass(frozen=True, slots=True)
class Chart:
    """A picture and what it says.

    Attributes:
        name: For file names.
        title: What it shows.
        text: The same in words, for whoever cannot see it.
        svg: The picture, SVG.
        png: The picture, PNG.
    """

    name: str
    title: str
    text: str
    svg: bytes
    png: bytes


def charts(shown: Published) -> Sequence[Chart]:
    """Every chart that there is something to show in.

    Raises:
        SettingsError: matplotlib is not installed.
    """
    try:
        import matplotlib as mpl  # noqa: F401, PLC0415 - an optional part, loaded when a picture is asked for
    except ImportError as error:
        raise SettingsError("Charts need the package matplotlib.", advice="Install fiksmelding[statistics].") from error
    made = []
    for source, tables in shown.tables.items():
        for table in sorted(tables, key=lambda table: ORDER.index(table.dimension)):
            if any(row.count for row in table.rows) and (table.dimension == "maned" or len(table.rows) > 1):
                made.append(_counts(source, table))
            if table.dimension == "maned" and any(row.registered_median is not None for row in table.rows):
                made.append(_times(source, table))
            if table.dimension == "maned" and any(row.letters for row in table.rows):
                made.append(_letters(source, table))
    return made


def _counts(source: Source, table: Table) -> Chart:
    title = f"{SOURCES[source]} etter {TITLES[table.dimension].lower()}"
    rows = table.rows if table.dimension == "maned" else [row for row in table.rows if row.count][:MOST_BARS]
    draw = _columns if table.dimension == "maned" else _bars
    return _chart(
        f"{source}-{table.dimension}",
        title,
        _told(table.dimension, rows, lambda row: number(row.count)),
        lambda axes: draw(axes, table.dimension, rows),
        height=3.4 if table.dimension == "maned" else 0.9 + 0.34 * len(rows),
    )


def _times(source: Source, table: Table) -> Chart:
    title = f"{SOURCES[source]}: tid fra mottak til {REGISTERED[source]}"
    if source == "sent":
        title = f"{SOURCES[source]}: tid til {REGISTERED[source]}"
    text = _told("maned", table.rows, lambda row: duration(row.registered_median))
    return _chart(f"{source}-tid", title, f"Median. {text}", lambda axes: _lines(axes, table.rows), height=3.4)


def _letters(source: Source, table: Table) -> Chart:
    title = f"{SOURCES[source]}: andel som gikk som brev"

    def draw(axes: "Axes") -> None:
        _months(axes, table.rows)
        for place, row in enumerate(table.rows):
            share = row.letter_share
            if row.count == 0:
                continue
            if share is None:
                _hidden(axes, place)
                continue
            axes.bar(place, 100 * share, color=ORANGE, width=0.7)
            axes.annotate(percent(share), (place, 100 * share), (0, 3), textcoords="offset points", ha="center", size=8)
        axes.set_ylabel("prosent")
        axes.margins(y=0.15)

    return _chart(
        f"{source}-brev", title, _told("maned", table.rows, lambda row: percent(row.letter_share)), draw, height=3.0
    )


def _columns(axes: "Axes", _dimension: str, rows: Sequence[Row]) -> None:
    _months(axes, rows)
    for place, row in enumerate(rows):
        if row.count is None:
            _hidden(axes, place)
            continue
        axes.bar(place, row.count, color=BLUE, width=0.7)
        axes.annotate(number(row.count), (place, row.count), (0, 3), textcoords="offset points", ha="center", size=8)
    axes.set_ylabel("meldinger")
    axes.margins(y=0.12)
    axes.yaxis.set_major_formatter(lambda value, _: number(round(value)))


def _bars(axes: "Axes", dimension: str, rows: Sequence[Row]) -> None:
    places = range(len(rows))
    axes.barh(places, [row.count or 0 for row in rows], color=BLUE, height=0.7)
    axes.set_yticks(places, [_short(label(dimension, row)) for row in rows])
    axes.invert_yaxis()
    for place, row in enumerate(rows):
        axes.annotate(
            number(row.count), (row.count or 0, place), (4, 0), textcoords="offset points", va="center", size=9
        )
    axes.margins(x=0.12)
    axes.xaxis.set_visible(False)
    axes.spines["bottom"].set_visible(False)


def _lines(axes: "Axes", rows: Sequence[Row]) -> None:
    _months(axes, rows)
    nothing = float("nan")
    lines = (
        ([row.registered_median for row in rows], "halvparten innen (median)", BLUE, "o", "-"),
        ([row.registered_p90 for row in rows], "ni av ti innen", ORANGE, "s", "--"),
    )
    for times, text, color, marker, style in lines:
        values = [nothing if one is None else max(one, 1.0) for one in times]
        axes.plot(range(len(rows)), values, color=color, marker=marker, linestyle=style, label=text, linewidth=2)
    axes.set_yscale("log")
    low, high = axes.get_ylim()
    shown = [tick for tick in (*TICKS, *LONG_TICKS) if low / 2 <= tick <= high * 2]
    axes.set_yticks(shown, [duration(tick) for tick in shown])
    axes.yaxis.set_minor_locator(_no_ticks())
    axes.legend(frameon=False, loc="upper center", bbox_to_anchor=(0.5, -0.16), ncols=2)


def _no_ticks() -> "NullLocator":
    from matplotlib.ticker import NullLocator  # noqa: PLC0415 - an optional part

    return NullLocator()


def _months(axes: "Axes", rows: Sequence[Row]) -> None:
    """The months below, with a year where one begins."""
    names = []
    for place, row in enumerate(rows):
        month, year = label("maned", row).split(" ")
        names.append(f"{month}\n{year}" if place == 0 or row.value.endswith("-01") else month)
    axes.set_xticks(range(len(rows)), names)
    axes.set_xlim(-0.6, len(rows) - 0.4)
    axes.grid(axis="y", color=PALE, linewidth=0.8)
    axes.set_axisbelow(True)


def _hidden(axes: "Axes", place: int) -> None:
    """Something is here that must not be told: seen to be no zero."""
    axes.annotate(
        "skjult", (place, 0), (0, 4), textcoords="offset points", ha="center", size=8, rotation=90, color="#595959"
    )


def _chart(name: str, title: str, text: str, draw: Callable[["Axes"], None], *, height: float) -> Chart:
    import matplotlib as mpl  # noqa: PLC0415 - an optional part
    from matplotlib.figure import Figure  # noqa: PLC0415

    # A hash of our own makes the ids in the SVG the same in every run, and different from one chart to the next.
    with mpl.rc_context({"font.size": 10, "svg.hashsalt": name, "text.color": INK, "axes.labelcolor": INK}):
        figure: Figure = Figure(figsize=(WIDTH_INCHES, height), layout="constrained")
        axes = figure.add_subplot()
        for side in ("top", "right", "left"):
            axes.spines[side].set_visible(False)
        axes.tick_params(length=0, colors=INK)
        draw(axes)
        figure.suptitle(title, x=0.01, ha="left", fontsize=12, fontweight="bold")
        return Chart(name, title, text, _saved(figure, "svg"), _saved(figure, "png"))


def _saved(figure: "Figure", kind: str) -> bytes:
    out = io.BytesIO()
    figure.savefig(out, format=kind, dpi=150, metadata={"Date": None} if kind == "svg" else {})
    return out.getvalue()


def _told(dimension: str, rows: Sequence[Row], value: Callable[[Row], str]) -> str:
    return "; ".join(f"{label(dimension, row)}: {value(row).replace(':', 'skjult')}" for row in rows)


def _short(text: str, longest: int = 34) -> str:
    return text if len(text) <= longest else f"{text[: longest - 1]}…"
