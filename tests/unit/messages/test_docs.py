"""The page for vendors says what the schemas and the models say."""

import re

import pytest
from lxml import etree

from fiksmelding.messages import (
    Feilmelding,
    OffentligBekymringsmelding,
    PrivatBekymringsmelding,
    parse_xml,
)
from fiksmelding.messages.base import Part, fields_of
from fiksmelding.messages.json_text import MAX_DEPTH, MAX_JSON_BYTES
from fiksmelding.messages.schemas import schema_folder
from fiksmelding.messages.xml_format import MAX_XML_BYTES
from support.documents import EXAMPLES, ROOT

PAGE = (ROOT / "docs" / "schema.md").read_text("utf-8")
XS = "{http://www.w3.org/2001/XMLSchema}"


def parts_below(part: type[Part]) -> list[type[Part]]:
    return [part, *(below for field in fields_of(part) if field.part for below in parts_below(field.part))]


def section(part: type[Part]) -> str:
    name = "feilet" if part is Feilmelding else part.__name__[0].lower() + part.__name__[1:]
    return PAGE.split(f"### {name}\n")[1].split("\n### ")[0].split("\n## ")[0]


@pytest.mark.parametrize("root", [PrivatBekymringsmelding, OffentligBekymringsmelding, Feilmelding])
def test_every_field_has_a_row_in_its_table(root: type[Part]) -> None:
    for part in parts_below(root):
        rows = dict(re.findall(r"^\| `(\w+)` \| [^|]+ \| ([^|]+) \|", section(part), re.MULTILINE))
        assert list(rows) == [field.name for field in fields_of(part)]
        for field in fields_of(part):
            assert rows[field.name].startswith("required" if field.required else "optional")


def test_the_picture_shows_every_field() -> None:
    picture = (ROOT / "docs" / "schema.svg").read_text("utf-8")
    texts = [text.text for text in etree.fromstring(picture.encode()).iter("{http://www.w3.org/2000/svg}text")]
    parts = dict.fromkeys([*parts_below(PrivatBekymringsmelding), *parts_below(OffentligBekymringsmelding)])
    for part in parts:
        names = [field.name if field.required else f"{field.name}?" for field in fields_of(part)]
        assert all(texts.count(name) >= 1 for name in names)
    shown = [text for text in texts if text and text.isidentifier()]
    assert len(shown) > len(parts)


@pytest.mark.parametrize("name", ["offentlig-v2.json", "offentlig-v2.xml", "privat-v2.json", "privat-v2.xml"])
def test_the_examples_on_the_page_are_the_files(name: str) -> None:
    assert f"```{name[-4:].strip('.')}\n{(EXAMPLES / name).read_text('utf-8')}```" in PAGE


def test_the_limits_on_the_page_are_the_ones_in_force() -> None:
    assert f"{MAX_JSON_BYTES // 2**20} MiB of JSON or {MAX_XML_BYTES // 2**20} MiB of XML" in PAGE
    assert f"more than {MAX_DEPTH} levels" in PAGE


def test_the_escaping_shown_on_the_page_is_read() -> None:
    shown = re.search(r'<historie escaped="true">.*</historie>', PAGE)
    assert shown is not None
    xml = (EXAMPLES / "offentlig-v2.xml").read_text("utf-8")
    message = parse_xml(re.sub(r"<historie>.*</historie>", lambda _: shown.group(), xml).encode())
    assert isinstance(message, OffentligBekymringsmelding)
    assert message.melding.historie == "Limt inn fra C:\\notater: \x07 slutt"


@pytest.mark.parametrize("path", sorted(schema_folder().glob("*.xsd")), ids=lambda path: path.name)
def test_everything_in_the_schemas_is_documented_in_norwegian_and_english(path: object) -> None:
    for element in etree.parse(str(path)).iter(f"{XS}element", f"{XS}complexType", f"{XS}simpleType", f"{XS}attribute"):
        documented = {
            text.get("{http://www.w3.org/XML/1998/namespace}lang")
            for text in element.findall(f"{XS}annotation/{XS}documentation")
            if text.text and text.text.strip()
        }
        assert documented == {"nb", "en"}, element.get("name")
