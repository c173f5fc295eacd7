"""The page on the doctor and the tests know every condition that the code does."""

import re
from pathlib import Path

from fiksmelding.doctor import Condition, Level
from fiksmelding.doctor.examining import CHECKS, RECEIVING, SENDING

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "doctor.md").read_text("utf-8")
ROW = re.compile(r"^\| `([a-z0-9-]+)` \| (\w+) \| [^|]+ \| ([^|]*) \|$", re.MULTILINE)


def test_the_page_tells_of_every_condition_with_its_level_and_cure_and_of_no_other() -> None:
    told = {name: (level, cure.strip()) for name, level, cure in ROW.findall(PAGE)}
    assert told == {condition.value: (condition.level.value, condition.cure) for condition in Condition}


def test_every_condition_is_really_made_in_a_test() -> None:
    folders = (ROOT / "tests" / "integration" / "doctor", ROOT / "tests" / "unit" / "doctor")
    tests = "".join(file.read_text("utf-8") for folder in folders for file in folder.glob("test_*.py"))
    assert [condition for condition in Condition if f"Condition.{condition.name}" not in tests] == []


def test_whatever_is_not_well_has_a_cure_and_what_is_well_has_none() -> None:
    assert [one for one in Condition if bool(one.cure) == (one.level is Level.OK)] == []


def test_the_checks_that_only_one_side_needs_are_checks() -> None:
    assert set(CHECKS) >= RECEIVING | SENDING
