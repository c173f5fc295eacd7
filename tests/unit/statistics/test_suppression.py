"""What is hidden cannot be worked out from what is shown."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fiksmelding.statistics.suppression import hidden_counts, hidden_parts

COUNTS = st.dictionaries(st.text("abcdefgh", min_size=1, max_size=1), st.integers(0, 40), min_size=1)
THRESHOLDS = st.integers(3, 10)


def test_nothing_is_hidden_where_nothing_is_small() -> None:
    assert hidden_counts({"a": 5, "b": 90, "c": 0}, 5) == frozenset()


def test_a_small_number_is_not_hidden_alone() -> None:
    # The total is shown, so one number that is missing would be what is left.
    assert hidden_counts({"a": 2, "b": 90, "c": 7}, 5) == {"a", "c"}


def test_small_numbers_are_hidden_with_a_large_one_also_where_they_are_many() -> None:
    # Else a large one that is hidden would tell that the small ones were few.
    assert hidden_counts({"a": 4, "b": 4, "c": 90, "d": 7}, 5) == {"a", "b", "d"}
    assert hidden_counts({"a": 1, "b": 1, "c": 90, "d": 7}, 5) == {"a", "b", "d"}


def test_of_equal_ones_all_are_hidden_so_that_none_is_the_chosen_one() -> None:
    assert hidden_counts({"d": 1, "b": 5, "c": 5, "e": 9}, 5) == {"d", "b", "c"}


def test_where_all_are_small_every_row_is_hidden() -> None:
    assert hidden_counts({"a": 4, "b": 4, "c": 0}, 5) == {"a", "b", "c"}


@given(COUNTS, THRESHOLDS)
def test_no_small_number_is_shown_and_none_is_hidden_without_a_large_one(
    counts: dict[str, int], threshold: int
) -> None:
    hidden = hidden_counts(counts, threshold)
    assert all(counts[row] == 0 or counts[row] >= threshold for row in counts.keys() - hidden)
    if hidden and hidden != counts.keys():
        assert any(counts[row] >= threshold for row in hidden)


@given(st.dictionaries(st.sampled_from("abcd"), st.integers(0, 9), min_size=1), st.integers(3, 5))
def test_whoever_knows_the_total_and_the_rule_finds_another_table_that_looks_the_same(
    counts: dict[str, int], threshold: int
) -> None:
    hidden = sorted(hidden_counts(counts, threshold))
    if not hidden or hidden == sorted(counts):
        return
    together = sum(counts[row] for row in hidden)
    possible = [
        values
        for values in product(range(1, together), repeat=len(hidden))
        if sum(values) == together
        and sorted(hidden_counts({**counts, **dict(zip(hidden, values, strict=True))}, threshold)) == hidden
    ]
    for place in range(len(hidden)):
        assert len({values[place] for values in possible}) > 1


@pytest.mark.parametrize(
    ("letters", "hidden"),
    [
        ({"a": 0, "b": 0}, set()),
        ({"a": 6, "b": 8}, set()),
        ({"a": 2, "b": 8}, {"a", "b"}),  # two letters is a small number
        ({"a": 18, "b": 8}, {"a", "b"}),  # so are two that were none
        ({"a": 20, "b": 8}, set()),
    ],
)
def test_a_share_is_hidden_where_it_tells_of_a_few(letters: dict[str, int], hidden: set[str]) -> None:
    counts = {"a": 20, "b": 20}
    assert hidden_parts(counts, letters, frozenset(), 5) == hidden


@given(st.dictionaries(st.sampled_from("abcdef"), st.tuples(st.integers(0, 30), st.integers(0, 30))), THRESHOLDS)
def test_no_share_that_is_shown_tells_of_a_few(rows: dict[str, tuple[int, int]], threshold: int) -> None:
    counts = {row: letters + others for row, (letters, others) in rows.items()}
    letters = {row: letters for row, (letters, _) in rows.items()}
    hidden = hidden_parts(counts, letters, hidden_counts(counts, threshold), threshold)
    for row in counts.keys() - hidden:
        assert letters[row] == 0 or letters[row] >= threshold
        assert counts[row] - letters[row] == 0 or counts[row] - letters[row] >= threshold
    for measure in (letters, {row: counts[row] - letters[row] for row in counts}):
        if hidden != counts.keys() and any(0 < measure[row] < threshold for row in hidden):
            assert any(measure[row] >= threshold for row in hidden)
