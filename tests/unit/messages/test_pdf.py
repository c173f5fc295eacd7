"""The PDF: complete, readable to a person and to a screen reader, the same each time."""

import json
import re
import threading
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pikepdf
import pytest
from fontTools.ttLib import TTFont

from fiksmelding.messages import (
    Bekymringsmelding,
    Feilmelding,
    Language,
    MessageType,
    OffentligBekymringsmelding,
    parse_json,
    pdf_text,
    render_pdf,
)
from fiksmelding.messages.pdf_text import FONT_FOLDER, paragraphs, shown
from fiksmelding.messages.pdf_texts import TEXTS
from fiksmelding.simulator.synthetic import Length, SyntheticReports
from support.documents import example, example_document
from support.schema_strategies import AWKWARD_TEXTS
from support.tools import run

REPORT_ID = "8d1b0a0e-6f0c-4a3e-9d53-2f5f6f6f5f00"


def report(**changes: object) -> OffentligBekymringsmelding:
    document = example_document(MessageType.OFFENTLIG_V2) | changes
    message = parse_json(json.dumps(document).encode(), MessageType.OFFENTLIG_V2)
    assert isinstance(message, OffentligBekymringsmelding)
    return message


def with_history(text: str) -> OffentligBekymringsmelding:
    return report(melding={"melding": "a", "historie": text})


def text_of(data: bytes, tmp_path: Path) -> str:
    """All the text of a PDF as pdftotext reads it, in the order of the document's content."""
    path = tmp_path / "report.pdf"
    path.write_bytes(data)
    return run("pdftotext", "-raw", path, "-").decode()


def squeezed(text: str) -> str:
    """A text without white space and other places where a line may be broken."""
    return re.sub(r"[\s\u200b\u00ad]+", "", text)


def without_edges(text: str) -> str:
    """The pages' text without headers and footers, so that a text that flows over pages is whole."""
    header = f"(?:{TEXTS[Language.BOKMAAL]['title']}\\s+)?{TEXTS[Language.BOKMAAL]['confidential']}"
    return re.sub(rf"{header}\s|Meldingens ID: \S+\s|Side \d+ av \d+\s", "", text)


def texts_in(value: object, *, name: str = "") -> Iterator[str]:
    if isinstance(value, dict):
        for member, inner in value.items():
            yield from texts_in(inner, name=member)
    elif isinstance(value, list):
        for inner in value:
            yield from texts_in(inner)
    elif isinstance(value, str):
        yield value


def test_every_text_of_fifty_reports_is_in_their_pdfs(tmp_path: Path) -> None:
    for number, message in enumerate(SyntheticReports(11).reports(50)):
        language = list(Language)[number % 3]
        read = squeezed(without_edges(text_of(render_pdf(message, report_id=REPORT_ID, language=language), tmp_path)))
        if language is not Language.BOKMAAL:
            texts = TEXTS[language]
            for edge in (texts["title"], texts["confidential"], squeezed(f"{texts['report_id']}: {REPORT_ID}")):
                read = read.replace(squeezed(edge), "")
            read = re.sub(r"Side\d+av\d+|Page\d+of\d+", "", read)
        for text in texts_in(json.loads(message.to_json())):
            for line in text.split("\n"):
                if "العربية" not in line:  # pdftotext gives right-to-left text back in another order
                    assert squeezed(line) in read


def test_unknown_members_are_in_the_pdf_at_every_level(tmp_path: Path) -> None:
    document: Any = example_document(MessageType.OFFENTLIG_V2)
    marked: list[str] = []

    def mark(value: object) -> None:
        if isinstance(value, dict):
            for inner in list(value.values()):
                mark(inner)
            marked.append(f"ukjent{len(marked)}")
            value[marked[-1]] = {"dypt": [1.50, None, f"verdi-{marked[-1]}"]}
        elif isinstance(value, list):
            for inner in value:
                mark(inner)

    mark(document)
    message = parse_json(json.dumps(document).encode(), MessageType.OFFENTLIG_V2)
    assert not isinstance(message, Feilmelding)
    read = squeezed(text_of(render_pdf(message), tmp_path))
    assert len(marked) == 11
    for name in marked:
        assert f"«{name}»" in read
        assert f'"verdi-{name}"' in read


def test_absent_and_empty_optional_members_make_no_rows_and_empty_required_ones_say_so(tmp_path: Path) -> None:
    document: Any = example_document(MessageType.OFFENTLIG_V2)
    document["offentligBarn"] = [
        {"fnr": "", "ufoedt": True, "personnavn": " ", "adresse": {"adresselinje1": ""}, "orientert": False}
    ]
    del document["behovForTolk"], document["andreHjelpeinstanser"]
    read = text_of(render_pdf(report(**document).model_copy(update={"behov_for_tolk": None})), tmp_path)
    assert read.count("Ikke oppgitt") == 3
    assert "None" not in read
    del document["melding"]["andreSynspunkter"]
    first = parse_json(json.dumps(document).encode(), MessageType.OFFENTLIG_V2)
    assert not isinstance(first, Feilmelding)
    read = text_of(render_pdf(first), tmp_path)
    assert "Tolk" not in read
    assert "Andre synspunkter" not in read


def test_text_is_never_markup(tmp_path: Path) -> None:
    markup = '*fet* _kursiv_ #panic("x") #sys.inputs $x^2$ `kode` <lapp> @ref = Overskrift // bort \\ ~ -- "sitat"'
    read = text_of(render_pdf(with_history(markup)), tmp_path)
    assert squeezed(markup) in squeezed(read)


@pytest.mark.parametrize("text", AWKWARD_TEXTS)
def test_awkward_text_everywhere_still_makes_a_pdf(text: str) -> None:
    document: Any = example_document(MessageType.OFFENTLIG_V2)
    line = text.replace("\n", " ")
    document |= {"leveringskanal": text, "kommunenavn": line, text: {text: [text]}}
    document["melding"] |= {"melding": text, "historie": text, "andreSynspunkter": text}
    document["offentligBarn"][0]["personnavn"] = document["foresatte"][0]["orientertGrunn"] = line
    assert render_pdf(report(**document), report_id=text).startswith(b"%PDF")


def test_what_no_font_has_is_shown_by_its_code_point(tmp_path: Path) -> None:
    read = text_of(render_pdf(with_history("hjerte \U0001f496, 孩 og bjelle \x07, \u202eskjult")), tmp_path)
    assert "hjerte [U+1F496], [U+5B69] og bjelle [U+0007], [U+202E]skjult" in read


def test_sami_greek_cyrillic_and_arabic_letters_are_set_as_they_are(tmp_path: Path) -> None:
    letters = "ÁáČčĐđŊŋŠšŦŧŽž Ανησυχώ για το παιδί Беспокоюсь о ребёнке"
    assert squeezed(letters) in squeezed(text_of(render_pdf(with_history(letters)), tmp_path))
    assert shown("أنا قلقة على طفلي") == "أنا قلقة على طفلي"


def test_a_word_longer_than_a_line_is_broken_and_stays_on_the_page(tmp_path: Path) -> None:
    word = "".join(f"{number:05d}" for number in range(300))
    data = render_pdf(with_history(word))
    path = tmp_path / "long.pdf"
    path.write_bytes(data)
    boxes = run("pdftotext", "-bbox", path, "-").decode()
    assert squeezed(word) in squeezed(without_edges(text_of(data, tmp_path)))
    assert max(float(found) for found in re.findall(r'xMax="([\d.]+)"', boxes)) < 595 - 40


def test_paragraphs_and_lines_of_a_text_are_kept() -> None:
    assert paragraphs("a\r\nb\rc\n\n d\n \n\ne\u2028f\u2029g") == [["a", "b", "c"], [" d"], ["e", "f"], ["g"]]
    assert paragraphs(" \n\t") == []


def test_a_combination_that_cannot_be_set_costs_no_report_its_pdf(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(pdf_text, "_has_glyph", lambda _: True)
    read = text_of(render_pdf(with_history("før \ue000 etter")), tmp_path)
    assert "før [U+E000] etter" in read


def test_the_same_report_makes_the_same_bytes() -> None:
    message = SyntheticReports(2).report(MessageType.OFFENTLIG_V2)
    assert render_pdf(message, report_id=REPORT_ID) == render_pdf(message, report_id=REPORT_ID)


def test_many_threads_may_render_at_once() -> None:
    message = SyntheticReports(2).report(MessageType.OFFENTLIG_V2)
    expected = render_pdf(message)
    found: list[bytes] = []
    threads = [threading.Thread(target=lambda: found.append(render_pdf(message))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [expected] * 8


def test_page_numbers_and_the_report_id_are_on_every_page(tmp_path: Path) -> None:
    message = SyntheticReports(2).report(MessageType.OFFENTLIG_V2, length=Length.LONG)
    pages = text_of(render_pdf(message, report_id=REPORT_ID), tmp_path).split("\f")[:-1]
    assert len(pages) > 1
    for number, page in enumerate(pages, 1):
        assert f"Side {number} av {len(pages)}" in page
        assert f"Meldingens ID: {REPORT_ID}" in page
        assert "taushetsbelagte" in page


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("nb", ["Hva bekymringen gjelder", "oktober 2026 kl. 13.05"]),
        ("nn", ["Kva uroa gjeld", "Føresette"]),
        ("en", ["What the concern is", "15 October 2026 at 13:05"]),
    ],
)
def test_headings_come_in_three_languages(language: str, words: list[str], tmp_path: Path) -> None:
    data = render_pdf(report(), language=language)
    read = text_of(data, tmp_path)
    assert all(word in read for word in words)
    assert pikepdf.open(BytesIO(data)).Root.Lang == language


def test_another_language_is_an_error() -> None:
    with pytest.raises(ValueError, match="sv"):
        render_pdf(report(), language="sv")


@pytest.mark.parametrize("sent", ["i går", "2026-10-15T11:05:40Z", "9999-12-31T23:59:59-23:00", "0001-01-01", ""])
def test_a_time_that_is_no_local_time_is_shown_as_it_is(sent: str, tmp_path: Path) -> None:
    read = text_of(render_pdf(report(sendingstidspunkt=sent)), tmp_path)
    assert (sent or "Ikke oppgitt") in read


def test_a_time_with_a_zone_is_shown_in_norwegian_time(tmp_path: Path) -> None:
    assert "15. oktober 2026 kl. 13.05" in text_of(render_pdf(report(sendingstidspunkt="2026-10-15T11:05Z")), tmp_path)


def elements(data: bytes) -> list[str]:
    """The tags of a PDF in reading order, as paths."""
    found = []

    def walk(node: Any, path: str) -> None:
        if isinstance(node, pikepdf.Array):
            for kid in node:
                walk(kid, path)
        elif isinstance(node, pikepdf.Dictionary) and "/S" in node:
            here = f"{path}{node.S}"
            found.append(here)
            walk(node.get("/K"), here)

    pdf = pikepdf.open(BytesIO(data))
    walk(pdf.Root.StructTreeRoot.K, "")
    return found


def reports_to_inspect() -> list[Bekymringsmelding]:
    return [*SyntheticReports(6).reports(8), report()]


def test_an_independent_reader_finds_what_the_standards_ask_for() -> None:
    for message in reports_to_inspect():
        pdf = pikepdf.open(BytesIO(render_pdf(message, report_id=REPORT_ID)))
        assert pdf.Root.MarkInfo.Marked
        assert pdf.Root.ViewerPreferences.DisplayDocTitle
        assert pdf.Root.Lang == "nb"
        with pdf.open_metadata() as metadata:
            assert metadata["pdfaid:part"] == "2"
            assert metadata["pdfaid:conformance"] == "A"
            assert metadata["pdfuaid:part"] == "1"
            assert metadata["dc:title"] == TEXTS[Language.BOKMAAL]["title"]
        fonts = {name: font for page in pdf.pages for name, font in page.Resources.Font.items()}
        assert fonts
        for font in fonts.values():
            assert "/ToUnicode" in font
            assert "/FontFile2" in font.DescendantFonts[0].FontDescriptor
        assert not [name for name in ("/JavaScript", "/EmbeddedFiles") if name in pdf.Root.get("/Names", {})]
        assert all("/StructParents" in page for page in pdf.pages)
        assert [float(side) for side in pdf.pages[0].MediaBox] == pytest.approx([0, 0, 595.28, 841.89], abs=0.01)


def test_the_tags_tell_headings_lists_and_paragraphs_in_reading_order() -> None:
    found = elements(render_pdf(report()))
    tops = [path.removeprefix("/Document") for path in found if path.count("/") == 2]
    assert tops[:4] == ["/Title", "/P", "/H1", "/L"]
    assert {"/H1", "/H2", "/L", "/P", "/Title"} == set(tops)
    rows = [path for path in found if path.endswith("/LI")]
    assert len(rows) == len([path for path in found if path.endswith("/LI/Lbl")])
    assert len(rows) == len([path for path in found if path.endswith("/LI/LBody")])


def test_the_reading_order_is_that_of_the_case_worker(tmp_path: Path) -> None:
    read = text_of(render_pdf(report()), tmp_path)
    order = ["Om meldingen", "Barna", "Hva bekymringen gjelder", "Hva som har skjedd", "Foresatte", "Hvem som melder"]
    places = [read.index(f"{heading}") for heading in order]
    assert places == sorted(places)


def test_the_coverage_file_says_what_the_fonts_have() -> None:
    def characters(*names: str) -> set[int]:
        return {code for name in names for code in TTFont(FONT_FOLDER / name).getBestCmap()}

    regular = characters("NotoSans-Regular.ttf", "NotoSansArabic-Regular.ttf")
    bold = characters("NotoSans-Bold.ttf", "NotoSansArabic-Bold.ttf")
    ranges = json.loads((FONT_FOLDER / "coverage.json").read_text("utf-8"))
    assert {code for first, last in ranges for code in range(first, last + 1)} == regular & bold


def test_a_private_report_names_its_kind_and_an_empty_list_of_children_says_so(tmp_path: Path) -> None:
    document = json.loads(example(MessageType.PRIVAT_V1)) | {"privatBarn": []}
    message = parse_json(json.dumps(document).encode(), MessageType.PRIVAT_V1)
    assert not isinstance(message, Feilmelding)
    read = text_of(render_pdf(message), tmp_path)
    assert "Fra en privatperson" in read
    assert "Meldingen oppgir ingen barn." in read


def test_the_rows_of_one_person_stay_on_one_page_together(tmp_path: Path) -> None:
    for lines in range(18, 40):
        filler = "\n".join(str(number) for number in range(lines))
        pages = text_of(render_pdf(with_history(filler)), tmp_path).split("\f")
        with_name = [page for page in pages if "Per Testforelder" in page]
        assert [page for page in pages if "utsatt for press" in page] == with_name


def test_rows_longer_than_a_page_flow_over_pages(tmp_path: Path) -> None:
    message = report(ekstra="\n".join(f"linje {number}" for number in range(300)))
    read = text_of(render_pdf(message), tmp_path)
    assert all(f"linje {number}\n" in read for number in range(300))
