"""The pages say what the code does."""

import re
import tomllib
from collections.abc import Collection, Mapping
from enum import StrEnum
from pathlib import Path

import pytest
from lxml import etree
from pydantic import BaseModel

from fiksmelding.config import Settings
from fiksmelding.journal import ALLOWED
from fiksmelding.journal.outbox import PASSABLE

ROOT = Path(__file__).parents[2]
SVG = "{http://www.w3.org/2000/svg}"
SETTINGS_PAGE = (ROOT / "docs" / "settings.md").read_text("utf-8")


def keys() -> list[tuple[str, str, object]]:
    found: list[tuple[str, str, object]] = []
    for table, field in Settings.model_fields.items():
        assert isinstance(field.annotation, type)
        assert issubclass(field.annotation, BaseModel)
        found += [(table, key, one) for key, one in field.annotation.model_fields.items()]
    return found


@pytest.mark.parametrize(("table", "key"), [(table, key) for table, key, _ in keys()])
def test_every_setting_is_on_the_page(table: str, key: str) -> None:
    section = SETTINGS_PAGE.split(f"## `[{table}]`", 1)[1].split("\n## ", 1)[0]
    assert f"| `{key}` |" in section


def test_the_page_s_example_is_accepted(tmp_path: Path) -> None:
    example = SETTINGS_PAGE.split("```toml\n", 1)[1].split("```", 1)[0]
    settings = Settings.of(tomllib.loads(example), folder=tmp_path, environment={})
    assert settings.journal.url == "sqlite:////var/lib/fiksmelding/journal.db"


@pytest.mark.parametrize(
    "page", ["README.md", "CONTRIBUTING.md", *(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md"))]
)
def test_links_between_pages_lead_somewhere(page: str) -> None:
    text = (ROOT / page).read_text("utf-8")
    links = [part.split(")", 1)[0].split("#")[0] for part in text.split("](")[1:]]
    missing = [link for link in links if link and "://" not in link and not ((ROOT / page).parent / link).exists()]
    assert missing == []


def test_every_test_that_the_page_on_the_queue_names_is_there() -> None:
    page = (ROOT / "docs" / "broker.md").read_text("utf-8")
    named = set(re.findall(r"`(test_\w+)`", page))
    there = {
        name
        for file in (ROOT / "tests").rglob("test_*.py")
        for name in re.findall(r"def (test_\w+)", file.read_text("utf-8"))
    }
    assert named
    assert named <= there


def ways_drawn(picture: etree._Element) -> set[tuple[str, ...]]:
    return {tuple((way.findtext(f"{SVG}title") or "").split(" to ")) for way in picture.iter(f"{SVG}path") if len(way)}


def ways_told(page: str) -> set[tuple[str, str]]:
    diagram = (ROOT / "docs" / page).read_text("utf-8").split("stateDiagram-v2\n", 1)[1].split("```", 1)[0]
    return set(re.findall(r"([A-Z]+) --> ([A-Z]+):", diagram))


@pytest.mark.parametrize(("name", "rules"), [("road", ALLOWED), ("sending", PASSABLE)], ids=["received", "sent"])
def test_picture_and_text_of_the_states_show_every_way_and_no_other(
    name: str, rules: Mapping[StrEnum, Collection[StrEnum]]
) -> None:
    picture = etree.fromstring((ROOT / "docs" / f"{name}.svg").read_bytes())
    ways = {(before, after) for before, allowed in rules.items() for after in allowed}
    assert ways_drawn(picture) == ways
    assert ways_told(f"{name}.md") == ways
    assert set(rules) <= {text.text for text in picture.iter(f"{SVG}text")}
    assert set(re.findall(r"[A-Z]{5,}", picture.findtext(f"{SVG}desc") or "")) - {"LEVERT"} == set(rules)
