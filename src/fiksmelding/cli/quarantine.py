"""`fiksmelding quarantine`: what was set aside, and what a person decides about it."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime

from fiksmelding.cli.output import Exit, console, line
from fiksmelding.config import JournalSettings
from fiksmelding.receiver import Quarantine, Quarantined

__all__ = ["list_messages", "reject", "retry", "show"]


async def list_messages(settings: JournalSettings, *, as_json: bool) -> Exit:
    """List what is set aside; status 1 when anything is.

    Args:
        settings: Where the journal is.
        as_json: Print JSON.
    """
    async with Quarantine(settings) as quarantine:
        messages = await quarantine.messages()
    if as_json:
        console.print_json(json.dumps([_facts(message) for message in messages]))
    elif messages:
        _print_messages(messages)
    else:
        console.print("Nothing is set aside.")
    return Exit.PROBLEM if messages else Exit.FINE


async def show(settings: JournalSettings, message_id: str, *, as_json: bool) -> Exit:
    """Show what has happened to one message; never what it says.

    Args:
        settings: Where the journal is.
        message_id: Its id in the journal, or its `melding-id`.
        as_json: Print JSON.
    """
    async with Quarantine(settings) as quarantine:
        events = await quarantine.events(message_id)
        entry_id = events[0].entry_id
        [message] = [message for message in await quarantine.messages() if message.id == entry_id]
    told = [{"at": event.at.isoformat(), "event": event.kind.value, "detail": dict(event.detail)} for event in events]
    if as_json:
        console.print_json(json.dumps({**_facts(message), "events": told}))
        return Exit.FINE
    for name, value in _facts(message).items():
        line(f"{name}: {'' if value is None else value}")
    for event in events:
        detail = ", ".join(f"{name}={value}" for name, value in event.detail.items())
        line(f"{event.at.isoformat(timespec='seconds')}  {event.kind}  {detail}")
    return Exit.FINE


async def retry(settings: JournalSettings, message_id: str, *, as_json: bool) -> Exit:
    """Let one message be opened again.

    Args:
        settings: Where the journal is.
        message_id: Its id in the journal, or its `melding-id`.
        as_json: Print JSON.
    """
    async with Quarantine(settings) as quarantine:
        message = await quarantine.retry(message_id)
    if as_json:
        console.print_json(json.dumps({"id": message.id, "decision": "retry"}))
    else:
        line(f"{message.id} is opened again, within seconds where a receiver runs. What fails again is listed again.")
    return Exit.FINE


async def reject(settings: JournalSettings, message_id: str, reason: str, *, as_json: bool) -> Exit:
    """Decide that one message will not be registered.

    Args:
        settings: Where the journal is.
        message_id: Its id in the journal, or its `melding-id`.
        reason: Why, for the one who reads the receipt.
        as_json: Print JSON.
    """
    async with Quarantine(settings) as quarantine:
        message = await quarantine.reject(message_id, reason)
    if as_json:
        facts = {"id": message.id, "decision": "reject", "answered": message.answerable}
        console.print_json(json.dumps(facts))
    elif message.answerable:
        line(f"{message.id} is rejected. The sender gets feilet, and the platform sends the report by letter.")
    else:
        line(
            f"{message.id} is rejected, and nobody is told: it names no sender, no id or no type of this protocol "
            "to answer. If it is a report, see to it that its sender hears of it."
        )
    return Exit.FINE


def _facts(message: Quarantined) -> dict[str, str | int | bool | None]:
    deadline = message.deadline_at
    return {
        "id": message.id,
        "meldingId": message.melding_id,
        "type": message.melding_type,
        "sender": message.avsender_id,
        "reason": message.reason,
        "receivedAt": message.received_at.isoformat(),
        "deadlineAt": None if deadline is None else deadline.isoformat(),
        "answerable": message.answerable,
        "bytes": message.size,
    }


def _print_messages(messages: Sequence[Quarantined]) -> None:
    """A block of lines for each: whole ids, which a table would fold."""
    now = datetime.now(UTC)
    for message in messages:
        age = _hours((now - message.received_at).total_seconds())
        left = "cannot be answered"
        if message.deadline_at is not None:
            left = f"answered feilet in {_hours((message.deadline_at - now).total_seconds())}"
        line(f"{message.id}  {message.reason}")
        line(f"    {message.melding_type or 'no type'}, {age} old, {left}")


def _hours(seconds: float) -> str:
    minutes = max(0, round(seconds / 60))
    return f"{minutes // 60} h {minutes % 60:02} min"
