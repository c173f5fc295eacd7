"""Sending messages of any protocol, and awaiting what is answered."""

import asyncio
import tempfile
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self, TypeVar
from uuid import UUID, uuid4

from cryptography import x509

from fiksmelding import keys
from fiksmelding.broker import Consumer, ConsumerStatus, Delivery
from fiksmelding.clock import Clock, SystemClock
from fiksmelding.config import Settings
from fiksmelding.consuming import account_consumer
from fiksmelding.envelope import Signer, seal
from fiksmelding.errors import FiksmeldingError
from fiksmelding.fiks import Catalog, Documents, FiksSession, Outbound
from fiksmelding.fiks_io.message import Message, Opening

CLIENT_ID = "klientMeldingId"

Files = Mapping[str, bytes | BinaryIO]
OnMessage = Callable[[Message], Awaitable[None]]
Part = TypeVar("Part")


@dataclass(frozen=True, slots=True)
class Dialogue:
    """A message that the platform has taken, and what is answered to it.

    Attributes:
        melding_id: The platform's id of it, which its answers name.
        klient_melding_id: Our own id of it: give it to `send` in `headers` to send the same message again.
    """

    melding_id: str
    klient_melding_id: str
    _answers: asyncio.Queue[Message] | None = field(repr=False)

    async def answer(self, timeout: float | None = None) -> Message:  # noqa: ASYNC109 - part of the public face
        """Wait for its next answer: there may be several, such as a receipt and then a result.

        The platform's own `tidsavbrudd` and `serverfeil` are answers too: see `Message.undelivered`.

        Args:
            timeout: The longest wait, in seconds; None for no limit.

        Returns:
            The answer. It is the platform's until you call its `acknowledge`.

        Raises:
            TimeoutError: None came in time.
            FiksmeldingError: It was sent with `expect_answer=False`.
        """
        if self._answers is None:
            raise FiksmeldingError("No answer was expected.", advice="Send it with expect_answer=True.")
        async with asyncio.timeout(timeout):
            return await self._answers.get()


class FiksIO:
    """Sends messages of any protocol for our account, and takes what comes to it.

    ```python
    async with FiksIO(Settings.load("fiksmelding.toml"), on_message=keep) as fiks_io:
        sent = await fiks_io.send("no.ks.fiks.arkiv.v1.arkivering", to=konto, files={"melding.xml": data})
        answer = await sent.answer(timeout=60)
        async with answer.open() as envelope:
            print(envelope.files["resultat.xml"].read())
        await answer.acknowledge()
    ```

    Do not use it beside a `Receiver` of the same account: whichever is faster gets a message. It has no journal: what
    was not acknowledged when the program ends comes again, to `on_message`.

    Args:
        settings: Account, platform and broker.
        on_message: Takes what answers nothing that was sent here: messages of others, and late answers. Acknowledged
            when it returns; handed to it again when it raises. Without one, such messages stay with the platform, and
            ten of them (`broker.prefetch`) keep every answer away.
        clock: Where the time is read.
    """

    def __init__(self, settings: Settings, *, on_message: OnMessage | None = None, clock: Clock | None = None) -> None:
        self._settings = settings
        self._on_message = on_message
        self._clock: Clock = clock or SystemClock()
        self._stack = AsyncExitStack()
        self._waiting: dict[str, asyncio.Queue[Message]] = {}
        self._sending: set[asyncio.Event] = set()
        self._signer: Signer | None = None
        self._opening: Opening | None = None
        self._catalog: Catalog | None = None
        self._outbound: Outbound | None = None
        self._consumer: Consumer | None = None

    async def __aenter__(self) -> Self:
        """Open the session, and begin to consume.

        Raises:
            SettingsError: A file is missing or wrong.
        """
        self._signer = await asyncio.to_thread(keys.signer, self._settings)
        account_keys = await asyncio.to_thread(keys.account_keys, self._settings)
        trust = await asyncio.to_thread(keys.trust, self._settings)
        async with AsyncExitStack() as stack:
            session = await stack.enter_async_context(FiksSession(self._settings, clock=self._clock))
            documents = Documents(session, limit=self._settings.platform.largest_document_bytes)
            self._opening = Opening(account_keys, trust, documents)
            self._catalog, self._outbound = Catalog(session), Outbound(session)
            consumer = account_consumer(
                self._settings, session, on_delivery=self._take, clock=self._clock, stop_seconds=0.0
            )
            self._consumer = await stack.enter_async_context(consumer)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Let go of everything; what was not acknowledged will come again. Closing twice does nothing."""
        await self._stack.aclose()

    @property
    def status(self) -> ConsumerStatus:
        """How we stand with the broker."""
        return _opened(self._consumer).status

    @property
    def catalog(self) -> Catalog:
        """Looks up accounts: `await fiks_io.catalog.lookup("ORG_NO.964338531", …)`."""
        return _opened(self._catalog)

    async def send(
        self,
        message_type: str,
        *,
        to: UUID,
        files: Files | None = None,
        ttl: timedelta | None = None,
        answer_to: str | None = None,
        headers: Mapping[str, str] | None = None,
        certificate: x509.Certificate | None = None,
        expect_answer: bool = True,
        repeatable: bool = False,
    ) -> Dialogue:
        """Seal files and send them. When this returns, the platform has the message; whether it arrives is not known.

        Args:
            message_type: The message type.
            to: The recipient's account.
            files: Names and contents, of any size; none for a message without a body.
            ttl: How long it may wait in the queue, at least one second; the platform's default (7 days) when None.
            answer_to: The `melding_id` of the message that this one answers.
            headers: Custom headers. `klientMeldingId` is made when it is not among them.
            certificate: What to seal for, when you have it by another way than the catalog.
            expect_answer: Whether answers are kept for `Dialogue.answer`; else they go to `on_message`.
            repeatable: Whether the recipient knows a second copy by its `klientMeldingId`, so that the call may be made
                again when its answer was lost.

        Raises:
            NotFound: There is no such account, or it has no key in force.
            RequestRefused: An argument the contract does not allow, or the platform's 4xx.
            PlatformUnavailable: No usable answer. The message may have been taken nevertheless.
            EnvelopeError: A file's name is not one that a careful reader accepts.
            PlatformError: As for any call.
        """
        given = {CLIENT_ID: str(uuid4()), **(headers or {})}
        sending = asyncio.Event()
        self._sending.add(sending)
        try:
            with tempfile.TemporaryDirectory(prefix="fiksmelding-", ignore_cleanup_errors=True) as folder:
                body = None if files is None else await self._sealed(files, to, certificate, Path(folder))
                taken = await _opened(self._outbound).send(
                    melding_type=message_type,
                    mottaker_konto_id=to,
                    svar_paa_melding=None if answer_to is None else UUID(answer_to),
                    ttl=ttl,
                    headers=given,
                    body=body,
                    repeatable=repeatable,
                )
            melding_id = str(taken.melding_id)
            if expect_answer:
                self._waiting[melding_id] = asyncio.Queue()
        finally:
            # An answer can be here before the platform's word that it took the message.
            self._sending.discard(sending)
            sending.set()
        return Dialogue(melding_id, given[CLIENT_ID], self._waiting.get(melding_id))

    async def _sealed(self, files: Files, to: UUID, certificate: x509.Certificate | None, folder: Path) -> Path:
        recipient = certificate or await self.catalog.public_key(to)
        path = folder / "sealed"
        await asyncio.to_thread(self._seal, files, recipient, path)
        return path

    def _seal(self, files: Files, recipient: x509.Certificate, path: Path) -> None:
        with path.open("xb") as out:
            seal(files, signer=_opened(self._signer), recipient=recipient, out=out)

    async def _take(self, delivery: Delivery) -> None:
        message = Message(delivery, _opened(self._opening))
        answers = await self._answers_of(message)
        if answers is not None:
            answers.put_nowait(message)
        elif self._on_message is not None:
            await self._on_message(message)
            await message.acknowledge()
        # Whoever has it says when it may be forgotten; until then it is the platform's.
        await message.settled()

    async def _answers_of(self, message: Message) -> asyncio.Queue[Message] | None:
        if message.answers is None:
            return None
        if message.answers not in self._waiting:
            for sending in tuple(self._sending):
                await sending.wait()
        return self._waiting.get(message.answers)


def _opened(part: Part | None) -> Part:
    if part is None:
        raise FiksmeldingError("Fiks IO is not open.", advice="Use it inside `async with`.")
    return part
