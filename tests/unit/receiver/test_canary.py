"""Canaries: sent, taken before anything else sees them, missed when they do not come."""

import asyncio
import io
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import cast
from uuid import UUID, uuid4

import pytest

from fiksmelding.alarms import Alarm, AlarmKind, Alarms
from fiksmelding.broker import ConsumerState, ConsumerStatus, Delivery, Metadata
from fiksmelding.config import CanarySettings
from fiksmelding.envelope import Signer, Trust, seal
from fiksmelding.errors import PlatformUnavailable
from fiksmelding.fiks import Catalog, Outbound
from fiksmelding.journal import Canary, Journal
from fiksmelding.monitoring import UNMEASURED
from fiksmelding.receiver.canary import CANARY_TYPE, FILE_NAME, CanaryPerch, CanarySending
from fiksmelding.receiver.canary_watch import CanaryWatch
from fiksmelding.receiver.status import ReceiverStatus
from fiksmelding.simulator.pki import Credential
from support.arrivals import KONTO, NOON, OTHER_KONTO
from support.clocks import StillClock


@dataclass
class Place:
    """Everything around a canary: a real journal and real envelopes; only the platform is a stand-in."""

    journal: Journal
    credential: Credential
    clock: StillClock = field(default_factory=StillClock)
    alarms: list[Alarm] = field(default_factory=list)
    flying: list[tuple[str, bytes]] = field(default_factory=list)
    troubles: list[Exception] = field(default_factory=list)
    acknowledged: int = 0
    state: ConsumerState = ConsumerState.CONSUMING
    down_since: datetime | None = None

    def __post_init__(self) -> None:
        own = self.credential
        self.sounding = Alarms(self.clock, self.alarms.append)
        self.sending = CanarySending(
            UUID(KONTO),
            self.journal,
            cast("Outbound", SimpleNamespace(send=self._take)),
            cast("Catalog", SimpleNamespace(public_key=self._public_key)),
            Signer(own.key, own.certificate),
            self.clock,
            UNMEASURED,
        )
        self.watch = CanaryWatch(
            CanarySettings(every_minutes=5, silent_minutes=30),
            self.sending,
            alarms=self.sounding,
            clock=self.clock,
            status=self._status,
        )

    def perch(self, *, key: Credential | None = None) -> CanaryPerch:
        opener = key or self.credential
        return CanaryPerch(
            KONTO, self.journal, [opener.key], Trust(), self.sounding, self.clock, UNMEASURED, self.watch.came
        )

    def delivery(
        self, canary_id: str, body: bytes, *, sender: str = KONTO, message_type: str = CANARY_TYPE
    ) -> Delivery:
        headers: Mapping[str, object] = {
            "melding-id": str(uuid4()),
            "type": message_type,
            "avsender-id": sender,
            "egendefinert-header.klientMeldingId": canary_id,
        }

        async def acknowledge() -> None:
            self.acknowledged += 1

        return Delivery(
            metadata=Metadata.parse(headers),
            body=body,
            redelivered=False,
            received_at=self.clock.now(),
            queue="fiksio.konto",
            acknowledge=acknowledge,
            alive=lambda: True,
        )

    async def fly_home(self) -> None:
        """The canary that was sent first comes back."""
        await self.perch().take(self.delivery(*self.flying.pop(0)))

    async def _take(self, *, headers: Mapping[str, str], body: bytes, **_: object) -> None:
        if self.troubles:
            raise self.troubles.pop(0)
        self.flying.append((headers["klientMeldingId"], body))

    async def _public_key(self, _konto_id: UUID) -> object:
        return self.credential.certificate

    def _status(self) -> ReceiverStatus:
        broker = ConsumerStatus(self.state, NOON, "")
        return cast("ReceiverStatus", SimpleNamespace(broker=broker, journal_down_since=self.down_since))


@pytest.fixture
def place(journal: Journal, recipient_credential: Credential) -> Place:
    return Place(journal, recipient_credential)


@asynccontextmanager
async def watching(place: Place) -> AsyncIterator[None]:
    task = asyncio.create_task(place.watch.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until(condition: Callable[[], bool], place: Place | None = None) -> None:
    """Wait for something; minutes pass meanwhile at a place that is given."""
    async with asyncio.timeout(20):
        while not condition():
            if place is not None:
                place.clock.advance(timedelta(minutes=1))
            await asyncio.sleep(0)


async def test_a_canary_that_came_is_noted_acknowledged_and_no_entry(place: Place) -> None:
    sent = await place.sending.send(lives=timedelta(minutes=5))
    place.clock.advance(timedelta(seconds=3))
    await place.fly_home()
    found = await place.journal.canaries.get(sent.id)
    assert found is not None
    assert (found.arrived_at, found.fault) == (sent.sent_at + timedelta(seconds=3), None)
    assert (place.acknowledged, list(await place.journal.entries())) == (1, [])


async def test_a_canary_that_comes_twice_came_when_it_first_did(place: Place) -> None:
    sent = await place.sending.send(lives=timedelta(minutes=5))
    delivery = place.delivery(*place.flying[0])
    await place.perch().take(delivery)
    place.clock.advance(timedelta(hours=1))
    await place.perch().take(delivery)
    assert await place.journal.canaries.last_arrival(place.sending.sender) == sent.sent_at


async def test_only_our_own_account_can_send_one(place: Place) -> None:
    perch = place.perch()
    assert perch.expects(place.delivery("", b"").metadata)
    assert perch.expects(place.delivery("", b"", sender=KONTO.upper()).metadata)
    assert not perch.expects(place.delivery("", b"", sender=OTHER_KONTO).metadata)
    assert not perch.expects(place.delivery("", b"", message_type="no.ks.fiks.bekymringsmelding.privat.v2").metadata)


async def test_the_platform_s_notice_of_a_lost_canary_is_no_alarm(place: Place) -> None:
    headers = {"melding-id": str(uuid4()), "type": "no.ks.fiks.kvittering.tidsavbrudd", "avsender-id": OTHER_KONTO}
    about = Metadata.parse({**headers, "svar-til-type": CANARY_TYPE})
    assert place.perch().expects(about)
    assert not place.perch().expects(Metadata.parse({**headers, "svar-til-type": "no.ks.fiks.other"}))


async def test_one_that_our_keys_do_not_open_is_an_alarm_until_one_opens(
    place: Place, sender_credential: Credential
) -> None:
    await place.sending.send(lives=timedelta(minutes=5))
    await place.perch(key=sender_credential).take(place.delivery(*place.flying.pop()))
    assert [alarm.kind for alarm in place.alarms] == [AlarmKind.CANARY_UNREADABLE]
    assert "DecryptionFailed" in place.alarms[0].text
    assert await place.journal.canaries.last_arrival(place.sending.sender) is None
    await place.sending.send(lives=timedelta(minutes=5))
    await place.fly_home()
    assert [alarm.over for alarm in place.alarms] == [False, True]
    assert place.acknowledged == 2


async def test_one_that_holds_something_else_did_not_come(place: Place) -> None:
    sent = await place.sending.send(lives=timedelta(minutes=5))
    out = io.BytesIO()
    own = place.credential
    seal({FILE_NAME: b"another"}, signer=Signer(own.key, own.certificate), recipient=own.certificate, out=out)
    await place.perch().take(place.delivery(sent.id, out.getvalue()))
    found = await place.journal.canaries.get(sent.id)
    assert found is not None
    assert found.fault == "ContainerInvalid: It does not hold what was sent."


async def test_one_is_sent_at_each_interval(place: Place) -> None:
    async with watching(place):
        await until(lambda: len(place.flying) == 1)
        before = place.clock.now()
        await until(lambda: len(place.flying) == 3, place)
    assert place.clock.now() - before >= timedelta(minutes=10)


async def test_silence_is_told_with_what_is_known_and_again_after_an_hour(place: Place) -> None:
    place.troubles = [PlatformUnavailable("The platform did not answer.")] * 100
    async with watching(place):
        await until(lambda: len(place.alarms) >= 1, place)
        first = place.clock.now()
        await until(lambda: len(place.alarms) >= 2, place)
        assert place.clock.now() - first >= timedelta(hours=1)
    assert {alarm.kind for alarm in place.alarms} == {AlarmKind.CANARY_SILENT}
    assert "could not be sent: The platform did not answer." in place.alarms[0].text


async def test_the_first_that_comes_back_ends_the_alarm(place: Place) -> None:
    async with watching(place):
        await until(lambda: len(place.alarms) >= 1, place)
        await place.fly_home()
        await until(lambda: len(place.alarms) >= 2)
    assert [alarm.over for alarm in place.alarms] == [False, True]


async def test_one_that_another_process_took_counts_too(place: Place) -> None:
    async with watching(place):
        await until(lambda: bool(place.flying))
        canary_id, _ = place.flying[0]
        await until(lambda: len(place.alarms) >= 1, place)
        await place.journal.canaries.arrived(canary_id, KONTO, at=place.clock.now())
        await until(lambda: any(alarm.over for alarm in place.alarms), place)
    assert not place.alarms[0].over


async def test_while_we_know_that_we_are_not_subscribed_none_is_sent_in_vain_and_the_silence_counts(
    place: Place,
) -> None:
    place.state = ConsumerState.REFUSED
    async with watching(place):
        await until(lambda: len(place.alarms) >= 1, place)
    assert place.flying == []
    assert "as: refused." in place.alarms[0].text


async def test_while_the_journal_is_down_silence_is_no_alarm_of_its_own(place: Place) -> None:
    place.down_since = NOON
    end = place.clock.now() + timedelta(hours=2)
    async with watching(place):
        await until(lambda: place.clock.now() >= end, place)
    assert place.alarms == []


async def test_another_process_s_canaries_do_not_hide_that_ours_are_lost(place: Place) -> None:
    await place.journal.canaries.sent(Canary("1", KONTO, "another", NOON, None, None))
    await place.journal.canaries.arrived("1", KONTO, at=NOON)
    assert await place.journal.canaries.last_arrival(place.sending.sender) is None


async def test_canaries_of_last_week_are_forgotten(place: Place) -> None:
    old = await place.sending.send(lives=timedelta(minutes=5))
    place.clock.advance(timedelta(days=8))
    await place.sending.send(lives=timedelta(minutes=5))
    assert await place.journal.canaries.get(old.id) is None
