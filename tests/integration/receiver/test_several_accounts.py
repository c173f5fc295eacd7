"""A vendor hosts several municipalities: each account has its receiver, all share one journal."""

from pathlib import Path

from fiksmelding.config import Settings
from fiksmelding.journal import Journal, State
from fiksmelding.simulator import Simulator
from support.receiving import receiving
from support.roads import privat_json

PRIVAT_V2 = "no.ks.fiks.bekymringsmelding.privat.v2"


def sharing(settings: Settings, url: str) -> Settings:
    journal = settings.journal.model_copy(update={"url": url})
    return settings.model_copy(update={"journal": journal})


async def test_each_receiver_walks_the_reports_of_its_own_account_only(
    fiks: Simulator, postgresql_url: str, tmp_path: Path
) -> None:
    bergen, oslo = (sharing(fiks.settings_for(name), postgresql_url) for name in ("bergen", "oslo"))
    async with receiving(bergen, tmp_path / "bergen") as first, receiving(oslo, tmp_path / "oslo") as second:
        same = privat_json("Den samme meldingen til to kommuner.")
        submitted = {
            name: {await fiks.submit(same, message_type=PRIVAT_V2, account=name) for _ in range(4)}
            for name in ("bergen", "oslo")
        }
        for report_id in submitted["bergen"] | submitted["oslo"]:
            await fiks.wait_for(report_id, "LEVERT", timeout=30)
        assert first.stored() == submitted["bergen"]
        assert second.stored() == submitted["oslo"]
    async with Journal(bergen.journal) as journal:
        assert {entry.state for entry in await journal.entries()} <= {State.RECEIPTED}
