"""What tests of an integration hold in their hands: an account, and reports that were submitted to it."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Self
from uuid import UUID

from fiksmelding.config import Settings
from fiksmelding.messages import MessageType
from fiksmelding.simulator.municipalities import StottetVersjon
from fiksmelding.simulator.national.reports import Receipt, Report
from fiksmelding.simulator.synthetic import SyntheticReports
from fiksmelding.simulator.threaded import SimulatorThread

__all__ = ["FiksAccount", "FiksReport", "Kind", "ReportMaker"]

Kind = Literal["privat", "offentlig"]


@dataclass(frozen=True, slots=True)
class FiksAccount:
    """Everything a program needs to act on an account, in whatever form it wants it.

    Attributes:
        name: What the simulator calls it: `bergen`.
        id: Its `kontoId`.
        queue: The name of its queue.
        organisation_number: Its owner's.
        organisation_id: Its owner's `fiksOrgId`.
        integration_id: The `IntegrasjonId`.
        integration_password: The `IntegrasjonPassord`.
        client_id: The client at Maskinporten.
        private_key: The private key, a PEM file.
        certificate: Its certificate and those above it, a PEM file.
        roots: The root certificates to trust, a PEM file.
        settings_file: All of this as a settings file of fiksmelding.
        settings: The same, loaded.
        api_url: Base of the HTTP API.
        issuer: The token issuer's URL; the token endpoint is `<issuer>token`.
        amqp_host: The broker's host.
        amqp_port: The broker's port.
    """

    name: str
    id: UUID
    queue: str
    organisation_number: str
    organisation_id: UUID
    integration_id: UUID
    integration_password: str = field(repr=False)
    client_id: str
    private_key: Path
    certificate: Path
    roots: Path
    settings_file: Path
    settings: Settings
    api_url: str
    issuer: str
    amqp_host: str
    amqp_port: int

    @classmethod
    def of(cls, fiks: SimulatorThread, name: str) -> Self:
        """The account of that name.

        Raises:
            Refusal: There is none.
        """
        party = fiks.simulator.party(name)
        settings_file = fiks.write_settings(name)
        settings = fiks.settings_for(name)
        folder = settings_file.parent
        return cls(
            name=name,
            id=party.account.id,
            queue=party.account.queue,
            organisation_number=party.account.organisation.number,
            organisation_id=party.account.organisation.id,
            integration_id=party.integration.id,
            integration_password=party.integration.password.get_secret_value(),
            client_id=party.client.id,
            private_key=folder / name / "private-key.pem",
            certificate=folder / name / "certificate.pem",
            roots=folder / "roots.pem",
            settings_file=settings_file,
            settings=settings,
            api_url=fiks.simulator.api_url,
            issuer=fiks.simulator.issuer,
            amqp_host=settings.broker.host,
            amqp_port=settings.broker.port,
        )


@dataclass(frozen=True, slots=True)
class FiksReport:
    """A report that was submitted, and what becomes of it.

    Attributes:
        id: Its own id (`bekymringsmelding-id`).
        data: Its JSON.
        message_type: Its message type.
    """

    id: str
    data: bytes = field(repr=False)
    message_type: str
    _fiks: SimulatorThread = field(repr=False)

    @property
    def tilstand(self) -> str | None:
        """The state it is in."""
        return self._report().tilstand

    @property
    def states(self) -> tuple[str, ...]:
        """The states it has come to, oldest first."""
        return tuple(change.tilstand for change in self._report().states)

    @property
    def receipts(self) -> tuple[Receipt, ...]:
        """Every receipt that came for it, believed or not, oldest first."""
        return self._report().receipts

    @property
    def melding_ids(self) -> tuple[str, ...]:
        """The `melding-id` of each time it was put on the queue."""
        return self._report().melding_ids

    def wait_for(self, tilstand: str, *, timeout: float = 10.0) -> Self:
        """Wait until it has come to a state; in a coroutine through `asyncio.to_thread` or the like.

        Args:
            tilstand: The state, as `LEVERT`.
            timeout: The longest wait, in seconds.

        Raises:
            TimeoutError: It has not come to it in time.
            FiksmeldingError: It ended otherwise.
        """
        self._fiks.wait_for(self.id, tilstand, timeout=timeout)
        return self

    def _report(self) -> Report:
        return self._fiks.report(self.id)


class ReportMaker:
    """Submits reports to an account.

    Args:
        fiks: Where.
        account: To whom, unless told otherwise.
        seed: What invented reports are drawn with.
    """

    def __init__(self, fiks: SimulatorThread, *, account: str, seed: int) -> None:
        self._fiks = fiks
        self._account = account
        self._invented = SyntheticReports(seed)

    def submit(
        self,
        data: bytes | None = None,
        kind: Kind = "privat",
        *,
        version: int | None = None,
        account: str | None = None,
        bydelsnummer: str | None = None,
    ) -> FiksReport:
        """Submit a report.

        Args:
            data: Its JSON; an invented one when None.
            kind: Who reports.
            version: 1 or 2; when None, the newest that the account knows.
            account: Who it is for; when None, the test's account.
            bydelsnummer: For which district; the standard one when None.

        Raises:
            InvalidMessage: The JSON is not a report of that kind.
            Refusal: There is no such account or district, or it does not know that version.
        """
        recipient = account or self._account
        message_type = MessageType[f"{kind.upper()}_V{version or self._newest_version(recipient)}"]
        document = self._invented.report(message_type).to_json() if data is None else data
        report_id = self._fiks.submit(document, message_type=message_type, account=recipient, bydelsnummer=bydelsnummer)
        return FiksReport(report_id, document, message_type, self._fiks)

    def _newest_version(self, account: str) -> int:
        found = self._fiks.simulator.platform.world.bydel(self._fiks.simulator.party(account))
        return 1 if found is not None and found[1].stottet_versjon is StottetVersjon.V1 else 2
