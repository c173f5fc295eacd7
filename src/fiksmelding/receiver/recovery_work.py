"""Recovering beside the road: nothing but what is to be handed over once more, while no receiver does it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from fiksmelding import keys
from fiksmelding.alarms import Alarms
from fiksmelding.clock import Clock
from fiksmelding.config import Settings
from fiksmelding.errors import JournalUnavailable
from fiksmelding.journal import Entry, Journal
from fiksmelding.receiver.journey import Journey
from fiksmelding.receiver.opening import Opener
from fiksmelding.receiver.outage import Outage
from fiksmelding.receiver.policy import look_backoff, pace, retry_backoff
from fiksmelding.receiver.queue import PacedQueue
from fiksmelding.receiver.recording import Recorder
from fiksmelding.receiver.recover_step import RecoverStep
from fiksmelding.receiver.report import Confirm, Handler
from fiksmelding.receiver.steps import Observer
from fiksmelding.receiver.turns import NoTurn, Turns
from fiksmelding.worker import Worker


@asynccontextmanager
async def recovering(
    settings: Settings,
    journal: Journal,
    handler: Handler,
    confirm: Confirm | None,
    *,
    observe: Observer,
    alarms: Alarms,
    clock: Clock,
) -> AsyncIterator[asyncio.Task[None]]:
    """Work on what is to be recovered, for the length of the block; the task only ends by a fault of ours.

    Where a receiver works on a SQLite journal it is left to that one, until it ends.

    Args:
        settings: Account, keys and policies.
        journal: Where the originals are.
        handler: The case system's side.
        confirm: Its read-back, or None where there is none.
        observe: Told of each step.
        alarms: Told of what a person has to hear of.
        clock: Where the time is read.

    Raises:
        SettingsError: A key cannot be read.
    """
    policy = settings.receiver
    account_keys = await asyncio.to_thread(keys.account_keys, settings)
    opener = Opener(journal, account_keys, await asyncio.to_thread(keys.trust, settings))
    outage = Outage(
        journal=journal, clock=clock, backoff=look_backoff(policy), alarms=alarms, pause=_nothing, resume=_nothing
    )
    turns = Turns(pace(policy), clock, alarms, changed=lambda: _wake(worker))
    recorder = Recorder(journal, clock, retry_backoff(policy), observe, alarms, outage)
    step = RecoverStep(recorder, journal, handler, confirm, policy.handler_timeout_seconds, turns)

    async def walk(entry: Entry) -> None:
        try:
            async with Journey(opener) as journey:
                await step(entry, journey)
        except NoTurn:
            await journal.release(entry)
        except JournalUnavailable as error:
            await outage.wait(error)
            raise
        else:
            await _let_go(journal, entry)

    worker = Worker(
        journal=PacedQueue(journal, str(settings.account.id), turns, outage, clock, only_recoveries=True),
        walk=walk,
        concurrency=policy.concurrency,
        backoff=retry_backoff(policy),
        clock=clock,
        lease_seconds=settings.journal.lease_seconds,
    )
    working = asyncio.create_task(worker.run(), name="recovery")
    try:
        yield working
    finally:
        working.cancel()
        if outage.since is not None:
            await outage.aclose()  # what waits for the journal would wait in vain
        await worker.drain(policy.stop_seconds)
        await asyncio.gather(working, return_exceptions=True)
        await outage.aclose()


async def _let_go(journal: Journal, entry: Entry) -> None:
    """What has an answer to be sent is a receiver's to go on with, and need not wait for our lease to end."""
    with suppress(JournalUnavailable):
        await journal.release(entry)


def _wake(worker: Worker[Entry]) -> None:
    worker.wake()


async def _nothing() -> None:
    """There is no queue here whose deliveries would have to wait."""
