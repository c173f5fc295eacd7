"""When the journal cannot write: nothing acknowledged, nothing consumed, one alarm; and it goes on by itself."""

import asyncio
import random
import sqlite3
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from fiksmelding.alarms import AlarmKind
from fiksmelding.broker import ConsumerState
from fiksmelding.config import Settings
from fiksmelding.receiver import Step
from fiksmelding.simulator import Simulator
from support.postgresql import free_port, started
from support.receiving import Receiving, receiving, with_receiver
from support.roads import privat_json

PRIVAT_V2 = "no.ks.fiks.bekymringsmelding.privat.v2"


def eager(settings: Settings, url: str) -> Settings:
    """Looking again soon, with the journal at `url`."""
    journal = settings.journal.model_copy(update={"url": url})
    return with_receiver(settings.model_copy(update={"journal": journal}), retry_first_seconds=0.1)


async def submit(fiks: Simulator, *texts: str, pdf: bytes = b"%PDF") -> list[str]:
    ids = []
    for text in texts:
        files = {"bekymringsmelding.json": privat_json(text), "bekymringsmelding.pdf": pdf}
        ids.append(await fiks.submit_sealed(await fiks.seal_for("bergen", files), message_type=PRIVAT_V2))
    return ids


async def until_delivered(fiks: Simulator, ids: Sequence[str]) -> None:
    for report_id in ids:
        await fiks.wait_for(report_id, "LEVERT", timeout=40)


async def until_down(work: Receiving) -> None:
    """Wait until it is told, and consuming has stopped."""
    await work.until_alarms(1)
    await work.receiver.until(ConsumerState.PAUSED)
    assert work.receiver.status.journal_down_since is not None


def acknowledged(work: Receiving) -> int:
    """How many deliveries were acknowledged."""
    return sum(step is Step.ACKNOWLEDGED for step, _ in work.steps)


async def until_up(work: Receiving) -> None:
    await work.until_alarms(2)
    assert [(alarm.kind, alarm.over) for alarm in work.alarms] == [
        (AlarmKind.JOURNAL_DOWN, False),
        (AlarmKind.JOURNAL_DOWN, True),
    ]
    await work.receiver.until(ConsumerState.CONSUMING)
    assert work.receiver.status.journal_down_since is None


async def test_postgresql_stopped_and_started_again(fiks: Simulator, tmp_path: Path) -> None:
    port = free_port()
    with ExitStack() as stack:
        # Not below pytest's own folder, into which the server, another user, may not look.
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="fiksmelding-postgresql-")))
        server = await asyncio.to_thread(stack.enter_context, started(folder, port))
        settings = eager(fiks.settings_for("bergen"), server.url)
        async with receiving(settings, tmp_path / "reports") as work:
            before = await submit(fiks, "før")
            await until_delivered(fiks, before)
            await asyncio.to_thread(server.crash)
            meanwhile = await submit(fiks, "imens", "og litt til")
            await until_down(work)
            assert acknowledged(work) == 1
            await asyncio.to_thread(stack.enter_context, started(folder, port))
            await until_up(work)
            after = await submit(fiks, "etter")
            await until_delivered(fiks, meanwhile + after)
            assert work.stored() == {*before, *meanwhile, *after}
            assert acknowledged(work) == 4


async def test_sqlite_locked_by_somebody_else(fiks: Simulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fiksmelding.journal.sqlite.BUSY_SECONDS", 0.1)
    file = tmp_path / "journal.db"
    async with receiving(eager(fiks.settings_for("bergen"), f"sqlite:///{file}"), tmp_path / "reports") as work:
        before = await submit(fiks, "før")
        await until_delivered(fiks, before)
        other = sqlite3.connect(file, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        meanwhile = await submit(fiks, "imens")
        await until_down(work)
        assert acknowledged(work) == 1
        other.execute("ROLLBACK")
        other.close()
        await until_up(work)
        await until_delivered(fiks, meanwhile)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has neither such disks nor such limits")
async def test_a_full_disk(fiks: Simulator, tmp_path: Path) -> None:
    from support.small_disk import small_disk  # noqa: PLC0415 - not for Windows

    pdf = b"%PDF-1.7\n" + random.Random(5).randbytes(300_000)
    with small_disk(tmp_path / "disk") as disk:
        url = f"sqlite:///{disk.folder}/journal.db"
        async with receiving(eager(fiks.settings_for("bergen"), url), tmp_path / "reports") as work:
            ids = await submit(fiks, *(f"Melding {number}" for number in range(5)), pdf=pdf)
            await until_down(work)
            assert acknowledged(work) < 5
            disk.make_room()
            await until_up(work)
            await until_delivered(fiks, ids)
            assert work.stored() == set(ids)


async def test_a_stop_while_the_journal_is_gone_does_not_wait_for_it(fiks: Simulator, tmp_path: Path) -> None:
    file = tmp_path / "journal.db"
    settings = eager(fiks.settings_for("bergen"), f"sqlite:///{file}")
    patient = with_receiver(settings, stop_seconds=300.0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("fiksmelding.journal.sqlite.BUSY_SECONDS", 0.1)
        async with receiving(patient, tmp_path / "reports") as work:
            await work.receiver.until(ConsumerState.CONSUMING)
            other = sqlite3.connect(file, isolation_level=None)
            other.execute("BEGIN IMMEDIATE")
            await submit(fiks, "imens")
            await until_down(work)
        other.close()
    assert work.steps == []
    assert (await fiks.platform.broker.state(fiks.party("bergen").account.queue)).waiting == 1
