from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fiksmelding.statistics import Published, Row, Tally, merged, published
from fiksmelding.statistics.tally import OTHERS
from support.tallies import add, of_districts, tally


def rows(shown: Published, dimension: str) -> Mapping[str, Row]:
    [table] = [table for table in shown.tables["received"] if table.dimension == dimension]
    return {row.value: row for row in table.rows}


def counts(shown: Published, dimension: str) -> dict[str, int | None]:
    return {value: row.count for value, row in rows(shown, dimension).items()}


def test_every_table_counts_every_report() -> None:
    made = tally()
    add(made, 10, bydel="01", slag="privat", maned="2026-01", kanal="A")
    add(made, 20, bydel="02", slag="offentlig", maned="2026-02", kanal="B")
    shown = published(made)
    assert shown.totals["received"].count == 30
    assert counts(shown, "kommune") == {"4601": 30}
    assert counts(shown, "bydel") == {"4601-02": 20, "4601-01": 10}
    assert counts(shown, "slag") == {"offentlig": 20, "privat": 10}
    assert counts(shown, "kanal") == {"B": 20, "A": 10}
    assert list(counts(shown, "maned").items())[:3] == [("2026-01", 10), ("2026-02", 20), ("2026-03", 0)]
    assert len(counts(shown, "maned")) == 12


def test_a_small_district_takes_another_with_it_and_the_municipality_is_shown() -> None:
    shown = published(of_districts({"01": 3, "02": 30, "03": 9}))
    assert counts(shown, "bydel") == {"4601-02": 30, "4601-01": None, "4601-03": None}
    assert counts(shown, "kommune") == {"4601": 42}


def test_the_districts_of_a_municipality_that_is_hidden_are_hidden_too() -> None:
    made = of_districts({"01": 30, "02": 40})
    made.merge(of_districts({"00": 2}, kommune="1103"))
    made.merge(of_districts({"01": 8, "02": 6}, kommune="0301"))
    shown = published(made)
    assert counts(shown, "kommune") == {"4601": 70, "1103": None, "0301": None}
    assert counts(shown, "bydel") == {"4601-02": 40, "4601-01": 30}


def test_where_all_are_small_not_even_how_many_they_are_is_told() -> None:
    # Five with one report each: whoever sees five hidden rows, and five in all, knows each.
    shown = published(of_districts({f"0{number}": 1 for number in range(5)}))
    assert shown.totals["received"].count == 5
    assert counts(shown, "bydel") == {}
    made = tally()
    for month in ("2026-01", "2026-02"):
        add(made, 4, maned=month)
    assert set(counts(published(made), "maned").values()) == {None}  # those without any too


def test_so_few_that_even_their_number_is_hidden() -> None:
    shown = published(of_districts({"01": 2, "02": 2}))
    assert shown.totals["received"].count is None
    assert {row.count for table in shown.tables["received"] for row in table.rows if row.value} <= {None}


def test_what_a_sender_wrote_as_its_name_is_shown_only_if_several_wrote_the_same() -> None:
    made = tally()
    add(made, 40, kanal="Portal")
    add(made, 9, kanal="Fagsystem")
    for number in range(6):
        add(made, kanal=f"Oppdiktet {number}")
    shown = published(made)
    assert counts(shown, "kanal") == {"Portal": 40, "Fagsystem": 9, OTHERS: 6}


def test_a_share_by_letter_and_times_are_shown_where_there_are_enough() -> None:
    made = tally()
    add(made, 30, seconds=60)
    add(made, 6, letter=True, seconds=None)
    add(made, 4, bydel="02", seconds=30)
    add(made, 10, bydel="03", seconds=7200)
    total = published(made).totals["received"]
    assert total.letter_share == pytest.approx(0.12)
    assert total.registered_median == pytest.approx(60, rel=0.03)
    assert total.registered_p90 == pytest.approx(7200, rel=0.03)
    few = rows(published(made), "bydel")["4601-02"]
    assert (few.count, few.registered_median, few.letters) == (None, None, None)


def test_nine_of_ten_are_told_of_ten_or_more() -> None:
    row = rows(published(of_districts({"01": 9, "02": 10})), "bydel")
    assert row["4601-01"].registered_median is not None
    assert row["4601-01"].registered_p90 is None
    assert row["4601-02"].registered_p90 is not None


def test_small_numbers_that_are_large_together_are_shown_after_merging() -> None:
    parts = [of_districts({"01": 4}), of_districts({"01": 4})]
    assert [published(part).totals["received"].count for part in parts] == [None, None]
    whole = merged(Tally.of_json(part.to_json().encode()) for part in parts)
    assert counts(published(whole), "bydel") == {"4601-01": 8}


def test_letters_of_the_districts_do_not_add_up_to_those_of_a_municipality_that_are_hidden() -> None:
    made = tally()
    add(made, 20, kommune="1103", bydel="00")
    add(made, 2, kommune="1103", bydel="00", letter=True)
    for kommune in ("0301", "4601"):
        add(made, 40, kommune=kommune, bydel="01")
        add(made, 8 if kommune == "0301" else 9, kommune=kommune, bydel="01", letter=True)
        add(made, 30, kommune=kommune, bydel="02")
    shown = published(made)
    letters = {value: row.letters for value, row in rows(shown, "kommune").items()}
    assert letters == {"4601": 9, "0301": None, "1103": None}
    districts = {value: row.letters for value, row in rows(shown, "bydel").items()}
    assert districts == {"4601-01": 9, "4601-02": 0, "0301-01": None, "0301-02": None, "1103-00": None}
    # Else 17 and 0 from the districts, and 19 in all, would leave 2.
    assert shown.totals["received"].letters == 19


@given(st.dictionaries(st.sampled_from(["01", "02", "03", "04", "05"]), st.integers(0, 20), min_size=1))
def test_no_small_number_is_in_anything_that_is_shown(districts: dict[str, int]) -> None:
    made = of_districts(districts)
    for table in published(made).tables.get("received", ()):
        assert all(row.count in {None, 0} or row.count >= 5 for row in table.rows)
        assert all(row.letters in {None, 0} or row.letters >= 5 for row in table.rows)
