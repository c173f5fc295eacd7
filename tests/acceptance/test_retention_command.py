import json
from datetime import UTC, datetime, timedelta

from fiksmelding.config import Settings
from fiksmelding.journal import Answer, Change, EventKind, Journal, Receipt, State
from fiksmelding.simulator import Simulator
from support.arrivals import arrival
from support.commands import command

LONG_AGO = datetime.now(UTC) - timedelta(days=200)


async def test_what_has_outlived_its_use_is_shown_held_and_erased(fiks: Simulator) -> None:
    file = fiks.write_settings("bergen")
    settings = Settings.load(file)
    async with Journal(settings.journal) as journal:
        delivery = arrival(konto_id=str(settings.account.id), received_at=LONG_AGO)
        entry = await journal.entry((await journal.keep(delivery, b"sealed")).entry_id)
        receipt = Receipt(Answer.MOTTATT, "r", taken_at=LONG_AGO)
        for state in (State.OPENED, State.REGISTERED, State.RECEIPTED):
            change = Change(event=EventKind.OPENED, state=state, due_at=None, reference="1", receipt=receipt)
            entry = await journal.record(entry, change, at=LONG_AGO)
        await journal.reconciliations.mark_missing([entry.id], at=LONG_AGO)
    held = await command("retention", "run", "--settings", file)
    assert (held.status, "1 reports are missing" in held.out) == (0, True), "nothing that may be erased is due"
    async with Journal(settings.journal) as journal:
        await journal.reconciliations.mark_found([entry.id], at=LONG_AGO)
    shown = await command("retention", "show", "--settings", file, "--json")
    assert (shown.status, json.loads(shown.out)["due"], json.loads(shown.out)["erased"]) == (0, 1, None)
    run = await command("retention", "run", "--settings", file)
    assert (run.status, "1 originals are erased" in run.out) == (0, True)
    assert (
        "Selve meldingen ble slettet herfra" in (await command("journal", "export", entry.id, "--settings", file)).out
    )
