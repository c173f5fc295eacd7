"""Reports to count."""

from collections.abc import Mapping
from datetime import date

from fiksmelding.statistics import Tally
from fiksmelding.statistics.tally import Source, class_of

FIRST, UNTIL = date(2026, 1, 1), date(2027, 1, 1)


def tally() -> Tally:
    """Nothing counted yet, in 2026."""
    return Tally(FIRST, UNTIL)


def add(
    to: Tally,
    times: int = 1,
    *,
    source: Source = "received",
    kommune: str = "4601",
    bydel: str = "01",
    slag: str = "privat",
    maned: str = "2026-03",
    kanal: str = "Portal",
    letter: bool = False,
    seconds: float | None = 60,
) -> None:
    """So many equal reports."""
    values = (kommune, f"{kommune}-{bydel}", slag, maned, kanal)
    taken = None if seconds is None else class_of(seconds)
    for _ in range(times):
        to.add(source, values, letter=letter, registered=taken, receipted=taken)


def of_districts(counts: Mapping[str, int], *, kommune: str = "4601") -> Tally:
    """A tally with so many reports in each district of one municipality."""
    made = tally()
    for bydel, count in counts.items():
        add(made, count, kommune=kommune, bydel=bydel)
    return made
