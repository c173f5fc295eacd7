"""`fiksmelding journal export`: one report's history, for whoever asks for access to it."""

import asyncio
from pathlib import Path

from fiksmelding.cli.output import Exit, console
from fiksmelding.config import JournalSettings
from fiksmelding.journal import Journal
from fiksmelding.operations import history_of, kept_original

__all__ = ["export"]


async def export(settings: JournalSettings, some_id: str, *, original: Path | None, as_json: bool) -> Exit:
    """Print all that the journal knows of a report, but what it says.

    Args:
        settings: Where the journal is.
        some_id: An id of the report, or its reference.
        original: Where the sealed original is written, when wanted; it must not be there yet.
        as_json: Print JSON.
    """
    async with Journal(settings) as journal:
        history = await history_of(journal, some_id)
        if original is not None:
            entry = kept_original(history)
            with await asyncio.to_thread(original.open, "xb") as out:
                async for piece in journal.payload(entry):
                    await asyncio.to_thread(out.write, piece)
    told = history.to_json() if as_json else history.to_text()
    console.print(told, soft_wrap=True, highlight=False, markup=False, end="" if told.endswith("\n") else "\n")
    return Exit.FINE
