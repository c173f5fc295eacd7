"""Whatever happens in whatever order, no message is lost, answered early, walked by two, or in a state not allowed."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Awaitable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypeVar
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    precondition,
    rule,
    run_state_machine_as_test,
)

from fiksmelding.config import JournalSettings
from fiksmelding.errors import JournalError
from fiksmelding.journal import ALLOWED, Answer, Arrival, Entry, Journal, Kept, Lease, State
from fiksmelding.messages import MessageType
from fiksmelding.receiver import Quarantine
from support.arrivals import arrival
from support.clocks import StillClock
from support.journals import LEASE, stored
from support.postgresql import Databases
from support.walking import OF_ANOTHER_PROTOCOL, PRIVAT_V2, Walker, Way

Result = TypeVar("Result")
RECEIVERS = st.integers(0, 1)
WAYS = st.lists(st.sampled_from([Way.GOES_ON, Way.GOES_ON, *Way]), max_size=5)
DONE = {State.RECEIPTED, State.NOTED, State.ERASED}
UNANSWERED = {State.QUARANTINED, State.REJECTED}


async def pieces(body: bytes) -> AsyncIterator[bytes]:
    yield body


@dataclass
class Known:
    """What the outside world knows of a message."""

    delivery: Arrival
    body: bytes
    document: bytes | None = None  # what the document store would have had, when it was given up
    state: State = State.RECEIVED
    in_case_system: bool = False
    receipts: set[tuple[Answer, str]] = field(default_factory=set)
    melding_ids: list[str] = field(default_factory=list)
    history: list[State] = field(default_factory=lambda: [State.RECEIVED])

    @property
    def nobody_to_answer(self) -> bool:
        return self.delivery.melding_type == OF_ANOTHER_PROTOCOL and not self.receipts

    def learn(self, after: Entry) -> None:
        """Take in where the message is now."""
        if after.state is not self.state:
            if after.state is State.REGISTERED:
                # Again only when the receipt comes back, which changes nothing there.
                assert not self.in_case_system or self.state is State.RECEIPTED, "registered twice"
                self.in_case_system = True
            elif (self.state, after.state) == (State.REGISTERED, State.OPENED):
                self.in_case_system = False
            self.history.append(after.state)
            self.state = after.state
        if after.receipt is not None:
            self.receipts.add((after.receipt.answer, after.receipt.klient_melding_id))
            assert after.receipt.answer is Answer.FEILET or self.in_case_system, "answered before it was registered"
            if after.receipt.taken_at is not None and after.receipt.melding_id is not None:
                self.melding_ids.append(after.receipt.melding_id)


class JournalMachine(RuleBasedStateMachine):
    """Two receivers with a journal each; on SQLite the second has the same file after the first has died.

    What the receiver's own code decides (notices, setting aside, rejecting, a person's decision) is decided by it here.
    """

    url: str
    entries = Bundle("entries")
    claims = Bundle("claims")

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.clock = StillClock()
        self.walker = Walker(self.clock)
        self.known: dict[str, Known] = {}
        self.journals: dict[int, Journal] = {}
        self.lives = [0, 0]
        self.holders: dict[str, tuple[Lease, datetime]] = {}
        self.leased: dict[str, datetime] = {}  # the dead's too

    @property
    def now(self) -> datetime:
        return self.clock.now()

    def do(self, work: Awaitable[Result]) -> Result:
        async def bounded() -> Result:
            return await asyncio.wait_for(work, 30)

        return self.loop.run_until_complete(bounded())

    def journal(self, receiver: int) -> Journal:
        if receiver not in self.journals:
            journal = Journal(self.settings)
            self.do(journal.__aenter__())
            self.journals[receiver] = journal
        return self.journals[receiver]

    @property
    def settings(self) -> JournalSettings:
        return JournalSettings(url=self.url, chunk_bytes=1024)

    def owner(self, receiver: int) -> str:
        return f"{receiver} in life {self.lives[receiver]}"

    @initialize()
    def open(self) -> None:
        self.journal(0)

    @rule(
        target=entries,
        receiver=RECEIVERS,
        body=st.binary(min_size=1, max_size=3000),
        melding_type=st.sampled_from([PRIVAT_V2, PRIVAT_V2, OF_ANOTHER_PROTOCOL]),
        ways=WAYS,
    )
    def keep(self, receiver: int, body: bytes, melding_type: str, ways: list[Way]) -> str:
        delivery = arrival(received_at=self.now, melding_type=melding_type)
        kept = self.do(self.journal(receiver).keep(delivery, body))
        return self.is_kept(Known(delivery, body), kept, receiver, ways)

    @rule(target=entries, receiver=RECEIVERS, document=st.binary(min_size=1, max_size=3000), ways=WAYS)
    def give_a_document_up(self, receiver: int, document: bytes, ways: list[Way]) -> str:
        delivery = arrival(received_at=self.now, dokumentlager_id=str(uuid4()))
        kept = self.do(self.journal(receiver).keep_without_body(delivery, "its document is gone"))
        return self.is_kept(Known(delivery, b"", document), kept, receiver, ways)

    @rule(target=entries, receiver=RECEIVERS, pick=st.integers(0, 2), ways=WAYS)
    def get_notice(self, receiver: int, pick: int, ways: list[Way]) -> str:
        """The platform did not deliver a receipt, or something unknown."""
        taken = [str(uuid4()), *(melding_id for known in self.known.values() for melding_id in known.melding_ids)]
        notice = arrival(received_at=self.now, melding_type=MessageType.TIDSAVBRUDD)
        notice = replace(notice, headers={"svar-til": taken[-1 - pick % len(taken)]})
        kept = self.do(self.journal(receiver).keep(notice, b""))
        return self.is_kept(Known(notice, b""), kept, receiver, ways)

    def is_kept(self, known: Known, kept: Kept, receiver: int, ways: list[Way]) -> str:
        """Take note of it; often the receiver works on what it has at once."""
        assert not kept.repeated
        self.known[kept.entry_id] = known
        for entry in self.claimed(receiver, 3) if ways else []:
            self.walked(receiver, entry, ways)
        return kept.entry_id

    @rule(entry_id=entries, receiver=RECEIVERS, whole=st.booleans())
    def deliver_again(self, entry_id: str, receiver: int, whole: bool) -> None:
        known, journal = self.known[entry_id], self.journal(receiver)
        if known.document is None:
            kept = self.do(journal.keep(known.delivery, known.body))
        elif whole:  # too late: the document store has it again
            kept = self.do(journal.keep_stream(known.delivery, pieces(known.document), started_at=self.now))
        else:
            kept = self.do(journal.keep_without_body(known.delivery, "its document is gone"))
        assert kept.repeated
        assert kept.entry_id == entry_id

    @rule(target=claims, receiver=RECEIVERS, limit=st.integers(1, 3))
    def claim(self, receiver: int, limit: int) -> object:
        return multiple(*((receiver, entry) for entry in self.claimed(receiver, limit)))

    def claimed(self, receiver: int, limit: int) -> Sequence[Entry]:
        journal, owner = self.journal(receiver), self.owner(receiver)
        if not journal.shared:
            # One process at a time: the other one has died.
            self.die(1 - receiver)
        claimed = self.do(journal.claim(self.now, owner=owner, lease=LEASE, limit=limit))
        for entry in claimed:
            assert entry.lease is not None
            holder, until = self.holders.get(entry.id, (entry.lease, self.now))
            assert holder.owner == owner or until <= self.now, "taken from one who still holds it"
            self.is_leased(entry.id, entry.lease)
        return claimed

    def is_leased(self, entry_id: str, lease: Lease) -> None:
        self.leased[entry_id] = self.now + LEASE
        self.holders[entry_id] = lease, self.now + LEASE

    def is_free(self, entry_id: str) -> None:
        self.leased.pop(entry_id, None)
        self.holders.pop(entry_id, None)

    @rule(target=claims, claim=consumes(claims), ways=WAYS)
    def walk(self, claim: tuple[int, Entry], ways: list[Way]) -> object:
        receiver, entry = claim
        left = None if self.dead(receiver, entry) else self.walked(receiver, entry, ways)
        return multiple() if left is None else multiple((receiver, left))

    def walked(self, receiver: int, entry: Entry, ways: list[Way]) -> Entry | None:
        """Take the next steps on the road, if the claim still holds; None when it is over."""
        journal = self.journal(receiver)
        for way in ways:
            holds = self.holds(entry)
            try:
                entry = self.do(self.walker.step(journal, entry, way))
            except JournalError:
                assert not holds, "a holder was refused"
                return None
            finally:
                self.receipt_came_back(journal)
            assert holds, "one who had lost the claim took a step"
            assert replace(entry, lease=None) == self.do(journal.entry(entry.id))
            self.known[entry.id].learn(entry)
            if entry.lease is None:
                self.is_free(entry.id)
                return None
        return entry

    def receipt_came_back(self, journal: Journal) -> None:
        """A notice moves another message than the one that was walked; then, and only then, one that was answered."""
        for entry in self.do(journal.entries(State.REGISTERED, State.REJECTED)):
            known = self.known[entry.id]
            if known.state is State.RECEIPTED:
                assert entry.receipt is not None
                assert entry.receipt.taken_at is None
                assert (entry.state is State.REGISTERED) == (entry.receipt.answer is Answer.MOTTATT)
                known.learn(entry)

    @precondition(lambda self: self.set_aside())
    @rule(pick=st.integers(0, 9), retries=st.booleans())
    def a_person_decides(self, pick: int, retries: bool) -> None:
        candidates = self.set_aside()
        entry_id = candidates[pick % len(candidates)]
        try:
            self.do(self.decide(entry_id, retries))
        except JournalError:
            assert self.leased.get(entry_id, self.now) > self.now, "nobody works on it"
            return
        self.is_free(entry_id)
        self.known[entry_id].learn(self.do(self.journal(0).entry(entry_id)))

    def set_aside(self) -> list[str]:
        return [entry_id for entry_id, known in self.known.items() if known.state is State.QUARANTINED]

    async def decide(self, entry_id: str, retries: bool) -> None:
        async with Quarantine(self.settings, clock=self.clock) as quarantine:
            await (quarantine.retry(entry_id) if retries else quarantine.reject(entry_id, "Kan ikke leses."))

    def holds(self, entry: Entry) -> bool:
        holder, _ = self.holders.get(entry.id, (None, self.now))
        return holder == entry.lease

    def dead(self, receiver: int, entry: Entry) -> bool:
        return entry.lease is None or entry.lease.owner != self.owner(receiver)

    @rule(claim=claims)
    def renew(self, claim: tuple[int, Entry]) -> None:
        receiver, entry = claim
        if self.dead(receiver, entry):
            return
        lost = self.do(self.journal(receiver).renew([entry], until=self.now + LEASE))
        if self.holds(entry):
            assert lost == frozenset()
            self.is_leased(entry.id, self.holders[entry.id][0])
        else:
            assert (lost == {entry.id}) == (entry.id in self.holders)

    @rule(claim=consumes(claims))
    def give_back(self, claim: tuple[int, Entry]) -> None:
        receiver, entry = claim
        if self.dead(receiver, entry):
            return
        self.do(self.journal(receiver).release(entry))
        if self.holds(entry):
            self.is_free(entry.id)

    @rule(receiver=RECEIVERS)
    def crash(self, receiver: int) -> None:
        self.die(receiver)

    def die(self, receiver: int) -> None:
        journal = self.journals.pop(receiver, None)
        if journal is None:
            return
        self.do(journal.aclose())
        dead = self.owner(receiver)
        self.lives[receiver] += 1
        if not journal.shared:  # nobody has to wait for the dead
            self.holders = {entry_id: held for entry_id, held in self.holders.items() if held[0].owner != dead}

    @rule(seconds=st.sampled_from([1, 10, 61, 3600, 90_000]))
    def time_passes(self, seconds: int) -> None:
        self.clock.advance(timedelta(seconds=seconds))

    @precondition(lambda self: any(known.state is State.RECEIPTED for known in self.known.values()))
    @rule(receiver=RECEIVERS)
    def erase(self, receiver: int) -> None:
        journal = self.journal(receiver)
        for entry in self.do(journal.receipted_before(self.now + timedelta(days=91), limit=1)):
            self.do(journal.erase(entry, at=self.now))
            self.known[entry.id].learn(self.do(journal.entry(entry.id)))

    @rule(receiver=RECEIVERS)
    def seal(self, receiver: int) -> None:
        self.do(self.journal(receiver).checkpoint(self.now))

    @invariant()
    def the_journal_says_what_happened(self) -> None:
        if not self.journals:
            return
        journal = next(iter(self.journals.values()))
        entries = {entry.id: entry for entry in self.do(journal.entries())}
        assert entries.keys() == self.known.keys(), "a message is lost, or came out of nowhere"
        for entry_id, known in self.known.items():
            assert entries[entry_id].state is known.state
            assert all(
                after in ALLOWED[before] for before, after in zip(known.history, known.history[1:], strict=False)
            )
            assert len(known.receipts) <= 1, "two answers, or one under two ids"
            waits_for_nobody = known.state in DONE or (known.nobody_to_answer and known.state in UNANSWERED)
            assert (entries[entry_id].due_at is None) == waits_for_nobody, "nobody would ever look at it again"

    def teardown(self) -> None:
        try:
            journal = self.journal(0)
            for entry_id, known in self.known.items():
                whole = b"" if known.state is State.ERASED else known.body
                assert self.do(stored(journal, entry_id)) == whole
            assert self.do(journal.first_altered_event()) is None
        finally:
            for receiver in (0, 1):
                self.die(receiver)
            self.loop.close()


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_no_order_of_events_leads_to_a_forbidden_state(kind: str, request: pytest.FixtureRequest) -> None:
    with tempfile.TemporaryDirectory() as folder:

        class Machine(JournalMachine):
            def __init__(self) -> None:
                super().__init__()
                self.url = f"sqlite:///{Path(folder)}/{id(self)}-{len(list(Path(folder).iterdir()))}.db"
                if kind == "postgresql":
                    databases: Databases = request.getfixturevalue("databases")
                    self.url = databases.make(databases.template)

            def teardown(self) -> None:
                super().teardown()
                if kind == "postgresql":
                    request.getfixturevalue("databases").drop(self.url)

        profile = settings(
            max_examples=10, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
        )
        run_state_machine_as_test(Machine, settings=profile)
