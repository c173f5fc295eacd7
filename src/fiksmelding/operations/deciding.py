"""What a person decides about a report that a comparison has named, and that no program can decide."""

from fiksmelding.clock import Clock, SystemClock
from fiksmelding.config import JournalSettings
from fiksmelding.errors import JournalError
from fiksmelding.journal import DECIDED, Change, Entry, EventKind, Journal
from fiksmelding.operations.history import history_of
from fiksmelding.receiver.quarantine import plain_reason


async def settle(settings: JournalSettings, some_id: str, reason: str, *, clock: Clock | None = None) -> str:
    """Note that the case system rightly does not have a report: it was moved, or deleted as the law asks.

    No comparison looks for it any more, and it no longer keeps originals from being erased. Its history says so, and
    why. Recovering it ends this.

    Args:
        settings: Where the journal is.
        some_id: Its id in the journal, its `melding-id` or `bekymringsmelding-id`, or its reference.
        reason: Why, for the event log: 1 to 1 000 characters, without personal data.
        clock: Where the time is read.

    Returns:
        Its id in the journal.

    Raises:
        JournalError: There is none, or several go by that, or it was not registered, or this was said before.
        FiksmeldingError: The reason is empty, too long, or no plain text.
    """
    text, now = plain_reason(reason), (clock or SystemClock()).now()
    async with Journal(settings) as journal:
        original = await _original(journal, some_id)
        if original.reference is None:
            raise JournalError(
                f"It is {original.state}, and the case system never had it.",
                message_id=original.id,
                advice="Only what was registered can rightly be gone.",
            )
        if not await journal.reconciliations.settle(original.id, text, at=now):
            raise JournalError("That has been said of it before.", message_id=original.id)
    return original.id


async def send_receipt_again(settings: JournalSettings, some_id: str, *, clock: Clock | None = None) -> str:
    """Let a receipt be sent again that the platform had refused for good: whatever it minded has been mended.

    A running receiver sends it within seconds.

    Args:
        settings: Where the journal is.
        some_id: Its id in the journal, its `melding-id` or `bekymringsmelding-id`, or its reference.
        clock: Where the time is read.

    Returns:
        The id in the journal.

    Raises:
        JournalError: There is none, or several go by that, or no receipt of it waits for a person, or it is just being
            worked on.
    """
    now = (clock or SystemClock()).now()
    async with Journal(settings) as journal:
        entry = await _original(journal, some_id)
        if entry.state not in DECIDED or entry.receipt is None or entry.due_at is not None:
            raise JournalError(
                f"It is {entry.state}, and has no receipt that was refused.",
                message_id=entry.id,
                advice="`fiksmelding journal export` shows what has happened to it.",
            )
        await journal.record(entry, Change(event=EventKind.RETRIED, due_at=now, failures=0), at=now)
    return entry.id


async def _original(journal: Journal, some_id: str) -> Entry:
    """What was kept first of the report that goes by an id."""
    sendings = [sending.entry for sending in (await history_of(journal, some_id)).sendings]
    return next((entry for entry in sendings if entry.duplicate_of is None), sendings[0])
