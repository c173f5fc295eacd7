"""Alarms by e-mail, to a real mail server."""

import asyncio
import logging
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from fiksmelding.alarms import Alarm, AlarmKind, Alarms
from fiksmelding.alarms.routing import AlarmRoutes, open_alarms
from fiksmelding.config import AlarmsSettings
from fiksmelding.errors import SettingsError
from fiksmelding.simulator.pki import Authority
from fiksmelding.simulator.tls import server_context
from support.clocks import StillClock
from support.mail_server import PASSWORD, USER, MailServer, serving

AT = datetime(2026, 7, 1, 8, 5, tzinfo=UTC)


def settings(server: MailServer, **changes: object) -> AlarmsSettings:
    given = {
        "name": "Barnevernet i Bergen",
        "mail_to": ["vakt@bergen.example", "drift@bergen.example"],
        "mail_from": "varsel@bergen.example",
        "smtp_host": "127.0.0.1",
        "smtp_port": server.port,
        "smtp_security": "none",
        "mail_pause_seconds": 0,
        "stop_seconds": 5,
    }
    return AlarmsSettings.model_validate({**given, **changes})


@asynccontextmanager
async def alarming(
    chosen: AlarmsSettings, clock: StillClock | None = None
) -> AsyncIterator[tuple[Alarms, AlarmRoutes]]:
    still = clock or StillClock(AT)
    async with AlarmRoutes(chosen, still) as routes:
        yield Alarms(still, routes), routes


@pytest.fixture
def server_tls(authority: Authority) -> ssl.SSLContext:
    return server_context(authority.server("localhost", "127.0.0.1"))


@pytest.fixture
def roots(authority: Authority, tmp_path: Path) -> Path:
    path = tmp_path / "roots.pem"
    path.write_bytes(authority.roots_pem)
    return path


async def test_a_case_worker_reads_what_happened_and_what_to_do() -> None:
    async with serving(MailServer()) as server, alarming(settings(server)) as (alarms, _):
        alarms.sound(AlarmKind.DEADLINE_PASSED, "Not registered by its deadline.", entry_id="4f6d")
        await server.until_mails(1)
    [mail] = server.mails
    assert mail["Subject"] == "Viktig: En melding ble ikke registrert i tide – Barnevernet i Bergen"
    assert (mail["To"], mail["From"]) == ("vakt@bergen.example, drift@bergen.example", "varsel@bergen.example")
    assert (mail["Content-Language"], mail["Auto-Submitted"]) == ("nb", "auto-generated")
    text = mail.get_content()
    assert "Tid: 01.07.2026 kl. 10.05" in text
    assert "Hva det betyr: Avsenderen har fått beskjed" in text
    assert "Hva du gjør: Se etter brevet." in text
    assert "Meldingens id i journalen: 4f6d" in text
    assert "(deadline_passed): Not registered by its deadline." in text


async def test_what_is_over_is_told_too() -> None:
    async with serving(MailServer()) as server, alarming(settings(server, mail_level="critical")) as (alarms, _):
        alarms.sound(AlarmKind.JOURNAL_DOWN, "It is down.")
        await server.until_mails(1)
        alarms.over(AlarmKind.JOURNAL_DOWN, "It is back.")
        await server.until_mails(2)
    assert server.mails[1]["Subject"].startswith("Over: Journalen kan ikke brukes")
    assert "Dette er nå over." in server.mails[1].get_content()


async def test_many_alarms_come_in_one_mail_with_the_gravest_first_in_its_subject() -> None:
    async with serving(MailServer()) as server, alarming(settings(server)) as (alarms, _):
        alarms.sound(AlarmKind.ODD_STATUS, "first")
        for number in range(30):
            alarms.sound(AlarmKind.QUARANTINED, "set aside", entry_id=str(number))
        alarms.sound(AlarmKind.JOURNAL_DOWN, "down")
        await server.until_mails(1)
    [mail] = server.mails
    assert mail["Subject"].startswith("Haster: Journalen kan ikke brukes (og 31 til)")
    assert mail.get_content().count("En melding må vurderes") == 30


@pytest.mark.parametrize("security", ["starttls", "tls"])
async def test_it_logs_in_over_tls_only(security: str, server_tls: ssl.SSLContext, roots: Path) -> None:
    contexts = {security: server_tls}
    async with serving(MailServer(), **contexts) as server:
        account = {"smtp_user": USER, "smtp_password": PASSWORD, "smtp_ca_file": roots, "smtp_host": "localhost"}
        async with alarming(settings(server, smtp_security=security, **account)) as (alarms, _):
            alarms.sound(AlarmKind.QUARANTINED, "set aside")
            await server.until_mails(1)
    assert (server.encrypted, server.logins) == ([True], [USER])


async def test_a_server_with_another_certificate_gets_neither_mail_nor_password(server_tls: ssl.SSLContext) -> None:
    async with serving(MailServer(), starttls=server_tls) as server:
        account = {"smtp_user": USER, "smtp_password": PASSWORD, "smtp_host": "localhost"}
        async with alarming(settings(server, smtp_security="starttls", **account)) as (_, routes):
            outcome = await routes.try_each("a trial")
    assert "gave no answer" in str(outcome["mail"])
    assert (server.logins, server.mails) == ([], [])


async def test_a_wrong_password_is_told_by_its_code_and_appears_in_no_log(
    server_tls: ssl.SSLContext, roots: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with serving(MailServer(), starttls=server_tls) as server:
        account = {"smtp_user": USER, "smtp_password": "hunter2-hunter2", "smtp_ca_file": roots}
        chosen = settings(server, smtp_security="starttls", smtp_host="localhost", **account)
        async with alarming(chosen) as (alarms, routes):
            assert "535" in str((await routes.try_each("a trial"))["mail"])
            alarms.sound(AlarmKind.QUARANTINED, "set aside")
    ours = [line for line in caplog.records if line.name.startswith(("fiksmelding", "aiosmtplib"))]
    assert ours
    assert not any("hunter2" in line.getMessage() for line in ours)
    assert "hunter2" not in repr(chosen)


async def until(condition: Callable[[], bool], clock: StillClock | None = None) -> None:
    """Wait for something; time passes meanwhile, on a clock that is given."""
    async with asyncio.timeout(20):
        while not condition():
            if clock is not None:
                clock.advance(timedelta(seconds=5))
            await asyncio.sleep(0)


async def test_alarms_wait_for_a_server_that_is_down(caplog: pytest.LogCaptureFixture) -> None:
    clock, server = StillClock(AT), MailServer()
    async with serving(server):
        pass  # its port is known now, and nobody is there
    async with alarming(settings(server), clock) as (alarms, _):
        alarms.sound(AlarmKind.QUARANTINED, "set aside", entry_id="1")
        await until(lambda: "the mail server gave no answer" in caplog.text)
        alarms.sound(AlarmKind.QUARANTINED, "set aside", entry_id="2")
        async with serving(server):
            await until(lambda: bool(server.mails), clock)
    assert server.mails[0]["Subject"].startswith("Viktig: En melding må vurderes av et menneske (og 1 til)")


async def test_what_still_waits_is_sent_at_the_stop_when_the_server_is_back(caplog: pytest.LogCaptureFixture) -> None:
    server = MailServer()
    async with serving(server):
        pass
    async with alarming(settings(server)) as (alarms, routes):
        alarms.sound(AlarmKind.QUARANTINED, "set aside")
        await until(lambda: "the mail server gave no answer" in caplog.text)
        async with serving(server):
            await routes.aclose()
    assert len(server.mails) == 1


async def test_a_slow_server_keeps_nobody_waiting_and_ends_no_stop_late() -> None:
    server = MailServer(stuck=True)
    async with serving(server), alarming(settings(server, stop_seconds=0.05)) as (alarms, _):
        alarms.sound(AlarmKind.QUARANTINED, "set aside")
        await server.until_attempts(1)
        alarms.sound(AlarmKind.QUARANTINED, "set aside too", entry_id="2")
    assert server.mails == []


async def test_a_server_that_is_too_slow_counts_as_one_that_gives_no_answer() -> None:
    server = MailServer(stuck=True)
    async with serving(server), alarming(settings(server, timeout_seconds=0.3)) as (_, routes):
        assert await routes.try_each("a trial") == {"mail": "the mail server gave no answer (TimeoutError)"}


async def test_a_mail_that_is_refused_for_now_is_sent_again() -> None:
    clock, server = StillClock(AT), MailServer(answers=["451 greylisted"])
    async with serving(server), alarming(settings(server), clock) as (alarms, routes):
        alarms.sound(AlarmKind.QUARANTINED, "set aside")
        await server.until_attempts(1)
        await routes.aclose()  # the last attempt
    assert len(server.mails) == 1


async def test_a_recipient_that_does_not_exist_keeps_the_others_from_nothing(caplog: pytest.LogCaptureFixture) -> None:
    server = MailServer(no_such_recipient="vakt@bergen.example")
    async with serving(server), alarming(settings(server)) as (alarms, routes):
        alarms.sound(AlarmKind.QUARANTINED, "set aside")
        await server.until_mails(1)
        await routes.aclose()
    assert "refused 1 of 2 recipients" in caplog.text
    assert not any("vakt@" in line.getMessage() for line in caplog.records if line.name.startswith("fiksmelding"))


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"mail_from": None}, "alarms.mail_from"),
        ({"smtp_host": "mail.example"}, "alarms.smtp_security"),
        ({"smtp_user": "varsler"}, "alarms.smtp_password_file"),
        ({"smtp_security": "tls", "smtp_ca_file": Path("/nowhere.pem")}, "cannot be read"),
    ],
)
async def test_settings_that_cannot_work_are_refused_at_the_start(changes: dict[str, object], told: str) -> None:
    with pytest.raises(SettingsError, match=told.replace(".", r"\.")):
        async with AlarmRoutes(settings(MailServer(port=25), **changes)):
            pass


async def test_a_command_raises_an_alarm_that_is_sent_before_it_ends() -> None:
    told: list[Alarm] = []
    async with serving(MailServer()) as server, open_alarms(settings(server), told.append) as alarms:
        alarms.sound(AlarmKind.UNMOVED, "It stands still.")
    assert len(server.mails) == len(told) == 1
