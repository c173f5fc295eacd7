"""The queue: who listens, how much waits, and whether the broker lets us in. Nothing is taken from it."""

import asyncio
from collections.abc import Sequence

from fiksmelding.broker import Credentials
from fiksmelding.broker.link import Link
from fiksmelding.doctor.conditions import Condition
from fiksmelding.doctor.findings import Finding
from fiksmelding.doctor.patient import Patient, Unexaminable, in_thread
from fiksmelding.errors import BrokerAccessRefused, BrokerError, BrokerUnavailable, FiksmeldingError, SettingsError
from fiksmelding.fiks import Catalog, QueueStatus, explain_refusal
from fiksmelding.journal.viewing import JournalView
from fiksmelding.tls import client_context

__all__ = ["examine_broker", "examine_queue"]

LONG = 100
"""More than a municipality gets in a bad week."""


async def examine_queue(patient: Patient) -> Sequence[Finding]:
    """Does somebody listen, and nobody but us; how much waits?"""
    session = await patient.access()
    try:
        status = await Catalog(session).queue(session.account_id)
    except FiksmeldingError as error:
        raise Unexaminable("the platform tells nothing of the queue") from error
    ours = await _receivers(patient)
    found = [*_listeners(status, ours)]
    waiting = status.antall_uavhentede_meldinger
    if status.antall_konsumenter and waiting >= LONG:
        found.append(Finding(Condition.QUEUE_LONG, f"{waiting} messages wait on the queue, though somebody listens."))
    if found:
        return found
    text = f"{status.antall_konsumenter} listen(s) to the queue, and {waiting} message(s) wait."
    return [Finding(Condition.QUEUE_ATTENDED, text)]


def _listeners(status: QueueStatus, ours: int | None) -> Sequence[Finding]:
    there, waiting = status.antall_konsumenter, status.antall_uavhentede_meldinger
    if not there and ours:
        text = "A receiver of ours runs, and the broker knows of nobody who listens."
        return [Finding(Condition.RECEIVER_NOT_CONSUMING, text)]
    if not there and waiting:
        return [
            Finding(Condition.MESSAGES_UNHEARD, f"Nobody listens to the queue, and {waiting} message(s) wait on it.")
        ]
    if not there:
        return [Finding(Condition.NOBODY_LISTENING, "Nobody listens to the queue; nothing waits on it.")]
    if ours is not None and there > ours:
        text = f"{there} listen(s) to the queue, and {ours} of them is/are ours."
        return [Finding(Condition.SOMEBODY_ELSE_LISTENING, text)]
    return []


async def _receivers(patient: Patient) -> int | None:
    """How many receivers of ours are to listen: as told, or the one that holds a SQLite journal."""
    if patient.receivers is not None:
        return patient.receivers
    try:
        async with JournalView(patient.settings.journal) as journal:
            running = await journal.has_worker()
    except FiksmeldingError:
        return None
    return None if running is None else int(running)


async def examine_broker(patient: Patient) -> Sequence[Finding]:
    """Does the broker let us in, at each of its addresses, and show us our queue?"""
    broker, session = patient.settings.broker, await patient.access()
    try:
        tls = await in_thread(lambda: client_context(broker.ca_file)) if broker.tls else None
        password = await in_thread(patient.settings.integration.secret)
    except SettingsError as error:
        raise Unexaminable(error.text) from error
    quick = broker.model_copy(update={"timeout_seconds": min(broker.timeout_seconds, patient.limit / 4)})
    credentials = Credentials.of_integration(patient.settings.integration.id, password, await session.access_token())

    async def look(address: tuple[str, int]) -> Finding:
        name = f"{address[0]}:{address[1]}"
        try:
            link = await Link.open(quick, address, credentials, tls)
        except BrokerAccessRefused:
            return Finding(Condition.BROKER_REFUSES, f"{name} refuses us. {await explain_refusal(session)}")
        except BrokerError as error:
            return Finding(Condition.BROKER_UNREACHABLE, f"{name}: {error.text}")
        return await _look_at_queue(link, name, f"fiksio.konto.{session.account_id}")

    return await asyncio.gather(*map(look, broker.addresses))


async def _look_at_queue(link: Link, name: str, queue: str) -> Finding:
    try:
        await link.look(queue)
    except BrokerAccessRefused as error:
        return Finding(Condition.QUEUE_NOT_SHOWN, f"{name} lets us in, but does not show us {queue}: {error.text}")
    except BrokerUnavailable as error:
        return Finding(Condition.BROKER_UNREACHABLE, f"{name}: {error.text}")
    finally:
        await link.close()
    return Finding(Condition.BROKER_ADMITS, f"{name} lets us in and shows us the queue.")
