"""The tables by which people and their systems hear how it goes."""

import socket
from typing import Annotated, Literal, Self

from pydantic import Field, SecretStr, model_validator

from fiksmelding.config.values import AddressWithPort, FilePath, Table, optional_secret, secret

Level = Literal["warning", "error", "critical"]
MailAddress = Annotated[str, Field(pattern=r"^[^\s@<>,;]+@[^\s@<>,;]+$")]


class AlarmsSettings(Table):
    """`[alarms]`: who is told when a person has to hear of something. The log always is.

    Attributes:
        name: What the alarms call this installation, for those who have several; the machine's name when absent.
        webhook_url: Where each alarm is posted as JSON: `https`, or `http` on this machine. None is when absent.
        webhook_secret: What the posts are signed with. Prefer `webhook_secret_file` or the environment. Not signed
            when there is none.
        webhook_secret_file: File that holds it; white space at its end is dropped. At least 16 bytes.
        webhook_ca_file: Certificates (PEM file) that its TLS certificate must chain to; the system's when absent.
        webhook_level: The least grave alarms it gets: `warning`, `error` or `critical`.
        mail_to: Who gets alarms by e-mail; nobody when absent.
        mail_from: The sender's address of these e-mails; needed with `mail_to`.
        mail_level: The least grave alarms that are mailed: `warning`, `error` or `critical`.
        mail_pause_seconds: The least time between two e-mails, in seconds; what happens meanwhile goes into the next.
        smtp_host: The mail server.
        smtp_port: Its port.
        smtp_security: `starttls`, `tls` from the first byte (port 465), or `none`, which only a server on this machine
            may have.
        smtp_user: The user name, for a server that asks for one.
        smtp_password: Its password. Prefer `smtp_password_file` or the environment.
        smtp_password_file: File that holds the password; white space at its end is dropped.
        smtp_ca_file: Certificates (PEM file) that the server's TLS certificate must chain to; the system's when absent.
        timeout_seconds: Time limit of one attempt to tell, in seconds.
        room: How many alarms may wait for a webhook or mail server that does not answer; the oldest give way.
        stop_seconds: How long a stop may wait until what waits is told, in seconds.
    """

    name: str = Field(default_factory=socket.gethostname, min_length=1, pattern=r"^[^\r\n]+$")
    webhook_url: str | None = None
    webhook_secret: SecretStr | None = None
    webhook_secret_file: FilePath | None = None
    webhook_ca_file: FilePath | None = None
    webhook_level: Level = "warning"
    mail_to: tuple[MailAddress, ...] = ()
    mail_from: MailAddress | None = None
    mail_level: Level = "warning"
    mail_pause_seconds: float = Field(default=60.0, ge=0)
    smtp_host: str = "localhost"
    smtp_port: int = Field(default=587, ge=1, le=65535)
    smtp_security: Literal["starttls", "tls", "none"] = "starttls"
    smtp_user: str | None = None
    smtp_password: SecretStr | None = None
    smtp_password_file: FilePath | None = None
    smtp_ca_file: FilePath | None = None
    timeout_seconds: float = Field(default=20.0, gt=0)
    room: int = Field(default=1000, ge=1, le=100_000)
    stop_seconds: float = Field(default=5.0, ge=0)

    def webhook_key(self) -> SecretStr | None:
        """The webhook's secret, wherever it is kept; None when there is none.

        Raises:
            SettingsError: Its file cannot be read.
        """
        return optional_secret(self.webhook_secret, self.webhook_secret_file, "alarms.webhook_secret_file")

    def smtp_secret(self) -> SecretStr:
        """The mail server's password, wherever it is kept.

        Raises:
            SettingsError: It is given nowhere, or its file cannot be read.
        """
        return secret(self.smtp_password, self.smtp_password_file, "alarms.smtp_password_file")


class MetricsSettings(Table):
    """`[metrics]`: pages for the systems that watch: `/metrics` (Prometheus), `/healthz` and `/readyz`.

    Attributes:
        listen: Host and port where a receiver serves them, such as `127.0.0.1:9464`; nowhere when absent. They ask
            nobody for a password and hold no personal data: keep them to this machine or a network of your own.
        sender_listen: Host and port where `fiksmelding outbox run` serves its own; nowhere when absent.
        traces: Whether each step of the road is a span of OpenTelemetry (with `fiksmelding[otel]`).
    """

    listen: AddressWithPort | None = None
    sender_listen: AddressWithPort | None = None
    traces: bool = False


class CanarySettings(Table):
    """`[canary]`: messages that a receiver sends to its own account, to see that they arrive.

    Attributes:
        every_minutes: How often one is sent, in minutes; none is when absent.
        silent_minutes: How long none may come back before an alarm, in minutes. Let it be at least twice
            `every_minutes`.
    """

    every_minutes: float | None = Field(default=None, gt=0)
    silent_minutes: float = Field(default=30.0, gt=0)

    @model_validator(mode="after")
    def _silence_outlasts_the_interval(self) -> Self:
        if self.every_minutes is not None and self.silent_minutes < 2 * self.every_minutes:
            raise ValueError("silent_minutes must be at least twice every_minutes")
        return self


class UnreadSettings(Table):
    """`[unread]`: registered reports that nobody opens in the case system. Watched when there is somebody to ask.

    Attributes:
        after_hours: How long after its registration a report must have been opened, in hours.
        again_minutes: How often is asked about one that nobody has opened, in minutes.
        url: Whom to ask: `https`, or `http` on this machine. Nobody when absent, unless a program gives a function.
        secret: What the requests are signed with. Prefer `secret_file` or the environment. Not signed when there is
            none.
        secret_file: File that holds it; white space at its end is dropped. At least 16 bytes.
        ca_file: Certificates (PEM file) that its TLS certificate must chain to; the system's when absent.
        timeout_seconds: Time limit of one question, in seconds.
    """

    after_hours: float = Field(default=24.0, gt=0)
    again_minutes: float = Field(default=60.0, gt=0)
    url: str | None = None
    secret: SecretStr | None = None
    secret_file: FilePath | None = None
    ca_file: FilePath | None = None
    timeout_seconds: float = Field(default=30.0, gt=0)

    def key(self) -> SecretStr | None:
        """The secret, wherever it is kept; None when there is none.

        Raises:
            SettingsError: Its file cannot be read.
        """
        return optional_secret(self.secret, self.secret_file, "unread.secret_file")
