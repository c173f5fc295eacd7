"""A report as a PDF: tagged (PDF/UA-1) and fit for archives (PDF/A-2a), the same bytes each time."""

import json
import re
from dataclasses import asdict
from functools import cache
from pathlib import Path

import typst

from fiksmelding.messages.pdf_content import content_of
from fiksmelding.messages.pdf_text import FONT_FOLDER
from fiksmelding.messages.pdf_texts import Language
from fiksmelding.messages.reports import Bekymringsmelding

__all__ = ["render_pdf"]

_UNUSUAL = re.compile("[^\n -~æøåÆØÅéèôüöä«»–]")
_TEMPLATE_FOLDER = Path(__file__).parent / "pdf_template"


@cache
def _fonts() -> typst.Fonts:
    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[FONT_FOLDER])


def render_pdf(
    message: Bekymringsmelding, *, report_id: str | None = None, language: Language | str = Language.BOKMAAL
) -> bytes:
    """Make the PDF of a report, with every member of it, unknown ones too.

    It takes some milliseconds of computing: an async caller uses a thread. The same arguments give the same bytes.

    Args:
        message: The report.
        report_id: The report's own id, shown on each page.
        language: The language of headings and labels: "nb" (bokmål), "nn" (nynorsk) or "en".

    Raises:
        ValueError: If the language is none of these.
    """
    content = json.dumps(
        asdict(content_of(message, report_id=report_id, language=Language(language))), ensure_ascii=False
    )
    try:
        return _compile(content)
    except typst.TypstError:
        # A combination of characters that the fonts or the standards refuse must not cost a report its PDF.
        return _compile(_UNUSUAL.sub(lambda found: f"[U+{ord(found.group()):04X}]", content))


def _compile(content: str) -> bytes:
    # A compiler of its own for each call: compilers are not for several threads at once, the fonts are.
    compiler = typst.Compiler(
        input=_TEMPLATE_FOLDER / "report.typ",
        root=_TEMPLATE_FOLDER,
        font_paths=_fonts(),
        ignore_system_fonts=True,
        # What the report says goes in as data; the template never reads it as markup.
        sys_inputs={"content": content},
    )
    made = compiler.compile(format="pdf", pdf_standards=["a-2a", "ua-1"])
    if not isinstance(made, bytes):  # a list only for formats of one file a page
        raise TypeError(f"typst returned {type(made).__name__} for a PDF")
    return made
