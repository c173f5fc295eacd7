"""What a sender must be able to show afterwards is in the event log, as docs/sending-afterwards.md says."""

import asyncio
import json
import re
from collections.abc import Mapping
from pathlib import Path

from fiksmelding import FolderHandler, Receiver, Sender
from fiksmelding.journal import EventKind
from fiksmelding.journal.outbox import OutgoingState
from fiksmelding.simulator import HttpFault, Simulator
from support.senders import report, school

PAGE = (Path(__file__).parents[3] / "docs" / "sending-afterwards.md").read_text("utf-8")
SUBMITTING = "/bekymringsmelding/api/v2/mottak/fagsystem/"
SAID = re.compile(r"`([a-z_]+)`")


async def events(sender: Sender, sent_id: str) -> Mapping[EventKind, Mapping[str, str | int]]:
    """The last event of each kind."""
    return {event.kind: event.detail for event in await sender.outbox.events(sent_id)}


async def test_where_it_went_and_that_the_same_bytes_arrived_is_shown_and_nothing_of_what_it_says(
    fiks: Simulator, tmp_path: Path
) -> None:
    secret = "Særskilt hemmelig opplysning"
    handler = FolderHandler(tmp_path / "reports")
    async with (
        Receiver(fiks.settings_for("bergen"), handler, confirm=handler.confirm) as receiver,
        Sender(school(fiks)) as sender,
        asyncio.timeout(20),
    ):
        running = asyncio.create_task(receiver.run())
        sent = await sender.send(report(melding=secret), key="case-17")
        delivered = await sent.until(OutgoingState.DELIVERED)
        told = await events(sender, sent.id)
        [entry] = await receiver.journal.entries()
        kept = (await receiver.journal.events(entry.id))[0]
        receiver.stop()
        await running

    queued = told[EventKind.QUEUED]
    assert (queued["kommunenummer"], queued["bydelsnummer"]) == ("4601", "02")
    assert queued["sha256"] == kept.detail["sha256"], "the receiver's own log has the same bytes"
    assert queued["message_type"] == delivered.order.message_type
    assert {"print_sha256", "key_sha256", "print_key_sha256"} <= queued.keys()
    assert told[EventKind.SUBMITTED]["report_id"] == delivered.report_id == entry.arrival.bekymringsmelding_id
    assert told[EventKind.STATUS]["tilstand"] == "LEVERT"
    assert "tidspunkt" in told[EventKind.STATUS]
    assert EventKind.DELIVERED in told
    assert secret not in json.dumps([dict(detail) for detail in told.values()], ensure_ascii=False)


async def test_what_was_in_doubt_and_what_went_wrong_is_shown(fiks: Simulator) -> None:
    fiks.faults.add(
        HttpFault(path=SUBMITTING, method="POST", status=503),
        HttpFault(path=SUBMITTING, method="POST", connection="reset_after"),
    )
    async with Sender(school(fiks, uncertain_hours=0)) as sender, asyncio.timeout(20):
        sent = await sender.send(report())
        await sent.until(OutgoingState.ACCEPTED)
        told = await events(sender, sent.id)
    assert told[EventKind.SUBMIT_FAILED]["status"] == 503
    assert "error_id" in told[EventKind.SUBMIT_FAILED]
    assert told[EventKind.OUTCOME_UNKNOWN]["reason"]
    assert told[EventKind.SUBMITTING]["possible_repetition"] == 1


def test_every_event_of_a_report_that_was_sent_is_on_the_page() -> None:
    sending = {
        *(EventKind.QUEUED, EventKind.SUBMITTING, EventKind.SUBMIT_FAILED, EventKind.SUBMIT_REFUSED),
        *(EventKind.OUTCOME_UNKNOWN, EventKind.SUBMITTED, EventKind.SUBMITTED_AGAIN, EventKind.STATUS),
        *(EventKind.STUCK, EventKind.DELIVERED, EventKind.CANCELLED, EventKind.RETRIED, EventKind.ERASED),
    }
    assert set(map(str, sending)) <= set(SAID.findall(PAGE))
