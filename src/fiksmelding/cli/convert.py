"""`fiksmelding convert`: from JSON to XML and back, without loss."""

import sys
from pathlib import Path
from typing import Literal

from fiksmelding.cli.documents import parse_document, read_document


def convert(path: Path, *, to: Literal["json", "xml"], out: Path | None, given_type: str | None) -> None:
    """Convert one document; to standard output when `out` is None.

    Raises:
        InvalidMessage: The document is not valid.
        OSError: It cannot be read, or the result cannot be written.
    """
    message = parse_document(read_document(path, sys.stdin.buffer), given_type)
    data = message.to_xml() if to == "xml" else message.to_json()
    if out is None:
        sys.stdout.buffer.write(data + b"\n")
        sys.stdout.buffer.flush()
    else:
        out.write_bytes(data)
