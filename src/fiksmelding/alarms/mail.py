"""Alarms by e-mail, in the words of those who get them."""

import asyncio
import logging
import ssl
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid

import aiosmtplib
from pydantic import SecretStr

from fiksmelding.alarms.kinds import Alarm
from fiksmelding.alarms.lane import NotTaken, Refused
from fiksmelding.alarms.words import OVER, URGENCY, WORDS
from fiksmelding.clock import NORWAY, Clock
from fiksmelding.config import AlarmsSettings
from fiksmelding.errors import SettingsError
from fiksmelding.tls import client_context, is_this_machine

log = logging.getLogger("fiksmelding.alarms")

GOODBYE_SECONDS = 2.0


class MailRoute:
    """Sends alarms by SMTP, several in one e-mail when there are several.

    Args:
        settings: Server, addresses and secrets.
        clock: Where the time of the e-mail is read.
        tls: How the server proves itself, as from `mail_tls`; None without TLS.

    Raises:
        SettingsError: There is no sender's address, or a password would go over the network in the clear.
    """

    name = "mail"
    at_once = 50

    def __init__(self, settings: AlarmsSettings, clock: Clock, tls: ssl.SSLContext | None) -> None:
        if settings.mail_from is None:
            raise SettingsError("alarms.mail_to needs alarms.mail_from, the sender's address.")
        if settings.smtp_security == "none" and not is_this_machine(settings.smtp_host):
            raise SettingsError("alarms.smtp_security may be none only for a mail server on this machine.")
        self._settings = settings
        self._sender = settings.mail_from
        self._clock = clock
        self._tls = tls
        self._password: SecretStr | None = None if settings.smtp_user is None else settings.smtp_secret()

    @property
    def pause_seconds(self) -> float:
        """How long it rests after an e-mail, in seconds."""
        return self._settings.mail_pause_seconds

    async def send(self, alarms: Sequence[Alarm], *, lost: int = 0) -> None:
        """Send one e-mail; when this returns, the mail server has it. Arguments and errors as for any route."""
        message = self._message(alarms, lost)
        client = self._client()
        try:
            async with asyncio.timeout(self._settings.timeout_seconds):
                await client.connect()
                await self._hand_over(client, message)
        except aiosmtplib.SMTPResponseException as error:
            # The server's own text may hold addresses: the code says enough (RFC 5321, 4.2).
            kind = Refused if error.code >= 500 else NotTaken
            raise kind(f"the mail server answered {error.code} ({error.__class__.__name__})") from error
        except aiosmtplib.SMTPRecipientsRefused as error:
            codes = sorted({refusal.code for refusal in error.recipients})
            kind = Refused if min(codes, default=0) >= 500 else NotTaken
            raise kind(f"the mail server refused every recipient ({', '.join(map(str, codes))})") from error
        except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
            raise NotTaken(f"the mail server gave no answer ({error.__class__.__name__})") from error
        finally:
            # At once, also when a stop waits no longer: the library's own way says QUIT and waits for an answer.
            client.close()

    def _client(self) -> aiosmtplib.SMTP:
        settings = self._settings
        return aiosmtplib.SMTP(
            hostname=settings.smtp_host,
            port=settings.smtp_port,
            username=settings.smtp_user,
            password=None if self._password is None else self._password.get_secret_value(),
            use_tls=settings.smtp_security == "tls",
            start_tls=settings.smtp_security == "starttls",
            tls_context=self._tls,
            timeout=settings.timeout_seconds,
        )

    async def _hand_over(self, client: aiosmtplib.SMTP, message: EmailMessage) -> None:
        recipients = list(self._settings.mail_to)
        refused, _ = await client.send_message(message, sender=self._sender, recipients=recipients)
        if refused:
            log.warning("The mail server refused %d of %d recipients", len(refused), len(recipients))
        with suppress(aiosmtplib.SMTPException, OSError, TimeoutError):  # it has the mail: that is what counts
            await client.quit(timeout=GOODBYE_SECONDS)

    def _message(self, alarms: Sequence[Alarm], lost: int) -> EmailMessage:
        message = EmailMessage()
        message["From"] = self._sender
        message["To"] = ", ".join(self._settings.mail_to)
        message["Subject"] = self._subject(alarms)
        message["Date"] = format_datetime(self._clock.now())
        message["Message-ID"] = make_msgid(domain=self._sender.rpartition("@")[2])
        message["Auto-Submitted"] = "auto-generated"  # RFC 3834: nobody's holiday answers to it
        message.set_content(self._text(alarms, lost))
        message["Content-Language"] = "nb"
        return message

    def _subject(self, alarms: Sequence[Alarm]) -> str:
        gravest = max(alarms, key=lambda alarm: (not alarm.over, alarm.level))
        more = f" (og {len(alarms) - 1} til)" if len(alarms) > 1 else ""
        return f"{_urgency(gravest)}: {WORDS[gravest.kind].title}{more} – {self._settings.name}"

    def _text(self, alarms: Sequence[Alarm], lost: int) -> str:
        number = "Et varsel" if len(alarms) == 1 else f"{len(alarms)} varsler"
        parts = [f"{number} fra mottak og sending av bekymringsmeldinger ({self._settings.name})."]
        if lost:
            parts.append(f"{lost} eldre varsler kunne ikke sendes. De står i loggen.")
        parts += [_paragraph(alarm) for alarm in alarms]
        parts.append("Denne e-posten er laget av programmet fiksmelding. Du kan ikke svare på den.")
        return "\n\n".join(parts) + "\n"


def mail_tls(settings: AlarmsSettings) -> ssl.SSLContext | None:
    """How the mail server has to prove itself. Reads a file: call it in a thread.

    Raises:
        SettingsError: `alarms.smtp_ca_file` cannot be used.
    """
    return None if settings.smtp_security == "none" else client_context(settings.smtp_ca_file)


def _paragraph(alarm: Alarm) -> str:
    words = WORDS[alarm.kind]
    lines = [f"{_urgency(alarm)}: {words.title}", f"Tid: {_when(alarm.at)}"]
    if alarm.over:
        lines.append("Dette er nå over. Du trenger ikke gjøre noe.")
    else:
        lines += [f"Hva det betyr: {words.meaning}", f"Hva du gjør: {words.action}"]
    if alarm.entry_id is not None:
        lines.append(f"Meldingens id i journalen: {alarm.entry_id}")
    lines.append(f"Til driftsansvarlig ({alarm.kind.value}): {alarm.text}")
    return "\n".join(lines)


def _urgency(alarm: Alarm) -> str:
    return OVER if alarm.over else URGENCY[alarm.level]


def _when(moment: datetime) -> str:
    return moment.astimezone(NORWAY).strftime("%d.%m.%Y kl. %H.%M")
