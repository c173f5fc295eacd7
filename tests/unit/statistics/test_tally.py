import json
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fiksmelding.errors import SettingsError
from fiksmelding.statistics import Tally, merged
from fiksmelding.statistics.tally import CHANNELS, OTHERS, Times, class_of
from support.tallies import FIRST, add, tally


@given(st.lists(st.floats(1, 10**7), min_size=1), st.sampled_from([0.5, 0.9]))
def test_a_quantile_is_right_within_three_per_cent(seconds: list[float], share: float) -> None:
    times = Times()
    for one in seconds:
        times.classes[class_of(one)] += 1
    exact = sorted(seconds)[max(0, -int(-share * len(seconds) // 1) - 1)]
    assert times.quantile(share) == pytest.approx(exact, rel=0.03, abs=1)


def test_nothing_has_no_median() -> None:
    assert Times().quantile(0.5) is None


def test_a_tally_that_was_written_and_read_is_the_same() -> None:
    made = tally()
    made.names["4601"] = "Bergen"
    add(made, 3)
    add(made, 2, source="sent", letter=True, seconds=None)
    again = Tally.of_json(made.to_json().encode())
    assert again == made


def test_merging_in_any_order_and_grouping_comes_to_the_same() -> None:
    chance = random.Random(5)
    parts = []
    for _ in range(4):
        part = tally()
        for _ in range(20):
            add(part, bydel=chance.choice(["01", "02"]), seconds=chance.uniform(1, 500), letter=chance.random() < 0.3)
        parts.append(part)
    whole = merged(parts)
    assert merged([merged(parts[2:]), merged(parts[:2])]) == whole
    assert whole.sources["received"]["total"][""].count == 80


def test_memory_does_not_grow_with_what_senders_call_themselves() -> None:
    made = tally()
    for number in range(CHANNELS + 50):
        add(made, kanal=f"Kanal {number}")
    channels = made.sources["received"]["kanal"]
    assert len(channels) == CHANNELS + 1
    assert channels[OTHERS].count == 50


@pytest.mark.parametrize(
    "change", [{"format": "other"}, {"sources": {"received": {"total": {"": {"count": -1}}}}}, None]
)
def test_what_is_no_tally_is_refused_in_words(change: dict[str, object] | None) -> None:
    data = "[" if change is None else json.dumps({**json.loads(tally().to_json()), **change})
    with pytest.raises(SettingsError, match="no file of counts"):
        Tally.of_json(data.encode())


def test_there_has_to_be_something_to_merge() -> None:
    with pytest.raises(SettingsError):
        merged([])
    assert merged([tally()]).first == FIRST
