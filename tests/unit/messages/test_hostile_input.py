"""Input made to break a reader: refused with a reason, at once, without reading or fetching anything else."""

import json
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fiksmelding.errors import InvalidMessage
from fiksmelding.messages import MessageType, OffentligBekymringsmelding, parse_json, parse_xml
from fiksmelding.messages.json_text import MAX_JSON_BYTES
from fiksmelding.messages.xml_format import MAX_XML_BYTES
from support.documents import EXAMPLES, example

XML = (EXAMPLES / "offentlig-v2.xml").read_bytes()
JSON = example(MessageType.OFFENTLIG_V2)
ROOT = b"<offentligBekymringsmelding"
MEGABYTE = 1024 * 1024


def with_doctype(subset: bytes) -> bytes:
    return XML.replace(ROOT, b"<!DOCTYPE offentligBekymringsmelding [" + subset + b"]>" + ROOT, 1)


BOMB = b"<!ENTITY a0 'aaaaaaaaaa'>" + b"".join(
    b"<!ENTITY a%d '%s'>" % (i, b"&a%d;" % (i - 1) * 10) for i in range(1, 12)
)

HOSTILE_XML = {
    "an entity bomb": (with_doctype(BOMB).replace(b"Ola", b"&a11;"), "document type"),
    "an entity bomb in an attribute": (
        with_doctype(BOMB).replace(b"<historie", b"<historie x='&a11;'"),
        "document type",
    ),
    "a parameter entity": (with_doctype(b"<!ENTITY % p SYSTEM 'http://127.0.0.1:9/p'>%p;"), "document type"),
    "an external DTD": (XML.replace(ROOT, b'<!DOCTYPE a SYSTEM "http://127.0.0.1:9/a.dtd">' + ROOT), "document type"),
    "a DTD that declares nothing": (
        XML.replace(ROOT, b"<!DOCTYPE offentligBekymringsmelding>" + ROOT),
        "document type",
    ),
    "an undeclared entity": (XML.replace(b"Ola", b"&hemmelig;"), "not well-formed"),
    "another root": (b"<rapport/>", "root element"),
    "another namespace": (XML.replace(b":v2", b":v3"), "root element"),
    "a receipt without content": ((EXAMPLES / "mottatt.xml").read_bytes(), "root element"),
    "UTF-16": (XML.decode().replace("UTF-8", "UTF-16").encode("utf-16"), "byte order mark"),
    "UTF-16 without mark": (XML.decode().encode("utf-16-le"), "not UTF-8"),
    "a byte order mark": (b"\xef\xbb\xbf" + XML, "byte order mark"),
    "UTF-7": (XML.replace(b"UTF-8", b"UTF-7"), "another encoding"),
    "Latin-1": (XML.decode().replace("UTF-8", "ISO-8859-1").encode("latin-1", "replace"), "another encoding"),
    "a surrogate in UTF-8": (XML.replace(b"Ola", b"\xed\xa0\x80"), "not UTF-8"),
    "a surrogate by reference": (XML.replace(b"Ola", b"&#xD800;"), "not well-formed"),
    "10 000 levels": (b"<a>" * 10_000 + b"</a>" * 10_000, "not well-formed"),
    "10 000 levels inside": (XML.replace(b"<historie>", b"<historie>" + b"<a>" * 10_000), "not well-formed"),
    "100 MB of white space": (b" " * (100 * MEGABYTE), "larger than"),
    "too large": (XML.replace(b"Ola", b"x" * MAX_XML_BYTES), "larger than"),
    "200 000 attributes": (
        XML.replace(b"<historie", b"<historie " + b" ".join(b"a%d='1'" % i for i in range(200_000))),
        "attributes",
    ),
    "an attribute too many": (
        b"<feilet xmlns='urn:no:fiksmelding:kvittering:v1'%s/>" % b"".join(b" a%d='1'" % i for i in range(9)),
        "more than 8 attributes",
    ),
    "nothing": (b"", "not well-formed"),
    "zero bytes": (bytes(100), "not well-formed"),
    "an escape that is none": (XML.replace(b"<historie>", b'<historie escaped="true">\\q'), "escape"),
    "an escaped surrogate": (XML.replace(b"<historie>", b'<historie escaped="true">\\uD800'), "escape"),
}


@pytest.mark.timeout(20)
@pytest.mark.parametrize(("data", "reason"), HOSTILE_XML.values(), ids=HOSTILE_XML)
def test_hostile_xml_is_refused_with_a_reason(data: bytes, reason: str) -> None:
    with pytest.raises(InvalidMessage) as caught:
        parse_xml(data)
    assert reason in caught.value.problems[0].reason


def in_json(inner: bytes) -> bytes:
    return JSON.replace(b"{", b'{"x":' + inner + b",", 1)


HOSTILE_JSON = {
    "a member twice": (JSON.replace(b'"fnr"', b'"fnr": "1", "fnr"', 1), "twice"),
    "an unknown member twice": (in_json(b'{"a":1,"a":1}'), "twice"),
    "the same member twice, once escaped": (in_json(b'{"a":1,"\\u0061":1}'), "twice"),
    "NaN": (in_json(b"NaN"), "not JSON"),
    "infinity": (in_json(b"-Infinity"), "not JSON"),
    "a lone surrogate": (JSON.replace(b"Ola", b"\\ud800"), "surrogate"),
    "a lone low surrogate": (JSON.replace(b"Ola", b"\\udc00 "), "surrogate"),
    "a lone surrogate in a name": (in_json(b'{"\\ud83d":1}'), "surrogate"),
    "10 000 levels of lists": (in_json(b"[" * 10_000 + b"]" * 10_000), "nested"),
    "10 000 levels of objects": (b'{"a":' * 10_000 + b"1" + b"}" * 10_000, "nested"),
    "100 MB of white space": (b" " * (100 * MEGABYTE), "larger than"),
    "too large": (JSON.replace(b"Ola", b"x" * MAX_JSON_BYTES), "larger than"),
    "a million digits": (in_json(b"9" * 1_000_000), "digits"),
    "an exponent of a thousand digits": (in_json(b"1e" + b"9" * 1000), "too large"),
    "UTF-16": (JSON.decode().encode("utf-16"), "byte order mark"),
    "UTF-32 without mark": (JSON.decode().encode("utf-32-be"), "not JSON"),
    "a byte order mark": (b"\xef\xbb\xbf" + JSON, "byte order mark"),
    "bytes that are not UTF-8": (JSON.replace(b"Ola", b"\xff"), "UTF-8"),
    "a control character in a text": (JSON.replace(b"Ola", b"\x01"), "not JSON"),
    "nothing": (b"", "ends too early"),
    "half a document": (JSON[:200], "ends too early"),
    "two documents": (JSON + JSON, "not JSON"),
    "a list": (b"[]", "must be an object"),
    "null": (b"null", "must be an object"),
    "an e-mail address of millions of parts": (JSON.replace(b"@", b"@" + b"aa." * 2_000_000 + b"!"), "form"),
    "millions of wrong items": (JSON.replace(b'"foresatte": [', b'"foresatte": [' + b"1," * 2_500_000), "at most"),
}


@pytest.mark.timeout(20)
@pytest.mark.parametrize(("data", "reason"), HOSTILE_JSON.values(), ids=HOSTILE_JSON)
def test_hostile_json_is_refused_with_a_reason(data: bytes, reason: str) -> None:
    with pytest.raises(InvalidMessage) as caught:
        parse_json(data, MessageType.OFFENTLIG_V2)
    assert reason in caught.value.problems[0].reason
    assert len(caught.value.problems) <= 1010


def test_no_file_is_read_for_an_external_entity(tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("hemmelig")
    data = with_doctype(b'<!ENTITY e SYSTEM "%s">' % secret.as_uri().encode()).replace(b"Ola", b"&e;")
    with pytest.raises(InvalidMessage) as caught:
        parse_xml(data)
    assert "hemmelig" not in str(caught.value)


def test_xinclude_is_not_followed(tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("hemmelig")
    include = f'<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="{secret.as_uri()}" parse="text"/>'
    with pytest.raises(InvalidMessage) as caught:
        parse_xml(XML.replace(b"<historie>", b"<historie>" + include.encode()))
    assert [problem.path for problem in caught.value.problems] == ["/melding/historie"]


def test_memory_stays_bounded_for_an_entity_bomb() -> None:
    tracemalloc.start()
    with pytest.raises(InvalidMessage):
        parse_xml(HOSTILE_XML["an entity bomb"][0])
    assert tracemalloc.get_traced_memory()[1] < MEGABYTE
    tracemalloc.stop()


@pytest.mark.parametrize(
    ("inside", "text"),
    [
        (b"<!-- <!DOCTYPE x> -->Ola", "Ola"),
        (b"<![CDATA[<!DOCTYPE x>]]>", "<!DOCTYPE x>"),
        (b"O<?pi x?>l<!-- -->a<![CDATA[ & ]]>", "Ola & "),
    ],
    ids=["comment", "cdata", "all"],
)
def test_comments_and_instructions_are_no_part_of_a_text_and_do_not_cut_it(inside: bytes, text: str) -> None:
    message = parse_xml(XML.replace(b"Ola Testbarn", inside + b" Testbarn"))
    assert isinstance(message, OffentligBekymringsmelding)
    assert message.offentlig_barn[0].personnavn == f"{text} Testbarn"


@pytest.mark.parametrize("parse", [parse_xml, lambda data: parse_json(data, MessageType.OFFENTLIG_V2)])
def test_no_value_of_the_document_is_in_the_error(parse: Callable[[bytes], Any]) -> None:
    marked = "HEMMELIG"
    document = json.loads(JSON)
    document["kommunenummer"] = document["bydelsnummer"] = marked
    document["foresatte"][0] = {"personnavn": f"{marked}\n{marked}", "orientert": marked, marked: marked}
    document["melding"] = marked
    broken = XML.replace(b"4601", marked.encode()).replace(b"true", marked.encode())
    broken = broken.replace(b"<historie>", f'<historie {marked}="{marked}"><{marked}/>{marked}'.encode())
    for data in (json.dumps(document).encode(), broken, broken[:-30], b'{"HEMMELIG": 1, "HEMMELIG": 2}'):
        with pytest.raises(InvalidMessage) as caught:
            parse(data)
        error: BaseException | None = caught.value
        while error is not None:
            assert marked not in f"{error} {error!r} {vars(error)}"
            error = error.__context__


def test_unknown_members_in_xml_must_be_a_json_object_of_unknown_members() -> None:
    for inner, reason in (
        (b"[1]", "object"),
        (b"{", "early"),
        (b'{"kommunenummer": 1}', "element of its own"),
        (b'{"a": NaN}', "not JSON"),
    ):
        end = b"</offentligBekymringsmelding>"
        with pytest.raises(InvalidMessage) as caught:
            parse_xml(XML.replace(end, b"<ukjenteFelter>" + inner + b"</ukjenteFelter>" + end))
        assert caught.value.problems[0].path == "/ukjenteFelter"
        assert reason in caught.value.problems[0].reason
