"""`/metrics`, `/healthz` and `/readyz`, in good times and in bad."""

import asyncio
import logging
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from fiksmelding.broker import ConsumerState
from fiksmelding.config import Settings
from fiksmelding.receiver import Receiver, Registered, Report, Step
from fiksmelding.simulator import Simulator
from support.commands import command, running
from support.pages import pages_at, watched
from support.receiving import receiving, with_receiver
from support.roads import privat_json

PRIVAT_V2 = "no.ks.fiks.bekymringsmelding.privat.v2"


@pytest.fixture
async def fiks() -> AsyncIterator[Simulator]:
    async with Simulator() as platform:
        yield platform


@pytest.fixture
def settings(fiks: Simulator, tmp_path: Path) -> Settings:
    given = fiks.settings_for("bergen")
    journal = given.journal.model_copy(update={"url": f"sqlite:///{tmp_path}/journal.db"})
    return watched(with_receiver(given.model_copy(update={"journal": journal}), retry_first_seconds=0.05))


async def never(_report: Report) -> Registered:
    raise AssertionError


async def test_it_is_alive_before_it_is_subscribed_and_ready_after(settings: Settings) -> None:
    async with Receiver(settings, never) as receiver, pages_at(settings.metrics.listen) as pages:
        assert (await pages.get("/healthz"))[1]["alive"] is True
        status, content = await pages.get("/readyz")
        assert (status, content["ready"]) == (503, False)
        assert "Not subscribed to the queue: connecting" in str(content["reasons"])
        running = asyncio.create_task(receiver.run())
        await receiver.until(ConsumerState.CONSUMING)
        assert await pages.get("/readyz") == (200, {"ready": True, "reasons": []})
        receiver.stop()
        await running


async def test_a_journal_that_cannot_be_written_is_a_reason(settings: Settings, tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("fiksmelding.journal.sqlite.BUSY_SECONDS", 0.1)
        async with receiving(settings, tmp_path / "reports") as work, pages_at(settings.metrics.listen) as pages:
            await work.receiver.until(ConsumerState.CONSUMING)
            other = sqlite3.connect(tmp_path / "journal.db", isolation_level=None)
            other.execute("BEGIN IMMEDIATE")
            status, content = await pages.get("/readyz")
            other.close()
            assert (status, "journal" in str(content["reasons"])) == (503, True)
            assert (await pages.get("/healthz"))[0] == 200
            await pages.until_status("/readyz", 200)


async def test_a_failing_handler_shows(fiks: Simulator, settings: Settings, tmp_path: Path) -> None:
    failures = 2

    async def stumbles(_report: Report) -> Registered:
        nonlocal failures
        failures -= 1
        if failures >= 0:
            raise OSError("Lille Testesen")
        return Registered(reference="1")

    async with receiving(settings, tmp_path, handler=stumbles) as work, pages_at(settings.metrics.listen) as pages:
        await fiks.submit(privat_json(), message_type=PRIVAT_V2)
        await work.until(Step.RECEIPTED)
        samples = await pages.samples()
    assert samples["fiksmelding_failures_total", "handler_failed"] == 2


async def test_a_port_that_is_taken_stops_no_report(
    fiks: Simulator, settings: Settings, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    host, _, port = str(settings.metrics.listen).partition(":")
    taken = await asyncio.start_server(lambda *_: None, host, int(port))
    async with taken, receiving(settings, tmp_path / "reports") as work:
        await fiks.submit(privat_json(), message_type=PRIVAT_V2)
        await work.until(Step.RECEIPTED)
    [line] = [line for line in caplog.records if line.__dict__.get("event") == "monitoring_down"]
    assert line.levelno == logging.CRITICAL


async def test_reports_to_send_are_watched_where_they_are_handed_over(fiks: Simulator) -> None:
    file = fiks.write_settings("skole")
    metrics = watched(fiks.settings_for("skole")).metrics
    file.write_text(f'{file.read_text("utf-8")}\n[metrics]\nsender_listen = "{metrics.sender_listen}"\n', "utf-8")
    async with running("outbox", "run", "--settings", file), pages_at(metrics.sender_listen) as pages:
        await pages.until_status("/readyz", 200)
        sent = await command("send", "examples/privat-v2.json", "--to", "Bergen", "--yes", "--settings", file)
        assert sent.status == 0, sent.complaints
        samples = await pages.until_sample("fiksmelding_outbox_events_total", "submitted")
    assert samples["fiksmelding_outbox_up",] == 1
    assert ("fiksmelding_outbox_reports", "REFUSED") in samples
