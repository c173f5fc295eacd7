"""Progress bars on large files, on standard error, and only where someone looks."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

from fiksmelding.cli.output import complaints

LARGE = 16 * 1024 * 1024
"""Bytes from which on it takes long enough to show."""


@contextmanager
def progress(total: int) -> Iterator[Progress]:
    """A display for work on `total` bytes; shows nothing for little work or without a terminal."""
    shown = total >= LARGE and complaints.is_terminal
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=complaints, transient=True, disable=not shown) as display:
        yield display


def watched(display: Progress, source: BinaryIO, *, size: int, name: str) -> BinaryIO:
    """`source`, with a bar that follows how much of it was read."""
    return display.wrap_file(source, total=size, description=name)
