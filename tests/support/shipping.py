"""The sender's road with a real outbox; only the platform and the clock are stand-ins."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from fiksmelding.alarms import Alarm, AlarmKind, Alarms
from fiksmelding.config import SenderSettings
from fiksmelding.errors import FiksmeldingError
from fiksmelding.fiks import Krypteringsnokler, Nokkel, Status
from fiksmelding.journal.outbox import Order, Outbox, Outgoing, OutgoingState, SealedCopies
from fiksmelding.messages import MessageType
from fiksmelding.sender.follow_step import FollowStep
from fiksmelding.sender.progress import Progress
from fiksmelding.sender.recipients import fingerprint
from fiksmelding.sender.recording import Recorder
from fiksmelding.sender.road import Road
from fiksmelding.sender.steps import SendStep
from fiksmelding.sender.submit_step import SubmitStep
from fiksmelding.sender.watching import Watch
from fiksmelding.simulator.pki import Credential
from support.clocks import StillClock

COPIES = SealedCopies(b"sealed for the receiver", b"sealed for the printer")


OURS = "3a0d8f0e-1c54-4f0e-8f2e-5a5c4f0b8f22"


def order(
    kept_at: datetime,
    *,
    key: str | None = None,
    organisation_id: str = OURS,
    keys_for: timedelta = timedelta(days=300),
    prints: tuple[str, str] = ("aa" * 32, "bb" * 32),
) -> Order:
    """A report to send to Bergen, kept at a time, sealed for certificates of the given fingerprints."""
    return Order(
        organisation_id=organisation_id,
        message_type="no.ks.fiks.bekymringsmelding.privat.v2",
        kommunenummer="4601",
        bydelsnummer="02",
        receiver="Bergen, Bergenhus",
        kept_at=kept_at,
        keys_until=kept_at + keys_for,
        key_sha256=prints[0],
        print_key_sha256=prints[1],
        key=key,
    )


@dataclass
class Platform:
    """Takes reports and tells how they stand, or raises what it is told to raise first."""

    receiver: Credential
    printer: Credential
    troubles: list[FiksmeldingError] = field(default_factory=list)
    taken: dict[UUID, SealedCopies] = field(default_factory=dict)
    asked: int = 0
    submissions: int = 0
    states: list[Status] = field(default_factory=list)
    valid: bool = True

    async def submit(
        self, message_type: MessageType, kommunenummer: str, bydelsnummer: str, *, asice: bytes, print_copy: bytes
    ) -> UUID:
        self.submissions += 1
        if self.troubles:
            raise self.troubles.pop(0)
        report_id = uuid4()
        self.taken[report_id] = SealedCopies(asice, print_copy)
        return report_id

    async def status(self, report_id: UUID) -> tuple[Status, ...]:
        self.asked += 1
        if self.troubles:
            raise self.troubles.pop(0)
        return tuple(self.states)

    async def keys(self, kommunenummer: str, bydelsnummer: str) -> Krypteringsnokler:
        if self.troubles:
            raise self.troubles.pop(0)
        return Krypteringsnokler(
            Nokkel(self.printer.certificate_pem.decode()), Nokkel(self.receiver.certificate_pem.decode(), self.valid)
        )

    def comes_to(self, *tilstander: str) -> None:
        """The report has come to more states, a minute after each other."""
        for tilstand in tilstander:
            self.states.append(Status(f"2026-03-02T13:{len(self.states):02}:00", tilstand))


class Shipping:
    """Keeps reports to send and walks them."""

    def __init__(self, outbox: Outbox, platform: Platform, settings: SenderSettings) -> None:
        self.outbox = outbox
        self.platform = platform
        self.clock = StillClock()
        self.alarms: list[Alarm] = []
        self.told: list[Progress] = []
        self.steps: list[SendStep] = []
        recorder = Recorder(
            outbox,
            settings,
            self.clock,
            Alarms(self.clock, self.alarms.append),
            Watch(self.clock),
            self.told.append,
            lambda step, _: self.steps.append(step),
        )
        self.road = Road(recorder, SubmitStep(recorder, platform, platform), FollowStep(recorder, platform))

    async def keep(self, *, keys_for: timedelta = timedelta(days=300)) -> Outgoing:
        receiver, printer = (fingerprint(one.certificate) for one in (self.platform.receiver, self.platform.printer))
        kept = order(self.clock.now(), keys_for=keys_for, prints=(receiver, printer))
        return (await self.outbox.keep(kept, COPIES))[0]

    async def walk(self, wait: timedelta = timedelta(0)) -> Outgoing | None:
        """Walk what is due after a wait; returns how it then is, or None when nothing was due."""
        self.clock.advance(wait)
        claimed = await self.outbox.claim(self.clock.now(), owner="we", lease=timedelta(minutes=1), limit=10)
        for outgoing in claimed:
            await self.road.walk(outgoing)
        return await self.outbox.get(claimed[0].id) if claimed else None

    async def walk_on(self, times: int = 1) -> Outgoing:
        """Walk it when it is due next, so many times."""
        walked: Outgoing | None = None
        for _ in range(times):
            due = await self.outbox.next_due(owner="we")
            assert due is not None, "nothing is due any more"
            walked = await self.walk(max(timedelta(0), due - self.clock.now()))
        assert walked is not None
        return walked

    async def accepted(self) -> Outgoing:
        """A report that the platform has taken."""
        await self.keep()
        walked = await self.walk()
        assert walked is not None
        assert walked.state is OutgoingState.ACCEPTED
        return walked

    async def kinds(self) -> list[str]:
        """The events of the first report."""
        [first, *_] = await self.outbox.list()
        return [event.kind.value for event in await self.outbox.events(first.id)]

    def alarmed(self) -> Sequence[AlarmKind]:
        """What alarms there were."""
        return [alarm.kind for alarm in self.alarms]
