"""Whatever is on the queue, on either broker and with several receivers: kept once, nothing lost, nobody stopped."""

import asyncio
import decimal
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest

from fiksmelding.broker import ConsumerState
from fiksmelding.journal import Entry, State
from fiksmelding.receiver import Step
from fiksmelding.simulator import Simulator
from fiksmelding.simulator.queues import QueuedMessage
from support.receiving import Receiving, receiving
from support.roads import privat_json

PRIVAT_V2 = "no.ks.fiks.bekymringsmelding.privat.v2"
MEGABYTE = 1024 * 1024
ODD_VALUES: tuple[object, ...] = (
    7,
    -1.5,
    True,
    None,
    bytearray(b"\xff\x00"),
    decimal.Decimal("1.5"),
    datetime(2026, 3, 2, tzinfo=UTC),
    ["a", {"b": None}],
    {"a": [1, {"b": True}]},
    "x" * 64_000,
)


def wrong_headers(**others: object) -> dict[str, object]:
    good = {"melding-id": str(uuid4()), "type": PRIVAT_V2, "avsender-id": str(uuid4())}
    return {**good, **{name.replace("_", "-"): value for name, value in others.items()}}


def put(fiks: Simulator, headers: dict[str, object], body: bytes) -> None:
    """Put a message on the queue whose headers no sender of the platform's could give it."""
    message = QueuedMessage({}, body)
    message.headers.update(headers)  # type: ignore[arg-type]  # the point of it
    fiks.platform.broker.publish(fiks.party("bergen").account.queue, message)


async def set_aside(work: Receiving, count: int) -> list[Entry]:
    """The entries that wait for a person, once there are so many; some other receiver may have set them aside."""
    async with asyncio.timeout(60):
        while len(found := await work.receiver.journal.entries(State.QUARANTINED)) < count:  # noqa: ASYNC110  no event spans receivers
            await asyncio.sleep(0.05)
    return list(found)


@pytest.mark.timeout(180)
async def test_whatever_arrives_at_several_receivers_is_kept_once_and_the_good_report_registered(
    fiks: Simulator, postgresql_url: str, tmp_path: Path
) -> None:
    sealed = await fiks.seal_for("bergen", {"bekymringsmelding.json": privat_json(), "bekymringsmelding.pdf": b"%PDF"})
    bad: list[tuple[dict[str, object], bytes]] = [
        # Without an id of its own a message is known by its bytes.
        *((wrong_headers(melding_id=value), sealed + bytes([number])) for number, value in enumerate(ODD_VALUES)),
        *((wrong_headers(type=value), sealed) for value in ODD_VALUES),
        (wrong_headers(x="y" * 64_000), b"no envelope"),
        ({}, b""),
        (wrong_headers(), b""),
        (wrong_headers(), b"x" * 5 * MEGABYTE),
        (wrong_headers(), sealed[:-1] + b"\x00" * MEGABYTE),
        (wrong_headers(dokumentlager_id=str(uuid4())), b""),
        (wrong_headers(dokumentlager_id="../../nedlasting"), b""),
        (wrong_headers(dokumentlager_id=7), sealed),
    ]
    settings = fiks.settings_for("bergen")
    shared = settings.journal.model_copy(update={"url": postgresql_url})
    settings = settings.model_copy(update={"journal": shared})
    for headers, body in bad:
        put(fiks, headers, body)
    good = await fiks.submit(privat_json("Et barn trenger hjelp."), message_type=PRIVAT_V2)
    async with receiving(settings, tmp_path / "reports") as one, receiving(settings, tmp_path / "reports") as other:
        report = await fiks.wait_for(good, "LEVERT", timeout=60)
        entries = await set_aside(one, len(bad))
        assert one.stored() == {good}
        assert len(report.receipts) == 1
        assert len(await one.receiver.journal.entries()) == len(bad) + 1
        assert len(entries) == len(bad)
        assert all(entry.reason for entry in entries)
        assert await one.receiver.journal.first_altered_event() is None
        for work in (one, other):
            assert work.receiver.status.broker.state is ConsumerState.CONSUMING
        state = await fiks.platform.broker.state(fiks.party("bergen").account.queue)
        assert (state.waiting, state.held) == (0, 0)
        acknowledged = [entry_id for work in (one, other) for step, entry_id in work.steps if step is Step.ACKNOWLEDGED]
        assert sorted(acknowledged) == sorted(entry.id for entry in await one.receiver.journal.entries())
