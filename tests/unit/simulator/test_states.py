from datetime import UTC, datetime, timedelta
from itertools import pairwise
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fiksmelding.simulator import Tilstand
from fiksmelding.simulator.national.reports import Report
from fiksmelding.simulator.national.states import FOLLOWERS

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
REPORT = Report("id", "type", UUID(int=1), "4601", "01", UUID(int=2))

# Contract section 10, read as the three courses a report can take.
COURSES = [
    ["AKSEPTERT", "SENDT_FAGSYSTEM", "LEVERT"],
    ["AKSEPTERT", "SENDT_FAGSYSTEM", "AVVIST_FAGSYSTEM", "SENDT_PRINT", "LEVERT"],
    ["AKSEPTERT", "SENDT_FAGSYSTEM", "AVVIST_FAGSYSTEM", "SENDT_PRINT", "AVVIST_PRINT"],
]
ALLOWED = {(None, "AKSEPTERT")} | {pair for course in COURSES for pair in pairwise(course)}


@pytest.mark.parametrize("course", COURSES)
def test_a_report_can_take_each_course_of_the_contract(course: list[str]) -> None:
    report = REPORT
    for minutes, name in enumerate(course):
        report = report.moved_to(Tilstand(name), NOW + timedelta(minutes=minutes), "derfor")

    assert [change.tilstand for change in report.states] == course
    assert report.states[0].tidspunkt == NOW
    assert FOLLOWERS[report.tilstand] == frozenset()


@pytest.mark.parametrize("first", [None, *Tilstand])
@pytest.mark.parametrize("then", list(Tilstand))
def test_no_other_step_is_possible(first: Tilstand | None, then: Tilstand) -> None:
    assert (then in FOLLOWERS[first]) == ((first, then) in ALLOWED)


@given(st.lists(st.sampled_from(list(Tilstand)), max_size=8))
def test_whatever_is_tried_a_report_has_begun_a_course_of_the_contract(steps: list[Tilstand]) -> None:
    report = REPORT
    for step in steps:
        if step in FOLLOWERS[report.tilstand]:
            report = report.moved_to(step, NOW)
        else:
            with pytest.raises(ValueError, match="cannot go"):
                report.moved_to(step, NOW)

    taken = [change.tilstand for change in report.states]
    assert any(taken == course[: len(taken)] for course in COURSES)
