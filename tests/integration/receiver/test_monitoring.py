"""`/metrics` and `/readyz` of a receiver that runs, on every broker and journal."""

from pathlib import Path

from fiksmelding.config import Settings
from fiksmelding.receiver import Step
from fiksmelding.simulator import Simulator
from support.pages import pages_at, watched
from support.receiving import receiving
from support.roads import privat_json

PRIVAT_V2 = "no.ks.fiks.bekymringsmelding.privat.v2"


async def test_a_receiver_shows_what_happened_and_how_it_stands(
    fiks: Simulator, settings: Settings, tmp_path: Path
) -> None:
    shown = watched(settings)
    async with receiving(shown, tmp_path / "reports") as work, pages_at(shown.metrics.listen) as pages:
        await pages.until_status("/readyz", 200)
        await fiks.submit(privat_json(), message_type=PRIVAT_V2)
        await fiks.submit_sealed(b"no envelope", message_type=PRIVAT_V2)
        await work.until(Step.RECEIPTED)
        await work.until(Step.QUARANTINED)
        samples = await pages.samples()
        text = await pages.text()
    for step, count in (("kept", 2), ("opened", 1), ("registered", 1), ("receipted", 1), ("quarantined", 1)):
        assert samples["fiksmelding_messages_total", step] == count, step
    assert samples["fiksmelding_registration_seconds_count",] == samples["fiksmelding_receipt_seconds_count",] == 1
    assert samples["fiksmelding_waiting_messages", "QUARANTINED"] == 1
    assert samples["fiksmelding_waiting_messages", "RECEIVED"] == 0
    assert samples["fiksmelding_broker_state", "consuming"] == samples["fiksmelding_journal_up",] == 1
    assert samples["fiksmelding_alarms_total", "quarantined", "error"] == 1
    assert samples["fiksmelding_certificate_end_timestamp_seconds", "signing"] > 0
    assert not any(entry_id in text for _, entry_id in work.steps)
    assert "Testesen" not in text
