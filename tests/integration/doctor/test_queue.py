"""Who listens to the queue, and who should."""

from pathlib import Path

from fiksmelding.broker import ConsumerState
from fiksmelding.clock import SystemClock
from fiksmelding.consuming import account_consumer
from fiksmelding.doctor import Condition
from fiksmelding.fiks import FiksSession
from fiksmelding.journal import Journal
from fiksmelding.simulator import Simulator
from support.examining import changed, conditions, examined, text_of
from support.receiving import receiving

HEADERS = {"type": "no.ks.fiks.bekymringsmelding.privat.v2", "melding-id": "m", "avsender-id": "a"}


async def test_nobody_listens(fiks: Simulator) -> None:
    settings = fiks.settings_for("bergen")
    assert conditions(await examined(settings, "queue")) == {Condition.NOBODY_LISTENING}
    fiks.put_on_queue("bergen", headers=HEADERS)
    diagnosis = await examined(settings, "queue")
    assert conditions(diagnosis) == {Condition.MESSAGES_UNHEARD}
    assert not diagnosis.healthy


async def test_our_receiver_runs_and_the_broker_does_not_know_of_it(fiks: Simulator, tmp_path: Path) -> None:
    settings = fiks.settings_for("bergen")
    async with receiving(settings, tmp_path / "reports") as work:
        await work.receiver.until(ConsumerState.CONSUMING)
        elsewhere = changed(settings, "account", id=fiks.settings_for("oslo").account.id)
        # Its queue, that of another account, is one that the running receiver does not listen to.
        diagnosis = await examined(elsewhere, "queue")
    assert conditions(diagnosis) == {Condition.RECEIVER_NOT_CONSUMING}


async def test_somebody_else_listens(fiks: Simulator, tmp_path: Path) -> None:
    settings = fiks.settings_for("bergen")
    another = changed(settings, "journal", url=f"sqlite:///{tmp_path}/another.db")
    async with receiving(another, tmp_path / "reports") as work:
        await work.receiver.until(ConsumerState.CONSUMING)
        async with Journal(settings.journal):  # ours is there, and nobody works on it
            found = await examined(settings, "queue")
        told = await examined(settings, "queue", receivers=1)
        theirs = await examined(another, "queue")
    assert conditions(found) == {Condition.SOMEBODY_ELSE_LISTENING}
    assert "0 of them" in text_of(found, Condition.SOMEBODY_ELSE_LISTENING)
    assert conditions(told) == conditions(theirs) == {Condition.QUEUE_ATTENDED}


async def test_a_queue_that_grows_though_somebody_listens(fiks: Simulator) -> None:
    settings = changed(fiks.settings_for("bergen"), "broker", prefetch=1)

    async def keeps_nothing(_: object) -> None:
        raise OSError

    async with FiksSession(settings) as session:
        consumer = account_consumer(settings, session, on_delivery=keeps_nothing, clock=SystemClock(), stop_seconds=0.1)
        async with consumer:
            await consumer.until(ConsumerState.CONSUMING)
            for _ in range(102):
                fiks.put_on_queue("bergen", headers=HEADERS)
            diagnosis = await examined(settings, "queue", receivers=1)
    assert conditions(diagnosis) == {Condition.QUEUE_LONG}


async def test_a_queue_that_the_broker_does_not_show_us(fiks: Simulator) -> None:
    settings = changed(fiks.settings_for("bergen"), "account", id=fiks.settings_for("oslo").account.id)
    assert conditions(await examined(settings, "broker")) == {Condition.QUEUE_NOT_SHOWN}


async def test_each_address_of_the_broker_is_tried(fiks: Simulator) -> None:
    settings = fiks.settings_for("bergen")
    broker = settings.broker
    two = changed(settings, "broker", hosts=(f"{broker.host}:{broker.port}", f"{broker.host}:1"))
    diagnosis = await examined(two, "broker")
    assert conditions(diagnosis) == {Condition.BROKER_ADMITS, Condition.BROKER_UNREACHABLE}
    assert f"{broker.host}:1" in text_of(diagnosis, Condition.BROKER_UNREACHABLE)
