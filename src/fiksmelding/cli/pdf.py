"""`fiksmelding pdf`: a report as people read it."""

import sys
from pathlib import Path

from fiksmelding.cli.documents import parse_document, read_document
from fiksmelding.errors import FiksmeldingError
from fiksmelding.messages import Feilmelding, Language, render_pdf


def make_pdf(path: Path, *, out: Path | None, given_type: str | None, language: str, report_id: str | None) -> None:
    """Make the PDF of one report; to standard output when `out` is None.

    Args:
        path: JSON or XML; `-` is standard input.
        out: Where the PDF goes.
        given_type: Message type of JSON, whole or as `privat.v2`; told by its content when None.
        language: "nb", "nn" or "en": of headings and labels.
        report_id: The report's own id, shown on each page.

    Raises:
        InvalidMessage: The document is not valid.
        FiksmeldingError: It is a receipt, or there is no such language.
        OSError: It cannot be read, or the PDF cannot be written.
    """
    if language not in set(Language):
        raise FiksmeldingError(f"There is no PDF in that language. Known: {', '.join(Language)}.")
    message = parse_document(read_document(path, sys.stdin.buffer), given_type)
    if isinstance(message, Feilmelding):
        raise FiksmeldingError("This is a receipt: only reports have a PDF.")
    data = render_pdf(message, report_id=report_id, language=language)
    if out is None:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    else:
        out.write_bytes(data)
