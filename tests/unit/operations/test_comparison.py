"""Comparing two lists of references."""

import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence

from hypothesis import given
from hypothesis import strategies as st

from fiksmelding.operations.comparison import Comparison, Expected, Shared, Spelled

REFERENCES = st.lists(
    st.sampled_from(["a", "A", "a ", " a", "a\u00a0", "b", "å", "a\u030a", "c/1", "c / 1"]) | st.text()
)


def expected(references: Sequence[str]) -> list[Expected]:
    return [Expected(f"id-{number}", one, "2026-03-02", False) for number, one in enumerate(references)]


def missing(comparison: Comparison) -> list[str]:
    return [one.reference for page in comparison.missing() for one in page]


def unexpected(comparison: Comparison) -> list[str]:
    return [one for page in comparison.unexpected() for one in page]


def compared(here: Sequence[str], there: Iterable[str]) -> Comparison:
    comparison = Comparison()
    comparison.expect(expected(here))
    comparison.list(there)
    comparison.compare()
    return comparison


def test_what_is_missing_on_either_side_is_told() -> None:
    with compared(["1", "2", "3"], ["3", "1", "4"]) as both:
        assert (missing(both), unexpected(both)) == (["2"], ["4"])
        assert both.found(["id-0", "id-1", "unknown"]) == {"id-0"}


def test_a_reference_listed_twice_counts_once() -> None:
    with Comparison() as both:
        both.expect(expected(["1"]))
        both.list(["1", "1 ", "", "  ", "2"])
        totals = both.compare()
    assert (totals.expected, totals.missing, totals.listed, totals.repeated) == (1, 0, 2, 1)


def test_other_letters_and_spaces_are_the_same_reference_and_are_told() -> None:
    with compared(["Sak 2026/1"], ["\ufeffsak\u00a02026 / 1"]) as both:
        assert missing(both) == []
        assert list(both.spelled()) == [Spelled("id-0", "Sak 2026/1", "\ufeffsak\u00a02026 / 1")]
        assert unexpected(both) == []


def test_one_report_does_not_hide_the_absence_of_another_that_is_spelled_nearly_so() -> None:
    with compared(["a1", "A1"], ["a1"]) as both:
        assert missing(both) == ["A1"]
    with compared(["a1", "A1"], ["a 1"]) as both:
        assert len(missing(both)) == 1


def test_reports_that_share_a_reference_are_told_apart_only_when_it_is_listed_as_often() -> None:
    with compared(["OK", "OK", "OK"], ["OK"]) as both:
        assert list(both.shared()) == [Shared("OK", 3, 1)]
        assert missing(both) == []
    with compared(["case", "case"], ["case", "case"]) as both:
        assert list(both.shared()) == []


def test_an_empty_side_is_a_side() -> None:
    with compared(["1"], []) as both:
        assert missing(both) == ["1"]
    with compared([], ["1"]) as both:
        assert (missing(both), unexpected(both)) == ([], ["1"])


@given(REFERENCES, REFERENCES)
def test_nothing_that_is_there_is_missing_and_nothing_absent_is_found(here: list[str], there: list[str]) -> None:
    def plain(text: str) -> str:
        return unicodedata.normalize("NFC", text.encode(errors="replace").decode()).strip()

    listed = Counter(filter(None, map(plain, there)))
    with compared(here, there) as both:
        absent = missing(both)
        assert all(plain(one) not in listed for one in absent)
        exact = sum(plain(one) in listed for one in here)
        loosely = len(list(both.spelled()))
        assert exact + loosely + len(absent) == len(here)
        assert loosely <= len(set(listed) - set(map(plain, here)))
        assert len(unexpected(both)) == len(set(listed) - set(map(plain, here))) - loosely
