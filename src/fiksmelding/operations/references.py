"""What a case system says it has: a function of the vendor's, a file of references, or the folder handler's folder.

Read as a stream: an archive of a million references takes no more memory than one of ten.
"""

import asyncio
import csv
import re
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Final

from fiksmelding.errors import SettingsError
from fiksmelding.operations.json_elements import json_elements
from fiksmelding.operations.period import Period
from fiksmelding.receiver import folder

CaseSystem = Callable[[Period], AsyncIterable[str] | Awaitable[Iterable[str]]]
"""Tells the references of the reports that the case system has: those registered since the period began, or more.

An asynchronous generator, or a coroutine function that returns them all. What it raises means that the comparison could
not be made; half a list is never taken for a whole one.
"""

NAMES: Final = frozenset({"reference", "referanse", "ref", "saksnummer", "saksnr", "journalnummer", "journalnr"})
"""What the column of references is called, where nobody says so."""
BATCH: Final = 5000
_SEPARATOR_LINE: Final = re.compile(r"sep=(.)\s*", re.IGNORECASE)
_NO_SEPARATOR: Final = "\x1f"
_BYTE_ORDER_MARKS: Final = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))


def in_file(file: Path, column: str | None = None) -> CaseSystem:
    """The references in a CSV or JSON file.

    CSV as Excel, too, writes it: separated by semicolon, comma or tab, with or without a byte order mark, in UTF-8,
    UTF-16 or Windows-1252. JSON: an array of references, or of objects; or one of either on each line.

    Args:
        file: The file; `.json` and `.jsonl` are JSON, anything else CSV.
        column: The column's heading or, in CSV, its number from 1; the member's name in JSON. When absent, the one that
            is called `reference`, `referanse` or the like; a file of one column needs none.

    Raises:
        SettingsError: When read: the file cannot be read, or which column is meant is unclear.
    """
    reading = _from_json if file.suffix.lower() in {".json", ".jsonl"} else _from_csv

    async def references(_period: Period) -> AsyncIterator[str]:
        async for reference in _in_thread(_told(reading(file, column), file)):
            yield reference

    return references


def in_folder(path: Path) -> CaseSystem:
    """The references of the reports in the folder handler's folder that are whole.

    Args:
        path: The folder.

    Raises:
        SettingsError: When read: there is no such folder.
    """

    async def references(_period: Period) -> AsyncIterator[str]:
        if not await asyncio.to_thread(path.is_dir):
            raise SettingsError(f"There is no folder {path}.", advice="Make an empty one if all of it was lost.")
        async for reference in _in_thread(_told(folder.whole_reports(path), path)):
            yield reference

    return references


async def references_of(case_system: CaseSystem, period: Period) -> AsyncIterator[str]:
    """What a case system tells, however it tells it.

    Raises:
        TypeError: A reference is no text and no number.
        Exception: Whatever the case system's side raises.
    """
    told = case_system(period)
    if isinstance(told, AsyncIterable):
        async for reference in told:
            yield _text(reference)
    else:
        for reference in await told:
            yield _text(reference)


def _text(reference: object) -> str:
    if isinstance(reference, str):
        return reference
    if isinstance(reference, int) and not isinstance(reference, bool):
        return str(reference)
    raise TypeError("a reference has to be text")


async def _in_thread(references: Iterator[str]) -> AsyncIterator[str]:
    while batch := await asyncio.to_thread(lambda: list(islice(references, BATCH))):
        for reference in batch:
            yield reference


def _told(references: Iterator[str], file: Path) -> Iterator[str]:
    """The same, with every fault of the file in words; none of them holds what stands in it."""
    try:
        yield from references
    except OSError as error:
        raise SettingsError(f"{file} cannot be read: {error.strerror}.") from error
    except (csv.Error, UnicodeError, ValueError) as error:
        raise SettingsError(f"{file} cannot be read as a list of references: {_without_content(error)}.") from error


def _without_content(error: Exception) -> str:
    return str(error) if isinstance(error, csv.Error) else error.__class__.__name__


def _from_json(file: Path, column: str | None) -> Iterator[str]:
    with file.open(encoding=_encoding(file)) as opened:
        for element in json_elements(opened):
            if isinstance(element, dict):
                names = [name for name in element if _is_wanted(name, column)]
                if len(names) != 1:
                    raise SettingsError(f"{file}: which member is the reference? Say it by its name (--column).")
                element = element[names[0]]  # noqa: PLW2901 - the reference in it
            if element is not None:
                yield _text(element)


def _from_csv(file: Path, column: str | None) -> Iterator[str]:
    with file.open(encoding=_encoding(file), newline="") as opened:
        first = opened.readline()
        separator = _SEPARATOR_LINE.fullmatch(first)
        if separator is None:
            opened.seek(0)
        rows = csv.reader(opened, delimiter=separator[1] if separator else _delimiter(first))
        heading = next(rows, [])
        place, is_heading = _place(heading, column, file)
        if not is_heading:
            yield from heading[place : place + 1]
        for row in rows:
            yield from row[place : place + 1]


def _place(heading: list[str], column: str | None, file: Path) -> tuple[int, bool]:
    """Which column it is, and whether the first row is a heading."""
    wanted = [place for place, name in enumerate(heading) if _is_wanted(name, column)]
    if len(wanted) == 1:
        return wanted[0], True
    if column is not None and column.isdecimal() and 1 <= int(column) <= len(heading):
        place = int(column) - 1
        return place, _is_wanted(heading[place], None)
    if column is None and not wanted and len(heading) <= 1:
        return 0, False
    raise SettingsError(
        f"{file} has {len(heading)} columns, and which one is the reference is unclear.",
        advice="Say it by --column: its heading, or its number from 1.",
    )


def _is_wanted(name: str, column: str | None) -> bool:
    plain = name.strip().casefold()
    return plain in NAMES if column is None else plain == column.strip().casefold()


def _delimiter(line: str) -> str:
    counts = {delimiter: line.count(delimiter) for delimiter in (";", "\t", ",")}
    most = max(counts, key=lambda delimiter: counts[delimiter])
    return most if counts[most] else _NO_SEPARATOR


def _encoding(file: Path) -> str:
    """By its byte order mark; else UTF-8 where all of it is, and Windows' own where it is not."""
    with file.open("rb") as opened:
        start = opened.read(4)
    for mark, encoding in _BYTE_ORDER_MARKS:
        if start.startswith(mark):
            return encoding
    try:
        with file.open(encoding="utf-8") as text:
            while text.read(1 << 20):
                pass
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8"
