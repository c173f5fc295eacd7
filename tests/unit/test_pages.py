"""The pages say what the code does."""

import re
import tomllib
from pathlib import Path

import pytest
from lxml import etree
from pydantic import BaseModel

from fiksmelding.config import Settings
from fiksmelding.journal import ALLOWED, State

ROOT = Path(__file__).parents[2]
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


def test_the_picture_of_the_states_shows_every_way_and_no_other() -> None:
    picture = etree.fromstring((ROOT / "docs" / "road.svg").read_bytes())
    svg = "{http://www.w3.org/2000/svg}"
    ways = {
        tuple((way.findtext(f"{svg}title") or "").split(" to ")) for way in picture.findall(f"{svg}path[{svg}title]")
    }
    assert ways == {(before, after) for before, allowed in ALLOWED.items() for after in allowed}
    assert set(State) <= {text.text for text in picture.iter(f"{svg}text")}
    assert set(re.findall(r"[A-Z]{5,}", picture.findtext(f"{svg}desc") or "")) == set(State)


def test_the_states_told_as_text_are_those_of_the_picture() -> None:
    diagram = (ROOT / "docs" / "road.md").read_text("utf-8").split("stateDiagram-v2\n", 1)[1].split("```", 1)[0]
    ways = set(re.findall(r"([A-Z]+) --> ([A-Z]+):", diagram))
    assert ways == {(before, after) for before, allowed in ALLOWED.items() for after in allowed}
