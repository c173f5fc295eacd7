"""RECEIVED → OPENED: decrypt, verify, parse."""

from dataclasses import dataclass
from typing import Literal

from fiksmelding.errors import EnvelopeError
from fiksmelding.journal import Change, Entry, EventKind, Journal, State
from fiksmelding.messages import REPORT_TYPES
from fiksmelding.receiver.facts import facts_of
from fiksmelding.receiver.identity import as_uuid
from fiksmelding.receiver.journey import Journey
from fiksmelding.receiver.opening import Opened, Opener
from fiksmelding.receiver.recording import Recorder
from fiksmelding.receiver.repetition import find_original
from fiksmelding.receiver.steps import Step

UNSTRUCTURED_TEXT = "Innholdet i bekymringsmelding.json følger ikke skjemaet for meldingstypen."


@dataclass(frozen=True, slots=True)
class OpenStep:
    """Opens a kept message, or sets it aside.

    Attributes:
        recorder: Where the outcome is written.
        journal: Where earlier sendings of the same report, and ids already in use, are found.
        opener: Opens an earlier sending to compare it.
        unstructured: What to do with a report whose JSON no schema accepts.
    """

    recorder: Recorder
    journal: Journal
    opener: Opener
    unstructured: Literal["hand_on", "reject"]

    async def __call__(self, entry: Entry, journey: Journey) -> Entry:
        """Take the step."""
        obstacle = _obstacle(entry)
        if obstacle is not None:
            return await self.recorder.quarantine(entry, obstacle)
        try:
            opened = await journey.open(entry)
        except EnvelopeError as error:
            return await self.recorder.quarantine(entry, f"{error.__class__.__name__}: {error.text}")
        entry = await self._opened(entry, opened)
        if opened.message is None and entry.duplicate_of is None and self.unstructured == "reject":
            return await self.recorder.reject(entry, UNSTRUCTURED_TEXT, cause="unstructured")
        return entry

    async def _opened(self, entry: Entry, opened: Opened) -> Entry:
        original = await find_original(self.journal, self.opener, entry, opened)
        report_id = await self._report_id(entry) if original is None else None
        detail: dict[str, str | int] = {
            "report_id": report_id or "",
            "original": original.id if original is not None else "",
            "structured": int(opened.message is not None),
            "signer": opened.signer.organisation_number or "",
            "signer_trusted": int(opened.signer.verdict.trusted),
        }
        change = Change(
            event=EventKind.OPENED,
            detail=detail,
            state=State.OPENED,
            due_at=self.recorder.at_once(entry),
            attempts=1,
            failures=0,
            report_id=report_id,
            duplicate_of=original.id if original is not None else None,
            facts=None if opened.message is None else facts_of(opened.message),
        )
        return await self.recorder.step(entry, change, Step.OPENED)

    async def _report_id(self, entry: Entry) -> str:
        """The report's own id if it has one to itself, else the platform's id of the sending, else our own.

        Only UUIDs: handlers make file names and keys of it.
        """
        for candidate in (entry.arrival.bekymringsmelding_id, entry.arrival.melding_id):
            report_id = as_uuid(candidate)
            if report_id and not await self.journal.report_id_taken(report_id, by_other_than=entry.id):
                return report_id
        return entry.id


def _obstacle(entry: Entry) -> str | None:
    arrival = entry.arrival
    if arrival.missing:
        return f"headers missing or malformed: {', '.join(arrival.missing)}"
    if arrival.melding_type not in REPORT_TYPES:
        return "unknown message type"
    if entry.size == 0:
        return entry.reason or "empty body"
    return None
