"""`fiksmelding status` and `fiksmelding outbox …`: what is on its way, and what a person decides about it."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from uuid import UUID

from rich.table import Table

from fiksmelding.cli.output import Exit, console
from fiksmelding.cli.signals import on_stop_signal
from fiksmelding.config import JournalSettings, Settings
from fiksmelding.errors import FiksmeldingError
from fiksmelding.journal import Event
from fiksmelding.journal.outbox import FOR_A_PERSON, Outbox, Outgoing, OutgoingState
from fiksmelding.sender import Progress, Sender
from fiksmelding.sender.recording import retry

ON_THEIR_WAY = (OutgoingState.QUEUED, OutgoingState.SUBMITTING, OutgoingState.ACCEPTED)

Decide = Callable[[Outbox, Outgoing, datetime], Awaitable[Outgoing]]


async def status(settings: JournalSettings, sent_id: str | None, *, as_json: bool) -> Exit:
    """Tell how one report stands with all that happened to it, or how many stand where.

    Args:
        settings: Where the outbox is.
        sent_id: Our id of the report, or the platform's; None for all.
        as_json: Print JSON.

    Raises:
        JournalError: There is no such report.
    """
    async with Outbox(settings) as outbox:
        if sent_id is not None:
            outgoing = await outbox.get(sent_id)
            _show_one(outgoing, await outbox.events(outgoing.id), as_json=as_json)
            return Exit.PROBLEM if outgoing.state in FOR_A_PERSON else Exit.FINE
        counts = {state.value: await outbox.count(state) for state in OutgoingState}
        waiting = await outbox.list(*FOR_A_PERSON)
    if as_json:
        console.print_json(json.dumps({"counts": counts, "forAPerson": [_told(one) for one in waiting]}))
    else:
        table = Table("state", "reports")
        for state, number in counts.items():
            table.add_row(state, str(number))
        console.print(table)
        if waiting:
            _show_all(waiting, title="A person has to decide")
    return Exit.PROBLEM if waiting else Exit.FINE


async def list_outbox(
    settings: JournalSettings, states: Sequence[OutgoingState], *, limit: int | None, as_json: bool
) -> None:
    """List the newest reports, in the given states or all."""
    async with Outbox(settings) as outbox:
        found = await outbox.list(*states, limit=limit)
    if as_json:
        console.print_json(json.dumps([_told(one) for one in found]))
    else:
        _show_all(found)


async def retry_report(settings: JournalSettings, sent_id: str) -> None:
    """Have a report handed over (again)."""

    async def again(outbox: Outbox, outgoing: Outgoing, at: datetime) -> Outgoing:
        return await retry(outbox, outgoing, at=at)

    await _decide(settings, sent_id, again)


async def cancel_report(settings: JournalSettings, sent_id: str) -> None:
    """Have a report not sent; its sealed copies are erased."""

    async def cancel(outbox: Outbox, outgoing: Outgoing, at: datetime) -> Outgoing:
        return await outbox.cancel(outgoing, at=at)

    await _decide(settings, sent_id, cancel)


async def taken_report(settings: JournalSettings, sent_id: str, report_id: UUID) -> None:
    """Record that the platform has a report, under an id that KS has told.

    Raises:
        FiksmeldingError: There is no doubt about it.
    """

    async def taken(outbox: Outbox, outgoing: Outgoing, at: datetime) -> Outgoing:
        if outgoing.state not in (OutgoingState.UNCERTAIN, OutgoingState.UNTRACED):
            raise FiksmeldingError(f"A report that is {outgoing.state} is in no doubt.", message_id=outgoing.id)
        return await outbox.accept(outgoing.id, str(report_id), due_at=at, at=at)

    await _decide(settings, sent_id, taken)


async def run_outbox(settings: Settings, *, until_done: bool) -> Exit:
    """Hand over what is in the outbox, and follow it, until stopped.

    Args:
        settings: Account, platform, outbox and policies.
        until_done: Stop when every report has arrived or waits for a person.
    """
    stopped = asyncio.Event()
    on_stop_signal(stopped.set)
    async with AsyncExitStack() as stack:
        sender = await _open_sender(settings, stack)
        if until_done:
            async with asyncio.TaskGroup() as tasks:
                ending = tasks.create_task(stopped.wait(), name="stop")
                done = tasks.create_task(_done(sender), name="done")
                await asyncio.wait({ending, done}, return_when=asyncio.FIRST_COMPLETED)
                ending.cancel()
                done.cancel()
        else:
            await stopped.wait()
        waiting = await sender.outbox.count(*FOR_A_PERSON)
    return Exit.PROBLEM if waiting else Exit.FINE


async def _open_sender(settings: Settings, stack: AsyncExitStack) -> Sender:
    """A sender that tells of its progress, and is watched if the settings say where."""
    address = settings.metrics.sender_listen
    if address is None:
        return await stack.enter_async_context(Sender(settings, on_progress=_tell))
    from fiksmelding.cli.outbox_monitor import outbox_shown  # noqa: PLC0415 - loaded only where it is wanted
    from fiksmelding.monitoring.outbox_metrics import OutboxMetrics  # noqa: PLC0415

    metrics = OutboxMetrics()

    def count(progress: Progress) -> None:
        metrics.happened(progress.kind.value)
        _tell(progress)

    sender = await stack.enter_async_context(Sender(settings, on_progress=count, on_alarm=metrics.alarms))
    await stack.enter_async_context(outbox_shown(address, metrics, sender.outbox))
    return sender


async def _done(sender: Sender) -> None:
    while await sender.outbox.count(*ON_THEIR_WAY):
        await sender.change()


async def _decide(settings: JournalSettings, sent_id: str, decide: Decide) -> None:
    async with Outbox(settings) as outbox:
        after = await decide(outbox, await outbox.get(sent_id), datetime.now(UTC))
    console.print(f"{after.id} is {after.state.value} now.", highlight=False, soft_wrap=True)


def _tell(progress: Progress) -> None:
    what = progress.tilstand or progress.kind.value
    console.print(
        f"{progress.at.isoformat(timespec='seconds')} {progress.sent_id} {what}", highlight=False, soft_wrap=True
    )


def _told(outgoing: Outgoing) -> dict[str, object]:
    return {
        "id": outgoing.id,
        "key": outgoing.order.key,
        "messageType": outgoing.order.message_type,
        "kommunenummer": outgoing.order.kommunenummer,
        "bydelsnummer": outgoing.order.bydelsnummer,
        "receiver": outgoing.order.receiver,
        "state": outgoing.state.value,
        "tilstand": outgoing.tilstand,
        "reportId": outgoing.report_id,
        "uncertain": outgoing.uncertain,
        "submissions": outgoing.submissions,
        "keptAt": outgoing.order.kept_at.isoformat(),
        "dueAt": None if outgoing.due_at is None else outgoing.due_at.isoformat(),
        "reason": outgoing.reason,
    }


def _show_one(outgoing: Outgoing, events: Sequence[Event], *, as_json: bool) -> None:
    if as_json:
        told = [{"at": one.at.isoformat(), "kind": one.kind.value, "detail": dict(one.detail)} for one in events]
        console.print_json(json.dumps({**_told(outgoing), "events": told}))
        return
    _show_all([outgoing])
    if outgoing.reason and outgoing.state in FOR_A_PERSON:
        console.print(outgoing.reason, highlight=False, markup=False, soft_wrap=True)
    table = Table("at", "what", "detail")
    for event in events:
        detail = ", ".join(f"{name}={value}" for name, value in event.detail.items() if name != "state")
        table.add_row(event.at.isoformat(timespec="seconds"), event.kind.value, detail)
    console.print(table)


def _show_all(found: Sequence[Outgoing], *, title: str | None = None) -> None:
    table = Table(title=title)
    for name in ("id", "to", "kind", "state", "at the platform", "kept"):
        table.add_column(name, overflow="fold")
    for one in found:
        kind = " ".join(one.order.message_type.rsplit(".", 2)[1:])
        state = f"{one.state.value}{', may be there twice' if one.uncertain and one.report_id else ''}"
        kept = one.order.kept_at.isoformat(timespec="minutes")
        table.add_row(one.id, one.order.receiver, kind, state, one.tilstand or "", kept)
    console.print(table)
