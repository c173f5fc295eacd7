"""From `send` to the receiver's folder and back to `LEVERT`, on the simulated platform."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from fiksmelding import FolderHandler, Receiver, Registered, Reject, Report, Sender
from fiksmelding.alarms import Alarm, AlarmKind
from fiksmelding.config import JournalSettings, Settings
from fiksmelding.journal import EventKind, Journal
from fiksmelding.journal.outbox import Outbox, Outgoing, OutgoingState
from fiksmelding.messages import MessageType
from fiksmelding.sender import Progress, Sent
from fiksmelding.simulator import HttpFault, Simulator
from support.senders import report, school

KOMMUNER = {"4601": "bergen", "0301": "oslo", "5501": "tromso"}


@asynccontextmanager
async def receiving(fiks: Simulator, account: str, handler: FolderHandler) -> AsyncIterator[Receiver]:
    async with Receiver(fiks.settings_for(account), handler, confirm=handler.confirm) as receiver:
        running = asyncio.create_task(receiver.run())
        try:
            yield receiver
        finally:
            receiver.stop()
            await running


async def arrived(sent: Sent) -> list[Progress]:
    async with asyncio.timeout(20):
        return [progress async for progress in sent.progress()]


async def test_both_kinds_arrive_in_several_municipalities_in_the_version_each_knows(
    fiks: Simulator, tmp_path: Path, at: JournalSettings
) -> None:
    folders = {number: FolderHandler(tmp_path / name) for number, name in KOMMUNER.items()}
    settings = school(fiks).model_copy(update={"journal": at})
    told: list[Progress] = []
    async with (
        receiving(fiks, "bergen", folders["4601"]),
        receiving(fiks, "oslo", folders["0301"]),
        receiving(fiks, "tromso", folders["5501"]),
        Sender(settings, on_progress=told.append) as sender,
    ):
        views = {"melding": {"melding": "Uro", "historie": "Før", "andreSynspunkter": "Skolens syn"}}
        sent = [
            await sender.send(report(MessageType.PRIVAT_V2), to="bergen kommune", district="02"),
            await sender.send(
                report(MessageType.OFFENTLIG_V2, kommunenummer="0301", bydelsnummer="99", **views), to="0301"
            ),
            await sender.send(report(MessageType.OFFENTLIG_V2, kommunenummer="5501", **views), to="Tromsø"),
            await sender.send(report(MessageType.PRIVAT_V1, kommunenummer="5501")),
        ]
        ways = [await arrived(one) for one in sent]
        outgoing = [await one.now() for one in sent]
    assert all(one.state is OutgoingState.DELIVERED for one in outgoing)
    assert [one.order.message_type.rsplit(".", 2)[1:] for one in outgoing] == [
        ["privat", "v2"], ["offentlig", "v2"], ["offentlig", "v1"], ["privat", "v1"],
    ]  # fmt: skip
    assert [(one.order.kommunenummer, one.order.bydelsnummer) for one in outgoing] == [
        ("4601", "02"), ("0301", "01"), ("5501", "00"), ("5501", "00"),
    ]  # fmt: skip
    for way, one in zip(ways, outgoing, strict=True):
        assert [step.kind for step in way if step.kind is not EventKind.STATUS] == [
            EventKind.QUEUED, EventKind.SUBMITTING, EventKind.SUBMITTED, EventKind.DELIVERED,
        ]  # fmt: skip
        assert [step.tilstand for step in way if step.tilstand] == ["AKSEPTERT", "SENDT_FAGSYSTEM", "LEVERT"]
        assert [step.kind for step in told if step.sent_id == one.id] == [step.kind for step in way[1:]]
        stored = tmp_path / KOMMUNER[one.order.kommunenummer] / str(one.report_id)
        document = json.loads((stored / "bekymringsmelding.json").read_bytes())
        assert document["leveringskanal"] == "Fjellsiden skole (test)"
        assert document["bydelsnummer"] == one.order.bydelsnummer
    older = tmp_path / "tromso" / str(outgoing[2].report_id) / "bekymringsmelding.json"
    assert json.loads(older.read_bytes())["melding"] == {
        "melding": "Uro", "historie": "Før\n\nAndre synspunkter:\nSkolens syn",
    }  # fmt: skip
    async with Journal(at) as journal:
        assert await journal.first_altered_event() is None


async def test_a_report_that_is_rejected_goes_by_letter_and_the_letter_is_the_pdf_of_the_envelope(
    fiks: Simulator, tmp_path: Path
) -> None:
    opened: list[bytes | None] = []

    async def refuse(given: Report) -> Registered:
        opened.append(await given.pdf())
        raise Reject("Barnet bor i en annen kommune.")

    alarms: list[Alarm] = []
    async with (
        Receiver(fiks.settings_for("bergen"), refuse) as receiver,
        Sender(school(fiks), on_alarm=alarms.append) as sender,
    ):
        running = asyncio.create_task(receiver.run())
        sent = await sender.send(report(MessageType.OFFENTLIG_V2), to="Bergen")
        way = await arrived(sent)
        receiver.stop()
        await running
    tilstander = [step.tilstand for step in way if step.tilstand]
    assert tilstander == ["AKSEPTERT", "SENDT_FAGSYSTEM", "AVVIST_FAGSYSTEM", "SENDT_PRINT", "LEVERT"]
    [letter] = fiks.letters()
    assert [letter.path.read_bytes()] == opened
    assert [(alarm.kind, alarm.entry_id) for alarm in alarms] == [(AlarmKind.AVVIST_FAGSYSTEM, sent.id)]


async def test_the_sealed_copies_are_erased_when_the_policy_says_so_and_the_events_stay(
    fiks: Simulator, tmp_path: Path
) -> None:
    handler = FolderHandler(tmp_path / "bergen")
    async with receiving(fiks, "bergen", handler), Sender(school(fiks, keep_days=0)) as sender:
        sent = await sender.send(report())
        async with asyncio.timeout(20):
            await sent.until(OutgoingState.ERASED)
        kinds = [event.kind for event in await sender.outbox.events(sent.id)]
    assert kinds[-2:] == [EventKind.DELIVERED, EventKind.ERASED]


async def test_what_a_closed_sender_left_goes_on_with_the_next(fiks: Simulator, tmp_path: Path) -> None:
    handler = FolderHandler(tmp_path / "bergen")
    settings = school(fiks)
    async with Sender(settings) as sender:
        sent = await sender.send(report(), key="case-17")
    async with receiving(fiks, "bergen", handler), Sender(settings) as sender:
        again = await sender.send(report(), key="case-17")
        assert (again.id, again.repeated) == (sent.id, True)
        way = await arrived(await sender.find(sent.id))
    assert way[-1].state is OutgoingState.DELIVERED
    assert len(fiks.reports()) == 1


async def test_of_two_senders_on_one_outbox_one_hands_over_and_the_other_takes_over_when_it_ends(
    fiks: Simulator, at: JournalSettings
) -> None:
    """As `fiksmelding send` beside `fiksmelding outbox run`."""
    settings = school(fiks).model_copy(update={"journal": at})
    async with Sender(settings) as second:
        async with Sender(settings) as first, asyncio.timeout(30):
            for sender in (first, second):
                sent = await sender.send(report())
                await sent.until(OutgoingState.ACCEPTED)
        async with asyncio.timeout(30):
            sent = await second.send(report())
            await sent.until(OutgoingState.ACCEPTED)
        assert not any(one.uncertain for one in await second.outbox.list())
    assert len(fiks.reports()) == 3


async def test_what_a_wrong_clock_put_to_sleep_goes_on_while_a_sender_is_open(
    fiks: Simulator, at: JournalSettings
) -> None:
    settings = school(fiks).model_copy(update={"journal": at})
    fiks.faults.add(HttpFault(path="/bekymringsmelding/", method="POST", status=503, times=None))
    async with Sender(settings) as sender:
        sent = await sender.send(report())
    asleep = await put_to_sleep(settings, sent.id)
    fiks.faults.clear()
    async with Sender(settings) as sender, asyncio.timeout(20):
        accepted = await (await sender.find(asleep.id)).until(OutgoingState.ACCEPTED)
    assert accepted.submissions >= 1


async def put_to_sleep(settings: Settings, sent_id: str) -> Outgoing:
    """Let a report wait as one does that failed while the clock was half a year ahead."""
    async with Outbox(settings.journal) as outbox:
        outgoing = await outbox.get(sent_id)
        return await outbox.postpone(outgoing, datetime.now(UTC) + timedelta(days=180), failures=1)
