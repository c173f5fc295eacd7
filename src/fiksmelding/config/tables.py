"""Every table of the settings and what its keys mean: the one place where they are described."""

from typing import Literal
from uuid import UUID

from pydantic import Field, SecretStr

from fiksmelding.config.values import Address, FilePath, JournalUrl, Table, host_and_port, secret


class AccountSettings(Table):
    """`[account]`: the Fiks IO account (konto) that receives, and what opens its messages.

    Attributes:
        id: The account's id (`kontoId`); its queue is `fiksio.konto.<id>`.
        private_keys: Private keys that open its messages, newest first (PEM files). Keep earlier keys here until
            nothing sealed for them can arrive any more.
        sign_key: Private key (PEM file) that signs what we send; the first of `private_keys` when absent.
        sign_certificate: Certificate (PEM file, chain allowed) of `sign_key`.
        organisation_id: Our Fiks organisation id (`fiksOrgId`), needed for submitting reports.
    """

    id: UUID
    private_keys: tuple[FilePath, ...] = Field(min_length=1)
    sign_key: FilePath | None = None
    sign_certificate: FilePath | None = None
    organisation_id: UUID | None = None


class IntegrationSettings(Table):
    """`[integration]`: the credential by which we act on the account.

    Attributes:
        id: The integration's id.
        password: Its password. Prefer `password_file` or the environment.
        password_file: File that holds the password; white space at its end is dropped.
    """

    id: UUID
    password: SecretStr | None = None
    password_file: FilePath | None = None

    def secret(self) -> SecretStr:
        """The password, wherever it is kept.

        Raises:
            SettingsError: It is given nowhere, or its file cannot be read.
        """
        return secret(self.password, self.password_file, "integration.password_file")


class MaskinportenSettings(Table):
    """`[maskinporten]`: where access tokens come from (contract section 3).

    Attributes:
        issuer: The issuer's URL, the assertion's `aud`.
        token_url: The token endpoint; `<issuer>token` when absent.
        client_id: Our client's id, the assertion's `iss`.
        private_key: Private key (PEM file) that signs the assertion.
        certificate: Business certificate (PEM file, chain allowed), sent as `x5c`. Either this or `key_id`.
        key_id: `kid` of a key registered with Maskinporten beforehand.
        scope: Requested scope.
        resource: Audience restriction, when the platform asks for one.
        consumer_org: Organisation number we act on behalf of (delegation).
    """

    issuer: str = "https://maskinporten.no/"
    token_url: str | None = None
    client_id: str
    private_key: FilePath
    certificate: FilePath | None = None
    key_id: str | None = None
    scope: str = "ks:fiks"
    resource: str | None = None
    consumer_org: str | None = None


class PlatformSettings(Table):
    """`[platform]`: Fiks over HTTP.

    Attributes:
        api_url: Base of every API call.
        ca_file: Certificates (PEM file) that its TLS certificate must chain to; the system's when absent.
        timeout_seconds: Time limit of one call, in seconds.
        attempts: How often a call that can be repeated is tried in all.
        largest_document_bytes: The largest body taken from the document store, in bytes. A message with a larger one is
            kept without it and set aside.
    """

    api_url: str = "https://api.fiks.ks.no"
    ca_file: FilePath | None = None
    timeout_seconds: float = Field(default=30.0, gt=0)
    attempts: int = Field(default=4, ge=1)
    largest_document_bytes: int = Field(default=5 * 1024**3, ge=1)


class BrokerSettings(Table):
    """`[broker]`: the queue over AMQP.

    Attributes:
        host: The broker's host name.
        port: Its port.
        hosts: Its addresses when it has several, such as the nodes of a cluster: `name` or `name:port`, the port being
            `port` when none is given. They are tried in turn, the next after each failure or loss. Replaces `host`.
        tls: Whether the connection is encrypted. Only a broker on this machine may go without.
        ca_file: Certificates (PEM file) that its TLS certificate must chain to; the system's when absent.
        prefetch: How many unacknowledged deliveries we hold at most.
        heartbeat_seconds: Interval of AMQP heartbeats, in seconds; a dead connection is noticed after two.
        reconnect_first_seconds: Wait before the second attempt to connect; it doubles from there.
        reconnect_longest_seconds: The longest wait between two attempts, in seconds.
        timeout_seconds: Time limit of one broker call (connect, open, consume, ack), in seconds.
    """

    host: str = "io.fiks.ks.no"
    port: int = Field(default=5671, ge=1, le=65535)
    hosts: tuple[Address, ...] = ()
    tls: bool = True
    ca_file: FilePath | None = None
    prefetch: int = Field(default=10, ge=1, le=1000)
    heartbeat_seconds: int = Field(default=15, ge=2, le=600)
    reconnect_first_seconds: float = Field(default=0.5, gt=0)
    reconnect_longest_seconds: float = Field(default=60.0, gt=0)
    timeout_seconds: float = Field(default=20.0, gt=0)

    @property
    def addresses(self) -> tuple[tuple[str, int], ...]:
        """Every host and port by which the broker may be reached, in the order to try them."""
        return tuple(host_and_port(text, self.port) for text in self.hosts) or ((self.host, self.port),)


class JournalSettings(Table):
    """`[journal]`: what we know, durably.

    Attributes:
        url: Where it is: `sqlite:///` and a file on a local disk, made when absent; or `postgresql://` and a database
            (with `fiksmelding[postgres]`), which several receivers may share. A password in it is better given by
            the environment (`FIKSMELDING_JOURNAL_URL`, or PostgreSQL's own `PGPASSWORD` or `~/.pgpass`).
        chunk_bytes: Size of the pieces in which sealed payloads are stored.
        keep_days: How long the sealed original is kept after its receipt was taken, in days.
        lease_seconds: How long a claimed report is left to a receiver that has fallen silent before another takes it
            over, in seconds. The clocks of all receivers on one journal must agree far better than that.
    """

    url: JournalUrl = Field(default="sqlite:///fiksmelding.db", validate_default=True, repr=False)
    chunk_bytes: int = Field(default=262_144, ge=1024, le=16_777_216)
    keep_days: float = Field(default=90.0, gt=14)
    lease_seconds: float = Field(default=60.0, ge=5)


class ReceiverSettings(Table):
    """`[receiver]`: the road from the journal to the receipt.

    Attributes:
        concurrency: How many reports are worked on at once.
        handler_timeout_seconds: Time limit of one call of the handler or of `confirm`, in seconds.
        retry_first_seconds: Wait after the first failure, in seconds; it doubles from there, with jitter.
        retry_longest_seconds: The longest wait between two attempts, in seconds.
        deadline_hours: From keeping to the final decision, in hours. Past it the report is answered `feilet`.
        stop_seconds: How long a graceful stop may wait for what is under way, in seconds.
        receipt_resends: How often a receipt is sent again that the platform could not deliver; then an alarm is raised.
        unstructured: What to do with a report whose JSON no schema accepts: `hand_on` it unstructured, or `reject`.
    """

    concurrency: int = Field(default=4, ge=1, le=256)
    handler_timeout_seconds: float = Field(default=60.0, gt=0)
    retry_first_seconds: float = Field(default=1.0, gt=0)
    retry_longest_seconds: float = Field(default=300.0, gt=0)
    deadline_hours: float = Field(default=24.0, gt=0)
    stop_seconds: float = Field(default=20.0, gt=0)
    receipt_resends: int = Field(default=3, ge=0)
    unstructured: Literal["hand_on", "reject"] = "hand_on"


class SenderSettings(Table):
    """`[sender]`: from our outbox to `LEVERT`.

    Attributes:
        organisation_name: What a report names as its `leveringskanal`; the name of our Fiks organisation in the
            catalog when absent.
        pinned_certificates: Folder with certificates (PEM) that reports may be sealed for: `print.pem` for the print
            provider, `4601.pem` for a municipality, `4601-02.pem` for one of its districts. Whoever has a file there
            must have one of the certificates in it; for the others the platform's word counts.
        concurrency: How many reports are handed over or asked about at once.
        retry_first_seconds: Wait after the first failure to hand a report over, in seconds; it doubles from there.
        retry_longest_seconds: The longest wait between two attempts, in seconds.
        status_first_seconds: Wait before a report's status is asked for, in seconds; it doubles while nothing changes.
        status_longest_seconds: The longest wait between two questions, in seconds.
        uncertain: What to do when the platform may have taken a report and its answer was lost: `resend` it after
            `uncertain_hours`, marked as a possible repetition, or `wait` until a person decides.
        uncertain_hours: How long a person has to decide before it is sent again, in hours.
        alarm_unsent_minutes: From keeping a report to the alarm that the platform has not taken it, in minutes.
        alarm_unmoved_hours: How long a report may stand still at the platform before an alarm, in hours.
        alarm_key_days: How long before the end of a key an alarm is told, in days.
        keep_days: How long the sealed copies are kept after `LEVERT`, in days.
        stop_seconds: How long a graceful stop may wait for what is under way, in seconds. Let it be more than
            `platform.timeout_seconds`: a submission that is broken off has an unknown outcome.
    """

    organisation_name: str | None = Field(default=None, min_length=1)
    pinned_certificates: FilePath | None = None
    concurrency: int = Field(default=4, ge=1, le=256)
    retry_first_seconds: float = Field(default=1.0, gt=0)
    retry_longest_seconds: float = Field(default=300.0, gt=0)
    status_first_seconds: float = Field(default=2.0, gt=0)
    status_longest_seconds: float = Field(default=900.0, gt=0)
    uncertain: Literal["resend", "wait"] = "resend"
    uncertain_hours: float = Field(default=4.0, ge=0)
    alarm_unsent_minutes: float = Field(default=30.0, gt=0)
    alarm_unmoved_hours: float = Field(default=72.0, gt=0)
    alarm_key_days: float = Field(default=30.0, ge=0)
    keep_days: float = Field(default=30.0, ge=0)
    stop_seconds: float = Field(default=40.0, gt=0)


class ReconcileSettings(Table):
    """`[reconcile]`: comparing what was kept with what the case system has.

    Attributes:
        waiting_minutes: How long a report may be kept without being registered, or registered without a receipt, before
            that counts as a difference, in minutes.
        listed: How many differences of one cause are listed; all are counted.
        valid_days: Once the case system is compared at all: how old the last comparison may be before originals are no
            longer erased, in days.
    """

    waiting_minutes: float = Field(default=60.0, gt=0)
    listed: int = Field(default=10_000, ge=1)
    valid_days: float = Field(default=7.0, gt=0)


class WebhookSettings(Table):
    """`[webhook]`: where `fiksmelding receive` posts each report, unless it is given a folder.

    Attributes:
        url: Where to: `https`, or `http` on this machine.
        secret: What the requests are signed with. Prefer `secret_file` or the environment.
        secret_file: File that holds it; white space at its end is dropped. At least 16 bytes.
        ca_file: Certificates (PEM file) that its TLS certificate must chain to; the system's when absent.
        format: The report as `json`, byte for byte as the sender wrote it, or as `xml` by our schemas.
        timeout_seconds: Time limit of one call, in seconds. Keep `receiver.handler_timeout_seconds` above it.
        confirm: Whether the webhook is asked (GET) if it has the report, before a receipt goes out. Recommended.
    """

    url: str | None = None
    secret: SecretStr | None = None
    secret_file: FilePath | None = None
    ca_file: FilePath | None = None
    format: Literal["json", "xml"] = "json"
    timeout_seconds: float = Field(default=30.0, gt=0)
    confirm: bool = False

    def key(self) -> SecretStr:
        """The secret, wherever it is kept.

        Raises:
            SettingsError: It is given nowhere, or its file cannot be read.
        """
        return secret(self.secret, self.secret_file, "webhook.secret_file")


class TrustSettings(Table):
    """`[trust]`: whose signature counts.

    Attributes:
        roots: Root and issuing certificates (PEM files) a signer's certificate may chain to.
        policy: `flag` hands a report on with the verdict; `require_chain` quarantines what does not chain to `roots`.
    """

    roots: tuple[FilePath, ...] = ()
    policy: Literal["flag", "require_chain"] = "flag"
