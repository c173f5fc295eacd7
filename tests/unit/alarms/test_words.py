"""What people are told."""

import re
from pathlib import Path

from fiksmelding.alarms import LEVELS, AlarmKind
from fiksmelding.alarms.words import URGENCY, WORDS

DOCS = Path(__file__).parents[3] / "docs"
PAGE = (DOCS / "alarms.md").read_text("utf-8")


def test_every_kind_has_words_for_people() -> None:
    assert set(WORDS) == set(AlarmKind)
    for words in WORDS.values():
        assert re.fullmatch(r"[A-ZÆØÅ][^.]+", words.title)
        assert len(words.title) <= 60
        assert words.meaning.endswith(".")
        assert words.action.endswith((".", "?"))


def test_every_level_that_a_kind_has_is_urgent_in_words() -> None:
    assert set(LEVELS.values()) <= set(URGENCY)


def test_the_page_tells_of_every_kind_and_of_no_other() -> None:
    told = re.findall(r"^### `(\w+)`: (.+)$", PAGE, re.MULTILINE)
    assert dict(told) == {kind.value: words.title for kind, words in WORDS.items()}
    assert len(told) == len(WORDS)


def test_the_page_names_the_level_of_each() -> None:
    sections = {part.split("`", 1)[0]: part for part in PAGE.split("### `")[1:]}
    names = {30: "warning", 40: "error", 50: "critical"}
    for kind in AlarmKind:
        assert f"Level: {names[LEVELS.get(kind, 50)]}." in sections[kind.value], kind


def test_the_municipality_s_page_has_each_by_the_words_of_its_e_mail_and_of_its_log_line() -> None:
    page = (DOCS / "kommune" / "feil.md").read_text("utf-8")
    assert [kind.value for kind in AlarmKind if f"`{kind.value}`" not in page] == []
    assert [words.title for words in WORDS.values() if words.title not in page] == []
