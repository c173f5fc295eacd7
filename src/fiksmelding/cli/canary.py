"""`fiksmelding canary`: a message to our own account, now, and how long it takes to come back."""

import asyncio
import json
from datetime import timedelta

from fiksmelding import keys
from fiksmelding.cli.output import Exit, console
from fiksmelding.clock import SystemClock
from fiksmelding.config import Settings
from fiksmelding.fiks import Catalog, FiksSession, Outbound
from fiksmelding.journal import Canary, Journal
from fiksmelding.monitoring import UNMEASURED
from fiksmelding.receiver.canary import CanarySending

LOOK_SECONDS = 0.2


async def send_canary(settings: Settings, *, seconds: float, as_json: bool) -> Exit:
    """Send one, and wait until the receiver that runs has it.

    Args:
        settings: Account, platform, and the journal that the receiver writes to.
        seconds: How long to wait, in seconds.
        as_json: Print JSON.

    Raises:
        FiksmeldingError: It could not be noted or sent.
    """
    signer, clock = await asyncio.to_thread(keys.signer, settings), SystemClock()
    async with Journal(settings.journal) as journal, FiksSession(settings) as session:
        sending = CanarySending(
            settings.account.id, journal, Outbound(session), Catalog(session), signer, clock, UNMEASURED
        )
        sent = await sending.send(lives=timedelta(seconds=max(60.0, seconds)))
        canary = await _come_back(journal, sent, seconds)
    _show(canary, seconds, as_json=as_json)
    return Exit.FINE if canary.arrived_at is not None and canary.fault is None else Exit.PROBLEM


async def _come_back(journal: Journal, canary: Canary, seconds: float) -> Canary:
    """How it stands when it has come back, or when nobody waits any longer."""
    try:
        async with asyncio.timeout(seconds):
            while canary.arrived_at is None:
                await asyncio.sleep(LOOK_SECONDS)
                canary = await journal.canaries.get(canary.id) or canary
    except TimeoutError:
        pass
    return canary


def _show(canary: Canary, seconds: float, *, as_json: bool) -> None:
    trip = None if canary.arrived_at is None else (canary.arrived_at - canary.sent_at).total_seconds()
    if as_json:
        console.print_json(json.dumps({"id": canary.id, "tripSeconds": trip, "fault": canary.fault}))
        return
    if trip is None:
        text = (
            f"It has not come back within {seconds:g} s. Does a receiver run for this account, with this journal? "
            "Does another program take what comes to the account?"
        )
    elif canary.fault is not None:
        text = f"It came back after {trip:.1f} s, and could not be opened: {canary.fault}"
    else:
        text = f"It came back after {trip:.1f} s."
    console.print(text, highlight=False, markup=False, soft_wrap=True)
