"""Where and why a document is not valid."""

import json
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from fiksmelding.errors import InvalidMessage
from fiksmelding.messages import Adresse, MessageType, parse_json, parse_xml
from support.documents import EXAMPLES, example, example_document

XML = (EXAMPLES / "offentlig-v2.xml").read_text("utf-8")


def xml_problems(xml: str) -> list[tuple[str, str]]:
    with pytest.raises(InvalidMessage) as caught:
        parse_xml(xml.encode())
    return [(problem.path, problem.reason) for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("old", "new", "path", "reason"),
    [
        ("<kommunenavn>Bergen</kommunenavn>", "", "/bydelsnummer", "is not expected here; expected: kommunenavn"),
        ("<kommunenummer>4601", "<kommunenummer>460", "/kommunenummer", "does not have the required form"),
        ("<orientert>false", "<orientert>kanskje", "/offentligBarn/1/orientert", "must be true or false"),
        ("<historie>", "<historie x='1'>", "/melding/historie", "has an attribute that is not allowed"),
        ("<historie>", "<historie escaped='kanskje'>", "/melding/historie", "must be true or false"),
        ("<virksomhet>", "<virksomhet>tekst", "/offentligMelder/virksomhet", "holds text beside its elements"),
        ("<personnavn>Ola", "<personnavn><b/>Ola", "/offentligBarn/0/personnavn", "holds an element where only text"),
        (
            "<poststed>Bergen</poststed>\n    </adresse>\n    <orientert>true",
            "<poststed>x</poststed><poststed>y</poststed>\n    </adresse>\n    <orientert>true",
            "/offentligBarn/0/adresse/poststed",
            "is not expected here; expected: ukjenteFelter",
        ),
    ],
)
def test_xml_problems_have_a_pointer_and_a_reason(old: str, new: str, path: str, reason: str) -> None:
    assert old in XML
    found = xml_problems(XML.replace(old, new, 1))
    at, why = found[0]
    assert (at, why[: len(reason)]) == (path, reason)


def test_an_incomplete_element_names_what_it_lacks() -> None:
    end = "</offentligBekymringsmelding>"
    cut = XML[: XML.index("  <melding>\n")] + end
    assert xml_problems(cut) == [("", "is incomplete; expected: melding")]
    cut = XML[: XML.index("  <andreHjelpeinstanser>")] + end
    assert xml_problems(cut) == [("", "is incomplete; expected: andreHjelpeinstanser or melding")]


def test_text_that_only_fits_when_escaped_is_judged_by_what_it_stands_for() -> None:
    twice = XML.replace("<kommunenavn>Bergen", "<kommunenavn escaped='true'>Ber\\u000Agen")
    assert xml_problems(twice) == [("/kommunenavn", "does not have the required form")]


def test_all_problems_of_lists_are_told_with_their_number() -> None:
    document: Any = example_document(MessageType.OFFENTLIG_V2)
    document["foresatte"] = [{"personnavn": "x", "orientert": "ja"}, 5, {"orientert": True}]
    document["offentligBarn"] = []
    with pytest.raises(InvalidMessage) as caught:
        parse_json(json.dumps(document).encode(), MessageType.OFFENTLIG_V2)
    assert {(problem.path, problem.reason) for problem in caught.value.problems} == {
        ("/offentligBarn", "must have at least 1 item"),
        ("/foresatte", "must have at most 2 items"),
        ("/foresatte/0/orientert", "must be true or false"),
        ("/foresatte/1", "must be an object"),
        ("/foresatte/2/personnavn", "is required and missing"),
    }


def test_pointers_escape_what_rfc_6901_says() -> None:
    with pytest.raises(InvalidMessage) as caught:
        parse_json(example(MessageType.PRIVAT_V1).replace(b'"melding"', b'"a/b~c"'), MessageType.PRIVAT_V1)
    assert [problem.path for problem in caught.value.problems] == ["/melding"]


@pytest.mark.parametrize(
    "value",
    [float("nan"), float("inf"), Decimal("NaN"), 10**4300, "\ud800", {"\udfff": 1}, {1: 2}, object(), b"x"],
    ids=["nan", "inf", "decimal nan", "digits", "surrogate", "surrogate name", "number name", "object", "bytes"],
)
def test_an_unknown_member_that_json_cannot_hold_is_refused_when_made(value: object) -> None:
    with pytest.raises(ValidationError):
        Adresse(adresselinje1="x", ekstra=value)


def test_an_unknown_member_nested_too_deep_is_refused_when_made() -> None:
    value: list[object] = []
    for _ in range(300):
        value = [value]
    with pytest.raises(ValidationError):
        Adresse(adresselinje1="x", ekstra=value)


def test_a_lone_surrogate_in_a_known_text_is_refused_when_made() -> None:
    with pytest.raises(ValidationError):
        Adresse(adresselinje1="\ud800")


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("1.10", Decimal("1.10")),
        ("1e400", Decimal("1E+400")),
        ("12345678901234567890123", 12345678901234567890123),
        ("1.5E+3", Decimal("1.5E+3")),
        ("-0.0", Decimal("-0.0")),
        ("0.1000000000000000055511151231257827", Decimal("0.1000000000000000055511151231257827")),
    ],
)
def test_numbers_of_unknown_members_keep_every_digit(written: str, kept: object) -> None:
    data = example(MessageType.PRIVAT_V2).replace(b"{", b'{"tall": ' + written.encode() + b",", 1)
    message = parse_json(data, MessageType.PRIVAT_V2)
    assert message.unknown_members["tall"] == kept
    again = parse_xml(message.to_xml())
    assert again == message
    assert parse_json(again.to_json(), MessageType.PRIVAT_V2).unknown_members["tall"] == kept


def test_a_float_from_a_program_is_kept_as_it_is_written() -> None:
    assert Adresse(adresselinje1="x", tall=0.1).unknown_members == {"tall": Decimal("0.1")}


def test_threads_that_read_at_once_get_their_own_problems() -> None:
    broken = {
        "/kommunenummer": XML.replace("<kommunenummer>4601", "<kommunenummer>46"),
        "/bydelsnummer": XML.replace("<bydelsnummer>02", "<bydelsnummer>2"),
        "/offentligMelder/epost": XML.replace("@skole", "skole"),
        "": XML,
    }

    def read(path: str) -> bool:
        for _ in range(150):
            try:
                parse_xml(broken[path].encode())
            except InvalidMessage as error:
                if [problem.path for problem in error.problems] != [path]:
                    return False
            else:
                if path:
                    return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(read, [*broken, *broken]))
