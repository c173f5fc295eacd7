"""Two lists compared, of whatever length: what the journal says is registered, and what the case system says it has.

Both go into a temporary SQLite database, which is on disk where they are long and is gone with the process; the
comparing is the database's. It never blocks the journal, and memory stays bounded. Everything here blocks.
"""

import sqlite3
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from types import TracebackType
from typing import Final, NamedTuple, Self

CACHE_KIB: Final = 16_384
PAGE: Final = 1000

_TABLES: Final = """
CREATE TABLE expected (exact TEXT, id TEXT, reference TEXT, received_at TEXT, erased INTEGER);
CREATE TABLE listed (exact TEXT);
"""
_COMPARE: Final = """
CREATE TABLE there (exact TEXT PRIMARY KEY, times INTEGER) WITHOUT ROWID;
INSERT INTO there SELECT exact, count(*) FROM listed GROUP BY exact;
CREATE INDEX expected_exact ON expected (exact);
CREATE INDEX expected_id ON expected (id);
CREATE TABLE absent AS
    SELECT rowid AS number, loose, row_number() OVER (PARTITION BY loose ORDER BY rowid) AS turn
    FROM (SELECT rowid, loosely(exact) AS loose FROM expected WHERE exact NOT IN (SELECT exact FROM there));
CREATE INDEX absent_loose ON absent (loose, turn);
CREATE TABLE spelled (number INTEGER PRIMARY KEY, exact TEXT);
INSERT INTO spelled SELECT absent.number, spare.exact FROM absent JOIN (
    SELECT exact, loose, row_number() OVER (PARTITION BY loose ORDER BY exact) AS turn FROM (
        SELECT exact, loosely(exact) AS loose FROM there WHERE exact NOT IN (SELECT exact FROM expected)
    ) WHERE loose IN (SELECT loose FROM absent)
) AS spare USING (loose, turn);
CREATE INDEX spelled_exact ON spelled (exact);
CREATE TABLE missing (number INTEGER PRIMARY KEY);
INSERT INTO missing SELECT number FROM absent WHERE number NOT IN (SELECT number FROM spelled);
"""


class Expected(NamedTuple):
    """A report that the case system should have.

    Attributes:
        id: The journal's id of it.
        reference: What the case system called it.
        received_at: When it was kept, as ISO 8601.
        erased: Whether its original is gone.
    """

    id: str
    reference: str
    received_at: str
    erased: bool


class Spelled(NamedTuple):
    """A report that is there under its reference as somebody else writes it.

    Attributes:
        id: The journal's id of it.
        reference: What the case system called it once.
        there: What it calls it now.
    """

    id: str
    reference: str
    there: str


class Shared(NamedTuple):
    """A reference that more reports have than the case system lists.

    Attributes:
        reference: The reference.
        reports: How many reports were registered under it.
        times: How often it is listed.
    """

    reference: str
    reports: int
    times: int


@dataclass(frozen=True, slots=True)
class Totals:
    """How the comparison ended.

    Attributes:
        expected: How many reports should be there.
        missing: How many of them are not.
        listed: How many references were listed, each counted once.
        repeated: How many more times some of them were listed.
    """

    expected: int
    missing: int
    listed: int
    repeated: int


class Comparison:
    """Compares references, exactly first, then without regard to case and spaces.

    A reference there stands for one that is spelled otherwise here only if no other report here has that very
    spelling: one report must not hide the absence of another.
    """

    def __init__(self) -> None:
        # "" is a temporary database on disk, which SQLite deletes; it may be used by one thread after the other.
        self._database = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        self._database.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
        self._database.execute("PRAGMA journal_mode = OFF")
        self._database.execute("PRAGMA synchronous = OFF")
        self._database.create_function("loosely", 1, _loosely, deterministic=True)
        self._database.executescript(_TABLES)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._database.close()

    def expect(self, reports: Iterable[Expected]) -> None:
        """Add reports that should be there."""
        self._insert(
            "INSERT INTO expected VALUES (?, ?, ?, ?, ?)", ((_exactly(one.reference), *one) for one in reports)
        )

    def list(self, references: Iterable[str]) -> None:
        """Add references that are there; empty ones are none."""
        plain = map(_exactly, references)
        self._insert("INSERT INTO listed VALUES (?)", ((exact,) for exact in plain if exact))

    def compare(self) -> Totals:
        """Compare, once everything is added."""
        self._database.executescript(_COMPARE)
        counts = [
            self._count(f"SELECT count(*) FROM {table}")  # noqa: S608 - our own names
            for table in ("expected", "missing", "there", "listed")
        ]
        return Totals(counts[0], counts[1], counts[2], counts[3] - counts[2])

    def missing(self) -> Iterator[Sequence[Expected]]:
        """The reports that are not there, page after page."""
        query = "SELECT id, reference, received_at, erased FROM expected WHERE rowid IN (SELECT number FROM missing)"
        for page in self._pages(query):
            yield [Expected(id_, reference, at, bool(erased)) for id_, reference, at, erased in page]

    def found(self, ids: Collection[str]) -> frozenset[str]:
        """Those of some reports that should be there, and are."""
        marks = ", ".join("?" * len(ids))
        query = f"SELECT id FROM expected WHERE id IN ({marks}) AND rowid NOT IN (SELECT number FROM missing)"  # noqa: S608
        return frozenset(row[0] for row in self._database.execute(query, list(ids)))

    def unexpected(self) -> Iterator[Sequence[str]]:
        """References there that no report here has, page after page."""
        query = (
            "SELECT exact FROM there WHERE exact NOT IN (SELECT exact FROM expected) "
            "AND exact NOT IN (SELECT exact FROM spelled)"
        )
        for page in self._pages(query):
            yield [row[0] for row in page]

    def spelled(self) -> Iterator[Spelled]:
        """Reports that are there under a reference with other spaces or letters."""
        query = (
            "SELECT expected.id, expected.reference, spelled.exact FROM spelled "
            "JOIN expected ON expected.rowid = spelled.number"
        )
        for page in self._pages(query):
            yield from map(Spelled._make, page)

    def shared(self) -> Iterator[Shared]:
        """References that fewer reports are listed under than were registered."""
        query = (
            "SELECT min(expected.reference), count(*), times FROM expected JOIN there USING (exact) "
            "GROUP BY exact HAVING count(*) > times"
        )
        for page in self._pages(query):
            yield from map(Shared._make, page)

    def _insert(self, statement: str, rows: Iterable[tuple[object, ...]]) -> None:
        self._database.execute("BEGIN")
        self._database.executemany(statement, rows)
        self._database.execute("COMMIT")

    def _count(self, query: str) -> int:
        return int(self._database.execute(query).fetchone()[0])

    def _pages(self, query: str) -> Iterator[Sequence[tuple[str, ...]]]:
        with closing(self._database.execute(query)) as cursor:
            while page := cursor.fetchmany(PAGE):
                yield page


def _exactly(reference: str) -> str:
    """A reference as it is, but for spaces around it."""
    if reference.isascii():
        return reference.strip()
    writable = reference.encode("utf-8", errors="replace").decode("utf-8")
    return unicodedata.normalize("NFC", writable).strip()


def _loosely(reference: str) -> str:
    """A reference without spaces and what cannot be seen, in small letters."""
    plain = unicodedata.normalize("NFKC", reference).casefold()
    return "".join("".join(one for one in plain if unicodedata.category(one) != "Cf").split())
