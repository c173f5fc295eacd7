"""How messages stand, as whoever looks from beside the road sees it: many at once, or all that goes by an id."""

from collections.abc import AsyncIterator, Collection, Sequence
from datetime import datetime

from fiksmelding.journal import periods, queries
from fiksmelding.journal.database import Database
from fiksmelding.journal.records import Entry, Standing, Waiting
from fiksmelding.journal.waiting import waiting_entries


class Overview:
    """The part of a journal that is asked by people, by comparisons and by what watches.

    Args:
        database: Where the journal is.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def standings(
        self, start: datetime, end: datetime, *, konto_id: str | None = None
    ) -> AsyncIterator[Sequence[Standing]]:
        """How the messages stand that were kept in a period, of one account or of all, page after page.

        Each page is read by itself: what is written meanwhile waits for nobody, and may show or not. Memory is bounded
        by a page.

        Args:
            start: When the period begins, aware.
            end: When it ends; what was kept at that very moment is not in it.
            konto_id: The account whose messages are wanted; those of all when absent.
        """
        place = periods.before_all(start)
        while True:
            page = await self._database.read(
                lambda connection: periods.standings(connection, place, end, konto_id)  # noqa: B023 - awaited
            )
            if page:
                yield page
                place = periods.after(page[-1])
            if len(page) < periods.PAGE:
                return

    async def known_references(self, references: Collection[str]) -> frozenset[str]:
        """Those of some references, or report ids, that any entry has, of whatever account and period.

        Args:
            references: At most as many as a page holds (`periods.PAGE`).
        """
        return await self._database.read(lambda connection: periods.known(connection, references))

    async def with_id(self, some_id: str) -> Sequence[Entry]:
        """Every entry of the reports that go by an id, the platform's, the sender's or ours, or by a reference.

        Looks through the whole journal, as for a single question from a person.
        """
        return await self._database.read(lambda connection: queries.with_id(connection, some_id))

    async def waiting(self, *, konto_id: str | None = None) -> Sequence[Waiting]:
        """How many entries, of one account or of all, wait in each state, and since when the oldest has."""
        return await self._database.read(lambda connection: waiting_entries(connection, konto_id))
