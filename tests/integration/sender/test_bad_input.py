"""What cannot be sent, and what goes wrong on the way: each a clear error or state on the simulated platform."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from pydantic import SecretStr

from fiksmelding import (
    FiksmeldingError,
    InvalidMessage,
    KeyUnusable,
    NotJoined,
    ReportTooLarge,
    Sender,
    Settings,
    SettingsError,
    UnknownReceiver,
)
from fiksmelding.alarms import Alarm, AlarmKind
from fiksmelding.journal.outbox import OutgoingState
from fiksmelding.messages import MessageType
from fiksmelding.sender import SendStep
from fiksmelding.simulator import HttpFault, Simulator
from fiksmelding.simulator.pki import Authority, Credential
from support.envelopes import noise
from support.senders import report, school

SUBMITTING = "/bekymringsmelding/api/v2/mottak/fagsystem/"


@pytest.fixture
def alarms() -> list[Alarm]:
    return []


@pytest.fixture
async def sender(fiks: Simulator, alarms: list[Alarm]) -> AsyncIterator[Sender]:
    async with Sender(school(fiks), on_alarm=alarms.append) as opened:
        yield opened


@pytest.mark.parametrize(
    ("to", "district", "kind", "told"),
    [
        ("9999", None, UnknownReceiver, "no municipality 9999"),
        ("Brgen", None, UnknownReceiver, "Did you mean Bergen?"),
        ("Atlantis", None, UnknownReceiver, "no municipality of that name"),
        ("", "02x", UnknownReceiver, "no office 02x"),
        ("Bergen", "42", UnknownReceiver, "02 Bergenhus"),
        ("Oslo", None, UnknownReceiver, "names municipality 4601"),
        ("Stavanger", None, NotJoined, "call the municipality's child welfare service"),
    ],
)
async def test_a_wrong_receiver_is_told_at_once_and_nothing_is_kept(
    sender: Sender, to: str, district: str | None, kind: type[FiksmeldingError], told: str
) -> None:
    with pytest.raises(kind, match=told):
        await sender.send(report(), to=to or None, district=district)
    assert await sender.outbox.count() == 0


async def test_a_municipality_that_has_not_joined_is_an_alarm_too(sender: Sender, alarms: list[Alarm]) -> None:
    with pytest.raises(NotJoined):
        await sender.send(report(kommunenummer="1103"))
    assert [alarm.kind for alarm in alarms] == [AlarmKind.NOT_JOINED]


def key_of_bergen(fiks: Simulator, credential: Credential) -> None:
    account = fiks.party("bergen").account
    fiks.platform.world.register.add(replace(account, certificate=credential.certificate))


@pytest.mark.parametrize(
    ("days", "told"), [((-300, -1), "not valid any more"), ((1, 300), "not valid any more")], ids=["expired", "not yet"]
)
async def test_a_key_out_of_its_time_is_not_sealed_for(
    fiks: Simulator, sender: Sender, authority: Authority, days: tuple[int, int], told: str
) -> None:
    first, last = (datetime.now(UTC) + timedelta(days=number) for number in days)
    key_of_bergen(fiks, authority.business("310460109", "Bergen", not_before=first, not_after=last))
    with pytest.raises(KeyUnusable, match=told):
        await sender.send(report())
    assert await sender.outbox.count() == 0


async def test_a_key_that_ends_soon_is_told_of_and_used(
    fiks: Simulator, sender: Sender, authority: Authority, alarms: list[Alarm]
) -> None:
    soon = datetime.now(UTC) + timedelta(days=5)
    key_of_bergen(fiks, authority.business("310460109", "Bergen", not_after=soon))
    for _ in range(2):
        await sender.send(report())
    assert [alarm.kind for alarm in alarms] == [AlarmKind.KEY_ENDS_SOON]


async def test_a_tls_certificate_is_no_key_to_seal_for(fiks: Simulator, sender: Sender, authority: Authority) -> None:
    key_of_bergen(fiks, authority.issuing)
    with pytest.raises(KeyUnusable, match="key usage"):
        await sender.send(report())


@pytest.mark.parametrize("name", ["4601", "4601-02", "print"])
async def test_only_the_pinned_certificate_is_sealed_for(
    fiks: Simulator, tmp_path: Path, sender_credential: Credential, name: str
) -> None:
    folder = tmp_path / "pinned"
    folder.mkdir()
    file = folder / f"{name}.pem"
    file.write_bytes(sender_credential.certificate_pem)
    async with Sender(school(fiks, pinned_certificates=folder)) as sender:
        with pytest.raises(KeyUnusable, match="pinned"):
            await sender.send(report(), district="02")
    world = fiks.platform.world
    right = world.print_credential if name == "print" else fiks.party("bergen").credential
    file.write_bytes(sender_credential.certificate_pem + right.certificate_pem)
    async with Sender(school(fiks, pinned_certificates=folder)) as sender:
        await sender.send(report(), district="02")


async def test_pins_that_cannot_be_read_stop_the_sender(fiks: Simulator, tmp_path: Path) -> None:
    (tmp_path / "print.pem").write_text("no certificate")
    for folder in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(SettingsError):
            async with Sender(school(fiks, pinned_certificates=folder)):
                pass


async def test_a_report_of_more_than_five_megabytes_is_told_with_its_sizes(sender: Sender) -> None:
    pdf = b"%PDF-" + noise(2_700_000)
    with pytest.raises(ReportTooLarge, match=r"2700005.*Shorten") as caught:
        await sender.send(report(), pdf=pdf)
    assert "sent twice" in str(caught.value)
    assert await sender.outbox.count() == 0


async def test_what_is_no_pdf_is_refused(sender: Sender) -> None:
    with pytest.raises(InvalidMessage, match="PDF"):
        await sender.send(report(), pdf=b"<html>")


async def test_a_pdf_of_one_s_own_is_the_one_that_is_sent(fiks: Simulator, sender: Sender) -> None:
    sent = await sender.send(report(), pdf=b"%PDF-1.7 our own")
    outgoing = await sent.until(OutgoingState.ACCEPTED)
    copies = await sender.outbox.copies(outgoing)
    letter = await fiks.platform.printer.print("x", copies.print_copy)
    assert letter.path.read_bytes() == b"%PDF-1.7 our own"


async def test_what_the_service_would_refuse_is_refused_before(sender: Sender) -> None:
    melder = report(MessageType.OFFENTLIG_V2).document()["offentligMelder"]
    assert isinstance(melder, dict)
    bad = report(MessageType.OFFENTLIG_V2, offentligMelder=melder | {"telefonnummer": "55 00 00 00\n"})
    with pytest.raises(InvalidMessage, match="telefonnummer"):
        await sender.send(bad)


@pytest.mark.parametrize(
    ("table", "values"),
    [
        ("integration", {"password": SecretStr("wrong")}),
        ("integration", {"id": uuid4()}),
        ("maskinporten", {"client_id": "nobody"}),
    ],
    ids=["401 password", "401 integration", "token"],
)
async def test_refused_access_keeps_what_was_sealed_and_says_what_is_wrong(
    fiks: Simulator, alarms: list[Alarm], table: str, values: dict[str, object]
) -> None:
    """The report was sealed while all was well; then a password was changed, a right withdrawn."""
    settings = school(fiks)
    fiks.faults.add(HttpFault(path=SUBMITTING, method="POST", status=503, times=None))
    async with Sender(settings) as sender:
        sent = await sender.send(report())
    fiks.faults.clear()
    wrong = settings.model_copy(update={table: getattr(settings, table).model_copy(update=values)})
    await access_is_refused(wrong, alarms)
    async with Sender(settings) as sender, asyncio.timeout(10):
        await (await sender.find(sent.id)).until(OutgoingState.ACCEPTED)
    assert len(fiks.reports()) == 1


async def test_a_right_that_was_withdrawn_keeps_what_was_sealed(fiks: Simulator, alarms: list[Alarm]) -> None:
    settings, register = school(fiks), fiks.platform.world.register
    integration = fiks.party("skole").integration
    fiks.faults.add(HttpFault(path=SUBMITTING, method="POST", status=503, times=None))
    async with Sender(settings) as sender:
        sent = await sender.send(report())
    fiks.faults.clear()
    register.add(replace(integration, submits_for=frozenset()))
    await access_is_refused(settings, alarms)
    register.add(integration)
    async with Sender(settings) as sender, asyncio.timeout(10):
        await (await sender.find(sent.id)).until(OutgoingState.ACCEPTED)


async def access_is_refused(settings: Settings, alarms: list[Alarm]) -> None:
    """Let a sender work until it says so."""
    told = asyncio.Event()

    def hear(alarm: Alarm) -> None:
        alarms.append(alarm)
        told.set()

    async with Sender(settings, on_alarm=hear), asyncio.timeout(10):
        await told.wait()
    assert alarms[0].kind is AlarmKind.ACCESS_REFUSED
    assert "wrong" not in alarms[0].text


@pytest.mark.parametrize("hours", [0.0, 4.0])
async def test_a_201_whose_answer_was_lost_is_never_followed_by_a_second_in_silence(
    fiks: Simulator, alarms: list[Alarm], hours: float
) -> None:
    fiks.faults.add(HttpFault(path=SUBMITTING, method="POST", connection="reset_after"))
    async with Sender(school(fiks, uncertain_hours=hours), on_alarm=alarms.append) as sender, asyncio.timeout(20):
        sent = await sender.send(report())
        state = OutgoingState.ACCEPTED if hours == 0 else OutgoingState.UNCERTAIN
        outgoing = await sent.until(state)
    assert outgoing.uncertain
    first = [AlarmKind.OUTCOME_UNKNOWN]
    assert [alarm.kind for alarm in alarms] == (first if hours else [*first, AlarmKind.SENT_AGAIN])
    assert len(fiks.reports()) == (1 if hours else 2)


async def test_an_outage_while_sealing_is_told_and_nothing_is_half_kept(fiks: Simulator, sender: Sender) -> None:
    fiks.faults.add(HttpFault(path=SUBMITTING, method="GET", status=500, times=None))
    with pytest.raises(FiksmeldingError, match="500"):
        await sender.send(report(), key="case-17")
    fiks.faults.clear()
    assert not (await sender.send(report(), key="case-17")).repeated


async def test_plaintext_is_neither_in_the_outbox_nor_in_a_log(
    fiks: Simulator, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    caplog.set_level("DEBUG")
    secret = "Særskilt hemmelig opplysning"
    steps: list[SendStep] = []
    settings = school(fiks)
    async with Sender(settings, observe=lambda step, _: steps.append(step)) as sender:
        sent = await sender.send(report(melding=secret))
        async with asyncio.timeout(10):
            await sent.until(OutgoingState.ACCEPTED)
    stored = b"".join(path.read_bytes() for path in (fiks.folder / "skole").glob("journal.db*"))
    assert len(stored) > 10_000
    for form in (secret, json.dumps(secret)[1:-1]):
        assert form.encode() not in stored
        assert form not in caplog.text
    assert steps[0] is SendStep.KEPT


async def test_without_an_organisation_there_is_no_sender(fiks: Simulator) -> None:
    settings = school(fiks)
    account = settings.account.model_copy(update={"organisation_id": None})
    with pytest.raises(SettingsError, match="organisation_id"):
        async with Sender(settings.model_copy(update={"account": account})):
            pass


async def test_a_sender_that_is_not_open_says_so(fiks: Simulator) -> None:
    with pytest.raises(FiksmeldingError, match="not open"):
        await Sender(school(fiks)).send(report())
