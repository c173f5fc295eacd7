"""Tables, charts and the page, as people get them."""

import csv
import io
import struct
import subprocess
import sys
from pathlib import Path

import pytest
from lxml import etree, html

from fiksmelding.cli.output import Exit
from fiksmelding.cli.statistics import Output, merge_files
from fiksmelding.errors import SettingsError
from fiksmelding.statistics import Published, published
from fiksmelding.statistics.charts import charts
from fiksmelding.statistics.page import to_html
from fiksmelding.statistics.words import duration, number, percent, period
from fiksmelding.statistics.writing import to_csv
from support.tallies import add, tally


@pytest.fixture(scope="module")
def shown() -> Published:
    made = tally()
    made.names |= {"4601": "Bergen", "4601-01": "Arna <b>"}
    for month, times in (("2026-01", 40), ("2026-02", 3), ("2026-03", 50)):
        add(made, times, maned=month, seconds=90)
    add(made, 20, bydel="02", maned="2026-05", slag="offentlig", kanal="=1+1", letter=True, seconds=None)
    add(made, 12, source="sent", seconds=7000)
    return published(made)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (59, "59 s"),
        (60, "1 min"),
        (95, "1,6 min"),
        (5400, "1,5 t"),
        (100_000, "28 t"),
        (200_000, "2,3 døgn"),
    ],
)
def test_a_time_is_told_as_people_say_it(seconds: float, text: str) -> None:
    assert duration(seconds).replace("\N{NO-BREAK SPACE}", " ") == text


def test_numbers_are_told_as_in_norway(shown: Published) -> None:
    assert [number(None), number(12345)] == [":", "12\N{NO-BREAK SPACE}345"]
    assert [percent(None), percent(0.1234)] == [":", "12,3\N{NO-BREAK SPACE}%"]
    assert period(shown) == "1.1.2026–31.12.2026"


def test_a_spreadsheet_reads_the_tables_and_runs_nothing_in_them(shown: Published) -> None:
    rows = list(csv.reader(io.StringIO(to_csv(shown)), delimiter=";"))
    assert {len(row) for row in rows} == {11}
    assert rows[1][:6] == ["Mottatte meldinger", "I alt", "", "", "113", "20"]
    assert rows[1][6] == "17,7"
    assert ["Mottatte meldinger", "Måned", "2026-02", "feb. 2026", ":", ":", ":", ":", ":", ":", ":"] in rows
    assert not [cell for row in rows for cell in row if cell.startswith("=")]


def test_each_chart_is_a_whole_picture_with_words_for_whoever_cannot_see_it(shown: Published) -> None:
    made = charts(shown)
    names = [chart.name for chart in made]
    assert names[:2] == ["received-maned", "received-tid"]
    assert {"received-slag", "received-bydel", "received-kanal", "sent-maned", "sent-tid"} <= set(names)
    for chart in made:
        etree.fromstring(chart.svg)
        width, height = struct.unpack(">II", chart.png[16:24])
        assert (width, height > 100) == (1050, True)
    assert "jan. 2026: 40" in made[0].text
    assert "feb. 2026: skjult" in made[0].text


def test_charts_are_the_same_in_every_run(shown: Published) -> None:
    assert [chart.svg for chart in charts(shown)] == [chart.svg for chart in charts(shown)]


def test_the_page_is_one_file_that_fetches_nothing(shown: Published) -> None:
    page = to_html(shown, charts(shown), title="Bergen & omegn")
    tree = html.fromstring(page)
    assert tree.get("lang") == "nb"
    assert tree.findtext(".//h1") == "Bergen & omegn"
    sources = [one.get("src") or one.get("href") or "" for one in tree.iter() if one.get("src") or one.get("href")]
    assert sources
    assert all(source.startswith("data:image/svg+xml;base64,") for source in sources)
    assert all(image.get("alt") for image in tree.iter("img"))
    assert len(tree.findall(".//table")) == 10
    assert "Arna &lt;b&gt; (4601-01)" in page
    assert not tree.findall(".//script")


def test_no_small_number_is_on_the_page_or_in_its_pictures(shown: Published) -> None:
    made = charts(shown)
    texts = [to_csv(shown), *(chart.text for chart in made)]
    assert all("feb. 2026;3" not in text and "feb. 2026: 3" not in text for text in texts)


def test_without_reports_the_page_says_so() -> None:
    empty = published(tally())
    assert charts(empty) == []
    assert "Ingen meldinger i perioden." in to_html(empty, [])


def test_nothing_of_matplotlib_is_loaded_until_a_picture_is_asked_for() -> None:
    program = "import sys, fiksmelding.statistics, fiksmelding.cli.app; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_without_matplotlib_it_is_said_what_to_install(shown: Published, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(SettingsError, match=r"fiksmelding\[statistics\]"):
        charts(shown)


def test_journals_are_merged_and_shown_in_every_way_at_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = []
    for kommune in ("4601", "0301"):
        part = tally()
        add(part, 9, kommune=kommune)
        files.append(tmp_path / f"{kommune}.json")
        files[-1].write_text(part.to_json(), "utf-8")
    output = Output(
        threshold=5,
        title="Hele landet",
        as_json=False,
        csv=tmp_path / "tall.csv",
        html=tmp_path / "tall.html",
        charts=tmp_path / "charts",
        exchange=tmp_path / "sum.json",
    )
    assert merge_files(files, output) is Exit.FINE
    assert (tmp_path / "tall.csv").read_bytes().startswith("\N{ZERO WIDTH NO-BREAK SPACE}kilde;".encode())
    assert "Hele landet" in (tmp_path / "tall.html").read_text("utf-8")
    assert {path.suffix for path in (tmp_path / "charts").iterdir()} == {".svg", ".png"}
    if sys.platform != "win32":
        assert (tmp_path / "sum.json").stat().st_mode & 0o077 == 0
    again = Output(threshold=5, title="", as_json=False, csv=None, html=None, charts=None, exchange=None)
    assert merge_files([tmp_path / "sum.json"], again) is Exit.FINE
    assert "18" in capsys.readouterr().out
