"""Whatever happens in whatever order, no message is lost, answered early, walked by two, or in a state not allowed."""

import asyncio
import tempfile
from collections.abc import Awaitable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypeVar

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
from fiksmelding.journal import ALLOWED, Answer, Arrival, Change, Entry, EventKind, Journal, Lease, Receipt, State
from support.arrivals import NOON, arrival
from support.journals import LEASE, stored
from support.postgresql import Databases

Result = TypeVar("Result")
RECEIVERS = st.integers(0, 1)


@dataclass
class Known:
    """What the outside world knows of a message."""

    delivery: Arrival
    body: bytes
    state: State = State.RECEIVED
    registered: int = 0
    receipts: list[str] = field(default_factory=list)
    history: list[State] = field(default_factory=lambda: [State.RECEIVED])


class JournalMachine(RuleBasedStateMachine):
    """Two receivers with a journal each; on SQLite the second has the same file after the first has died."""

    url: str
    entries = Bundle("entries")
    claims = Bundle("claims")

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.now = NOON
        self.known: dict[str, Known] = {}
        self.journals: dict[int, Journal] = {}
        self.lives = [0, 0]
        self.holders: dict[str, tuple[Lease, datetime]] = {}

    def do(self, work: Awaitable[Result]) -> Result:
        async def bounded() -> Result:
            return await asyncio.wait_for(work, 30)

        return self.loop.run_until_complete(bounded())

    def journal(self, receiver: int) -> Journal:
        if receiver not in self.journals:
            journal = Journal(JournalSettings(url=self.url, chunk_bytes=1024))
            self.do(journal.__aenter__())
            self.journals[receiver] = journal
        return self.journals[receiver]

    def owner(self, receiver: int) -> str:
        return f"{receiver} in life {self.lives[receiver]}"

    @initialize()
    def open(self) -> None:
        self.journal(0)

    @rule(target=entries, receiver=RECEIVERS, body=st.binary(max_size=3000))
    def keep(self, receiver: int, body: bytes) -> str:
        delivery = arrival(received_at=self.now)
        kept = self.do(self.journal(receiver).keep(delivery, body))
        assert not kept.repeated
        self.known[kept.entry_id] = Known(delivery, body)
        return kept.entry_id

    @rule(entry_id=entries, receiver=RECEIVERS)
    def deliver_again(self, entry_id: str, receiver: int) -> None:
        known = self.known[entry_id]
        kept = self.do(self.journal(receiver).keep(known.delivery, known.body))
        assert kept.repeated
        assert kept.entry_id == entry_id

    @rule(target=claims, receiver=RECEIVERS, limit=st.integers(1, 3))
    def claim(self, receiver: int, limit: int) -> object:
        journal, owner = self.journal(receiver), self.owner(receiver)
        if not journal.shared:
            # One process at a time: the other one has died.
            self.die(1 - receiver)
        claimed = self.do(journal.claim(self.now, owner=owner, lease=LEASE, limit=limit))
        for entry in claimed:
            assert entry.lease is not None
            holder, until = self.holders.get(entry.id, (entry.lease, self.now))
            assert holder.owner == owner or until <= self.now, "taken from one who still holds it"
            self.holders[entry.id] = entry.lease, self.now + LEASE
        return multiple(*((receiver, entry) for entry in claimed))

    @rule(target=claims, claim=consumes(claims), wait=st.sampled_from([0, 5]))
    def walk(self, claim: tuple[int, Entry], wait: int) -> object:
        """Take the next step on the road, if the claim still holds."""
        receiver, entry = claim
        if self.dead(receiver, entry):
            return multiple()
        change = self.step(entry, wait)
        try:
            after = self.do(self.journal(receiver).record(entry, change, at=self.now))
        except JournalError:
            assert not self.holds(entry), "a holder was refused"
            return multiple()
        assert self.holds(entry), "one who had lost the claim took a step"
        assert replace(after, lease=None) == self.do(self.journal(receiver).entry(entry.id))
        self.learn(entry, change)
        if after.lease is None:
            self.holders.pop(entry.id)
            return multiple()
        return multiple((receiver, after))

    def step(self, entry: Entry, wait: int) -> Change:
        due_at = self.now + timedelta(seconds=wait)
        receipt = entry.receipt
        match entry.state:
            case State.RECEIVED:
                return Change(event=EventKind.OPENED, state=State.OPENED, due_at=due_at, attempts=1)
            case State.OPENED if wait:
                return Change(event=EventKind.HANDLER_FAILED, due_at=due_at, failures=entry.failures + 1)
            case State.OPENED:
                made = Receipt(Answer.MOTTATT, f"r-{entry.id}"[:36])
                return Change(event=EventKind.REGISTERED, state=State.REGISTERED, due_at=due_at, receipt=made)
            case _ if receipt is not None and wait:
                tried = replace(receipt, attempts=receipt.attempts + 1)
                return Change(event=EventKind.RECEIPT_FAILED, due_at=due_at, receipt=tried)
            case _:
                assert receipt is not None
                taken = replace(receipt, taken_at=self.now)
                return Change(event=EventKind.RECEIPTED, state=State.RECEIPTED, due_at=None, receipt=taken)

    def holds(self, entry: Entry) -> bool:
        holder, _ = self.holders.get(entry.id, (None, self.now))
        return holder == entry.lease

    def dead(self, receiver: int, entry: Entry) -> bool:
        return entry.lease is None or entry.lease.owner != self.owner(receiver)

    def learn(self, entry: Entry, change: Change) -> None:
        known = self.known[entry.id]
        if change.event is EventKind.REGISTERED:
            known.registered += 1
        if change.receipt is not None:
            known.receipts.append(change.receipt.klient_melding_id)
            assert known.registered == 1, "answered before it was registered"
        if change.state is not None and change.state is not known.state:
            known.history.append(change.state)
            known.state = change.state

    @rule(claim=claims)
    def renew(self, claim: tuple[int, Entry]) -> None:
        receiver, entry = claim
        if self.dead(receiver, entry):
            return
        lost = self.do(self.journal(receiver).renew([entry], until=self.now + LEASE))
        if self.holds(entry):
            assert lost == frozenset()
            self.holders[entry.id] = self.holders[entry.id][0], self.now + LEASE
        else:
            assert (lost == {entry.id}) == (entry.id in self.holders)

    @rule(claim=consumes(claims))
    def give_back(self, claim: tuple[int, Entry]) -> None:
        receiver, entry = claim
        if self.dead(receiver, entry):
            return
        self.do(self.journal(receiver).release(entry))
        if self.holds(entry):
            self.holders.pop(entry.id)

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

    @rule(seconds=st.sampled_from([1, 10, 61, 3600]))
    def time_passes(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)

    @precondition(lambda self: any(known.state is State.RECEIPTED for known in self.known.values()))
    @rule(receiver=RECEIVERS)
    def erase(self, receiver: int) -> None:
        journal = self.journal(receiver)
        for entry in self.do(journal.receipted_before(self.now + timedelta(days=91), limit=1)):
            self.do(journal.erase(entry, at=self.now))
            self.known[entry.id].state = State.ERASED
            self.known[entry.id].history.append(State.ERASED)

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
            assert len(set(known.receipts)) <= 1
            waits_for_nobody = known.state in {State.RECEIPTED, State.ERASED}
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
            max_examples=10, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
        )
        run_state_machine_as_test(Machine, settings=profile)
