"""The simulator: the whole Fiks platform in one process, on this machine."""

import asyncio
import json
import os
from collections.abc import Mapping
from contextlib import AsyncExitStack
from itertools import chain
from pathlib import Path
from types import TracebackType
from typing import Self
from uuid import uuid4

from cryptography import x509

from fiksmelding.config import Settings
from fiksmelding.errors import FiksmeldingError
from fiksmelding.simulator.accounts import Account
from fiksmelding.simulator.brokers import silence
from fiksmelding.simulator.clock import SimulatorClock
from fiksmelding.simulator.exchange import TakenMessage
from fiksmelding.simulator.faults import Faults
from fiksmelding.simulator.http.control import ControlRoutes
from fiksmelding.simulator.http.fault_control import FaultControlRoutes
from fiksmelding.simulator.http.oauth import ISSUER_PATH
from fiksmelding.simulator.http.status_page import StatusPageRoutes
from fiksmelding.simulator.keys import Keys
from fiksmelding.simulator.municipalities import StottetVersjon
from fiksmelding.simulator.national.letters import Letter
from fiksmelding.simulator.national.portal import SealedReport
from fiksmelding.simulator.national.reports import Receipt, Report
from fiksmelding.simulator.national.service import Submission
from fiksmelding.simulator.national.states import Tilstand
from fiksmelding.simulator.opening import LOOPBACK, Running, Wishes, start
from fiksmelding.simulator.platform import AccountState, Platform
from fiksmelding.simulator.queues import QueuedMessage
from fiksmelding.simulator.rabbitmq import RabbitAddress
from fiksmelding.simulator.refusals import Refusal
from fiksmelding.simulator.settings_files import Addresses, write_settings
from fiksmelding.simulator.world import Party

__all__ = ["CONTROL_FILE", "Simulator"]

CONTROL_FILE = "simulator.json"


class Simulator:
    """Token issuer, catalog, sending, document store, broker and the national service, from `async with` to its end.

    ```python
    async with Simulator() as fiks:
        settings = fiks.settings_for("bergen")
        report_id = await fiks.submit(data, message_type=MessageType.PRIVAT_V2, account="bergen")
        await fiks.wait_for(report_id, "LEVERT", timeout=10)
    ```

    Its accounts: `bergen` and `oslo` with districts, `tromso` that knows version 1 only, and `skole`, which reports.

    Args:
        folder: Where settings, keys, large bodies and letters are kept; a temporary one when None.
        host: The address to listen on. The control API is on loopback whatever this says.
        api_port: The HTTP port; 0 for a free one.
        amqp_port: The broker's port; 0 for a free one.
        amqp_url: A RabbitMQ to run on in place of the embedded broker, as an administrator:
            `amqps://user:password@host:port`, and `?cafile=` when its certificate is not from the simulator's own
            authority. The queues of the simulator's accounts are emptied there.
        amqp_admin: That RabbitMQ's management API: `http://user:password@host:port`.
        keys: The keys to use, to share between simulators; when None, those kept in the folder, or fresh ones.
        seed: What the chances of faults are drawn with.
        fresh: Forget first what an earlier run has left in the folder, but for keys and passwords.
    """

    def __init__(
        self,
        *,
        folder: Path | None = None,
        host: str = LOOPBACK,
        api_port: int = 0,
        amqp_port: int = 0,
        amqp_url: str | None = None,
        amqp_admin: str | None = None,
        keys: Keys | None = None,
        seed: int = 0,
        fresh: bool = False,
    ) -> None:
        self._wishes = Wishes(
            folder=folder,
            host=host,
            api_port=api_port,
            amqp_port=amqp_port,
            rabbitmq=RabbitAddress.of(amqp_url, amqp_admin),
            keys=keys or Keys(folder=None if folder is None else folder / "keys"),
            seed=seed,
            fresh=fresh,
        )
        self._stack = AsyncExitStack()
        self._opened: Running | None = None

    async def __aenter__(self) -> Self:
        if self._opened is not None:
            raise FiksmeldingError("The simulator is running already.")
        async with AsyncExitStack() as stack:
            beside = (StatusPageRoutes(), ControlRoutes(self), FaultControlRoutes(self))
            routes = chain.from_iterable(one.routes() for one in beside)
            self._opened = await start(stack, self._wishes, beside=routes)
            stack.callback(self._forget)
            self._write_control_file(stack)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._stack.__aexit__(kind, error, traceback)

    @property
    def clock(self) -> SimulatorClock:
        """The simulator's time, which can be pushed forward."""
        return self._running.clock

    @property
    def folder(self) -> Path:
        """Where its files are."""
        return self._running.folder

    @property
    def api_url(self) -> str:
        """Base of the HTTP API."""
        return f"http://{self._wishes.reached_at}:{self._running.api_port}"

    @property
    def issuer(self) -> str:
        """The token issuer's URL; the token endpoint is `<issuer>token`."""
        return f"{self.api_url}{ISSUER_PATH}"

    @property
    def amqp_url(self) -> str:
        """The broker's URL, without credentials."""
        return f"amqps://{self._wishes.amqp_host}:{self._running.amqp.port}"

    @property
    def on_rabbitmq(self) -> bool:
        """Whether it runs on a RabbitMQ, on whose queues time cannot be pushed forward."""
        return self._wishes.rabbitmq is not None

    @property
    def control_url(self) -> str:
        """Base of the control API."""
        return f"http://{LOOPBACK}:{self._running.control_port}"

    @property
    def faults(self) -> Faults:
        """What is to go wrong: add faults here."""
        return self.platform.faults

    @property
    def platform(self) -> Platform:
        """The platform's parts, for tests that look inside."""
        return self._running.platform

    @property
    def keys(self) -> Keys:
        """The keys in use."""
        return self._wishes.keys

    @property
    def accounts(self) -> tuple[str, ...]:
        """The names of those who can be given settings."""
        return tuple(self.platform.world.parties)

    def party(self, account: str) -> Party:
        """Who stands behind an account's name.

        Raises:
            Refusal: There is no account of that name.
        """
        try:
            return self.platform.world.parties[account]
        except KeyError:
            known = ", ".join(self.accounts)
            raise Refusal.not_found(f"There is no account {account}; there are {known}.") from None

    def account_names(self) -> Mapping[str, str]:
        """The accounts' names by their id."""
        return {str(party.account.id): name for name, party in self.platform.world.parties.items()}

    async def account_states(self) -> tuple[AccountState, ...]:
        """What goes on at each account: messages waiting and handed out, and who listens.

        Raises:
            BrokerUnavailable: RabbitMQ does not answer.
        """
        return await self.platform.account_states()

    def write_settings(self, account: str) -> Path:
        """Write `settings-<account>.toml` and what it names into the folder.

        Raises:
            Refusal: There is no account of that name.
        """
        roots = self._wishes.rabbitmq.ca_file if self._wishes.rabbitmq else None
        addresses = Addresses(self.api_url, self.issuer, self._wishes.amqp_host, self._running.amqp.port, roots)
        return write_settings(self.folder, self.party(account), self._wishes.keys.authority.roots_pem, addresses)

    def settings_for(self, account: str) -> Settings:
        """Settings for a program that acts on an account.

        Raises:
            Refusal: There is no account of that name.
        """
        return Settings.load(self.write_settings(account), environment={})

    async def submit(
        self, data: bytes, *, message_type: str, account: str = "bergen", bydelsnummer: str | None = None
    ) -> str:
        """Submit a report: PDF made, sealed, put on the account's queue.

        Args:
            data: The report's JSON.
            message_type: Its message type.
            account: Who it is for.
            bydelsnummer: For which district; the standard one when None.

        Returns:
            The report's id.

        Raises:
            InvalidMessage: The JSON is not a report of that type.
            Refusal: There is no such account or district, or it does not know that version.
        """
        report_id = str(uuid4())
        recipient = self.party(account).account
        sealed = await self.platform.portal.seal_report(
            data, message_type, recipient=_certificate(recipient), report_id=report_id
        )
        return await self._hand_in(report_id, sealed, message_type, account, bydelsnummer)

    async def submit_sealed(
        self, envelope: bytes, *, message_type: str, account: str = "bergen", print_copy: bytes | None = None
    ) -> str:
        """Submit any bytes as a report's envelope, under any type: for what a receiver must survive.

        Without a print copy, letter post fails and the report ends in `AVVIST_PRINT`.
        """
        sealed = SealedReport(envelope, print_copy)
        return await self._hand_in(str(uuid4()), sealed, message_type, account, None)

    async def seal_for(self, account: str, files: Mapping[str, bytes]) -> bytes:
        """An envelope with any files, sealed for an account and signed by the national service."""
        recipient = _certificate(self.party(account).account)
        return await self.platform.portal.seal_files(dict(files), recipient=recipient)

    def put_on_queue(
        self, account: str, *, headers: Mapping[str, str], body: bytes = b"", expiration_ms: int | None = None
    ) -> None:
        """Put a message on an account's queue exactly as given, headers that are wrong or missing included."""
        message = QueuedMessage(dict(headers), body, expiration_ms)
        self.platform.exchange.deliver(self.party(account).account, message)

    def reports(self) -> tuple[Report, ...]:
        """Every report submitted, as it stands now, oldest first."""
        return self.platform.national.book.all()

    def report(self, report_id: str) -> Report:
        """A report as it stands now.

        Raises:
            FiksmeldingError: There is none of that id.
        """
        report = self.platform.national.book.get(report_id)
        if report is None:
            raise FiksmeldingError("There is no such report.", message_id=report_id)
        return report

    def receipts(self, report_id: str) -> tuple[Receipt, ...]:
        """Every receipt that came for a report, believed or not, oldest first.

        Raises:
            FiksmeldingError: There is no such report.
        """
        return self.report(report_id).receipts

    def taken(self) -> tuple[TakenMessage, ...]:
        """Every message that Fiks IO took over HTTP, oldest first, also one whose sender was never told so."""
        return self.platform.exchange.taken

    def letters(self) -> tuple[Letter, ...]:
        """What the print provider printed, oldest first."""
        return self.platform.printer.letters

    async def wait_for(self, report_id: str, tilstand: str, *, timeout: float = 10.0) -> Report:  # noqa: ASYNC109
        """Wait until a report has come to a state.

        Args:
            report_id: The report.
            tilstand: The state.
            timeout: The longest wait, in seconds.

        Raises:
            TimeoutError: It has not come to it in time.
            FiksmeldingError: There is no such report, or it ended otherwise.
        """
        waiting = asyncio.ensure_future(self.platform.national.book.wait_for(report_id, Tilstand(tilstand)))
        failing = asyncio.ensure_future(self._running.background.failed())
        try:
            done, _ = await asyncio.wait({waiting, failing}, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
            if failing in done:
                await failing
            if waiting not in done:
                raise TimeoutError(f"Report {report_id} did not come to {tilstand} within {timeout} seconds.")
            return await waiting
        finally:
            waiting.cancel()
            failing.cancel()

    def has_case_system(self, account: str, *, has: bool) -> None:
        """Say whether a municipality has a case system; without one, its reports wait for `fetch_by_hand`.

        Raises:
            Refusal: There is no account of that name.
        """
        self.platform.national.has_case_system(self.party(account).account.id, has=has)

    def fetch_by_hand(self, report_id: str) -> bytes:
        """Fetch a report as a person does where there is no case system: the envelope, and the report is `LEVERT`.

        Raises:
            Refusal: There is no such report, or it does not wait to be fetched.
        """
        return self.platform.national.fetch_by_hand(report_id)

    def silence_connections(self) -> None:
        """Leave every AMQP connection half open: nothing more comes on it, and nobody is told.

        Clients find out by missing heartbeats only. Until the broker misses theirs, what they hold stays held.

        Raises:
            FiksmeldingError: It runs on a RabbitMQ.
        """
        silence(self._running.amqp)

    async def sever_connections(self) -> None:
        """Cut every AMQP connection, as a failing network does."""
        await self._running.amqp.sever()

    @property
    def _running(self) -> Running:
        if self._opened is None:
            raise FiksmeldingError("The simulator is not running: use `async with Simulator() as fiks:`.")
        return self._opened

    def _write_control_file(self, stack: AsyncExitStack) -> None:
        path = self.folder / CONTROL_FILE
        addresses = {
            "control_url": self.control_url,
            "api_url": self.api_url,
            "issuer": self.issuer,
            "amqp_url": self.amqp_url,
            "pid": os.getpid(),
        }
        unfinished = path.with_suffix(".new")
        unfinished.write_text(json.dumps(addresses, indent=2) + "\n", "utf-8")
        unfinished.replace(path)
        stack.callback(path.unlink, missing_ok=True)

    def _forget(self) -> None:
        self._opened = None

    async def _hand_in(
        self, report_id: str, sealed: SealedReport, message_type: str, account: str, bydelsnummer: str | None
    ) -> str:
        found = self.platform.world.bydel(self.party(account), bydelsnummer)
        if found is None:
            raise Refusal.not_found(f"{account} has no district {bydelsnummer or ''} that takes reports.")
        kommune, bydel = found
        if message_type.endswith(".v2") and bydel.stottet_versjon is StottetVersjon.V1:
            raise Refusal.bad_request(f"{account} knows version 1 only: {message_type} cannot be sent there.")
        submission = Submission(
            report_id=report_id,
            message_type=message_type,
            kommune=kommune,
            bydel=bydel,
            sender_id=self.platform.world.national.account.organisation.id,
            sealed=sealed,
        )
        return (await self.platform.national.submit(submission)).id


def _certificate(account: Account) -> x509.Certificate:
    if account.certificate is None:
        raise Refusal.not_found(f"Account {account.id} has no certificate.")
    return account.certificate
