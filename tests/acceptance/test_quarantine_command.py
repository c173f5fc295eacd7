import json
from pathlib import Path

from fiksmelding.config import Settings
from fiksmelding.journal import Change, EventKind, Journal, State
from fiksmelding.simulator import Simulator
from support.arrivals import NOON, arrival
from support.commands import command


async def set_aside(settings: Path, melding_type: str) -> str:
    async with Journal(Settings.load(settings).journal) as journal:
        kept = await journal.keep(arrival(melding_type=melding_type), b"sealed")
        change = Change(event=EventKind.QUARANTINED, state=State.QUARANTINED, due_at=None, reason="[red]strange[/red]")
        await journal.record(await journal.entry(kept.entry_id), change, at=NOON)
        return kept.entry_id


async def test_what_is_set_aside_is_listed_shown_and_decided(fiks: Simulator) -> None:
    settings = fiks.write_settings("bergen")
    empty = await command("quarantine", "list", "--settings", settings)
    assert (empty.status, empty.out) == (0, "Nothing is set aside.\n")
    entry_id = await set_aside(settings, "no.ks.fiks.bekymringsmelding.privat.v9")
    other_id = await set_aside(settings, "no.ks.fiks.arkiv.v1.opprett")

    listed = await command("quarantine", "list", "--settings", settings, "--json")
    assert listed.status == 1
    assert [message["id"] for message in json.loads(listed.out)] == [entry_id, other_id]
    assert [message["answerable"] for message in json.loads(listed.out)] == [True, False]
    lines = (await command("quarantine", "list", "--settings", settings)).out.splitlines()
    assert lines[0] == f"{entry_id}  [red]strange[/red]"
    assert "answered feilet in 0 h 00 min" in lines[1]
    assert "cannot be answered" in lines[3]

    shown = await command("quarantine", "show", entry_id, "--settings", settings, "--json")
    assert [event["event"] for event in json.loads(shown.out)["events"]] == ["kept", "quarantined"]
    assert "sealed" not in (await command("quarantine", "show", entry_id, "--settings", settings)).out

    retried = await command("quarantine", "retry", entry_id, "--settings", settings)
    assert retried.status == 0
    again = await command("quarantine", "retry", entry_id, "--settings", settings)
    assert again.status == 1
    assert "not set aside: it is RECEIVED" in again.complaints
    closed = await command("quarantine", "reject", other_id, "--reason", "Feil adresse.", "--settings", settings)
    assert "nobody is told" in closed.out
    assert (await command("quarantine", "list", "--settings", settings)).status == 0
