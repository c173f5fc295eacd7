"""`fiksmelding alarms test`, and alarms of a receiver, all the way to a mail box."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from fiksmelding.cli.alarms import try_alarms
from fiksmelding.cli.output import Exit
from fiksmelding.config import AlarmsSettings
from fiksmelding.errors import SettingsError
from fiksmelding.receiver import Step
from fiksmelding.simulator import Simulator
from support.commands import command
from support.mail_server import MailServer, serving
from support.receiving import receiving


def mailed(server: MailServer) -> Mapping[str, object]:
    return {
        "mail_to": ["vakt@bergen.example"],
        "mail_from": "varsel@bergen.example",
        "smtp_host": "127.0.0.1",
        "smtp_port": server.port,
        "smtp_security": "none",
    }


def settings(**changes: object) -> AlarmsSettings:
    return AlarmsSettings.model_validate(changes)


async def test_each_way_is_tried_and_told(capsys: pytest.CaptureFixture[str]) -> None:
    async with serving(MailServer()) as server:
        chosen = settings(**mailed(server), webhook_url="http://127.0.0.1:9/", timeout_seconds=5)
        assert await try_alarms(chosen, as_json=True) is Exit.PROBLEM
    told = json.loads(capsys.readouterr().out)
    assert told["mail"] == {"sent": True, "reason": None}
    assert (told["webhook"]["sent"], "no answer" in told["webhook"]["reason"]) == (False, True)
    assert server.mails[0]["Subject"].startswith("Til orientering: Dette er en prøve")


async def test_alarms_to_the_log_alone_are_told_as_an_error() -> None:
    with pytest.raises(SettingsError, match=r"alarms\.webhook_url or alarms\.mail_to"):
        await try_alarms(settings(), as_json=False)


async def test_the_command_reads_the_settings_file() -> None:
    async with Simulator() as fiks, serving(MailServer()) as server:
        file = fiks.write_settings("bergen")
        lines = [f"{key} = {json.dumps(value)}" for key, value in mailed(server).items()]
        file.write_text("\n".join([file.read_text("utf-8"), "[alarms]", *lines, ""]), "utf-8")
        ended = await command("alarms", "test", "--settings", file)
    assert (ended.status, ended.complaints) == (0, "")
    assert "sent" in ended.out
    assert len(server.mails) == 1


async def test_a_message_that_a_person_has_to_look_at_becomes_a_mail(tmp_path: Path) -> None:
    async with Simulator() as fiks, serving(MailServer()) as server:
        given = fiks.settings_for("bergen")
        chosen = given.model_copy(update={"alarms": settings(**mailed(server))})
        await fiks.submit_sealed(b"no envelope", message_type="no.ks.fiks.bekymringsmelding.privat.v2")
        async with receiving(chosen, tmp_path / "reports") as work:
            await work.until(Step.QUARANTINED)
            await server.until_mails(1)
    [mail] = server.mails
    assert mail["Subject"].startswith("Viktig: En melding må vurderes av et menneske")
    [(_, entry_id)] = {one for one in work.steps if one[0] is Step.QUARANTINED}
    assert entry_id in mail.get_content()
