"""`fiksmelding journal`: bring it to the present version, copy it, and see whether it is whole."""

import asyncio
import json
from pathlib import Path

from fiksmelding.cli.output import Exit, console
from fiksmelding.config import JournalSettings
from fiksmelding.errors import JournalError
from fiksmelding.journal import Alteration, Journal, back_up

__all__ = ["backup", "migrate", "verify"]


async def migrate(settings: JournalSettings) -> Exit:
    """Bring the journal's tables to the present version; every receiver does so by itself when it starts.

    Args:
        settings: Where the journal is.
    """
    async with Journal(settings) as journal:
        version = await journal.version()
    console.print(f"The journal is of version {version}, the present one.", highlight=False)
    return Exit.FINE


async def backup(settings: JournalSettings, file: Path) -> Exit:
    """Copy a SQLite journal as it is now into a new file; a receiver may go on meanwhile.

    Args:
        settings: Where the journal is.
        file: The file to make.
    """
    size = await asyncio.to_thread(back_up, settings.url, file)
    console.print(f"The journal is copied to {file} ({size} bytes).", highlight=False, soft_wrap=True)
    return Exit.FINE


async def verify(settings: JournalSettings, *, checkpoint: str | None = None, as_json: bool = False) -> Exit:
    """Tell whether the event log is as it was written, and where it was first altered.

    Args:
        settings: Where the journal is.
        checkpoint: The hash of a checkpoint that was noted elsewhere; the log must still hold it.
        as_json: Print JSON.

    Raises:
        JournalError: The log does not hold that checkpoint: it was cut off, or made anew.
    """
    async with Journal(settings) as journal:
        if checkpoint is not None and not await journal.holds_checkpoint(checkpoint):
            raise JournalError(
                "The event log does not hold that checkpoint.",
                advice="It was cut off before it, or this is another journal.",
            )
        altered = await journal.first_altered_event()
        last = await journal.last_checkpoint()
    if as_json:
        found = None if altered is None else {name: getattr(altered, name) for name in Alteration.__slots__}
        seal = None if last is None else {"number": last.number, "at": last.at.isoformat(), "hash": last.hash}
        console.print_json(json.dumps({"whole": altered is None, "firstAltered": found, "lastCheckpoint": seal}))
    else:
        console.print(_told(altered), highlight=False, soft_wrap=True)
        if last is not None:
            told = f"Last checkpoint: number {last.number}, {last.at.isoformat()}, {last.hash}"
            console.print(told, highlight=False, soft_wrap=True)
    return Exit.FINE if altered is None else Exit.PROBLEM


def _told(altered: Alteration | None) -> str:
    if altered is None:
        return "The event log is whole."
    places = {
        "entry": altered.entry_id,
        "event": altered.number,
        "place in the log": altered.sequence,
        "checkpoint": altered.checkpoint,
    }
    where = ", ".join(f"{name} {value}" for name, value in places.items() if value is not None)
    return f"The event log was altered: {altered.what} ({where})."
