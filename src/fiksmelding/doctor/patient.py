"""What is examined: the settings, and what several checks have to look up, each looked up once."""

import asyncio
import shutil
import threading
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Generic, Literal, Self, TypeVar

from fiksmelding.clock import Clock
from fiksmelding.config import Settings
from fiksmelding.errors import FiksmeldingError, SettingsError
from fiksmelding.fiks import Account, Catalog, FiksSession

__all__ = ["Patient", "Role", "Unexaminable", "in_thread"]

Result = TypeVar("Result")
Role = Literal["receiver", "sender", "both"]
"""What the settings are used for."""


class Unexaminable(Exception):
    """A check cannot be made because of something that another check tells."""


class Once(Generic[Result]):
    """Made when first asked for, and the same for whoever asks; its error too."""

    def __init__(self, make: Callable[[], Coroutine[None, None, Result]]) -> None:
        self._make = make
        self._made: asyncio.Task[Result] | None = None

    async def __call__(self) -> Result:
        if self._made is None:
            self._made = asyncio.create_task(self._make())
        # Shielded: one check that runs out of time must not take it from the others.
        return await asyncio.shield(self._made)

    async def end(self) -> None:
        """Let go of it."""
        if self._made is not None:
            self._made.cancel()
            await asyncio.gather(self._made, return_exceptions=True)


@dataclass
class Patient:
    """The settings to examine, and what is known of the platform.

    Attributes:
        settings: As loaded.
        clock: Where the time is read.
        role: What they are used for.
        receivers: How many receivers of ours are to listen; None when that is to be found out.
        thorough: Whether the whole journal is verified.
        limit: Time limit of each check, in seconds.
        free_bytes: How much room there is where a folder is, in bytes.
    """

    settings: Settings
    clock: Clock
    role: Role = "receiver"
    receivers: int | None = None
    thorough: bool = False
    limit: float = 20.0
    free_bytes: Callable[[Path], int] = field(default=lambda folder: shutil.disk_usage(folder).free)

    def __post_init__(self) -> None:
        self._stack = AsyncExitStack()
        self.session = Once(self._open_session)
        self.access = Once(self._open_access)
        self.account = Once(self._look_up_account)

    @property
    def receives(self) -> bool:
        """Whether reports are received with these settings."""
        return self.role != "sender"

    @property
    def sends(self) -> bool:
        """Whether reports are sent with these settings."""
        return self.role != "receiver"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for once in (self.account, self.access, self.session):
            await once.end()
        await self._stack.aclose()

    async def _open_session(self) -> FiksSession:
        # One attempt, and in time: the examination has to end before its own limit.
        limit = min(self.settings.platform.timeout_seconds, self.limit / 2)
        platform = self.settings.platform.model_copy(update={"attempts": 1, "timeout_seconds": limit})
        quick = self.settings.model_copy(update={"platform": platform})
        try:
            return await self._stack.enter_async_context(FiksSession(quick, clock=self.clock))
        except SettingsError as error:
            raise Unexaminable(f"the platform cannot be asked anything: {error.text}") from error

    async def _open_access(self) -> FiksSession:
        session = await self.session()
        try:
            await session.access_token()
        except FiksmeldingError as error:
            raise Unexaminable("there is no access token") from error
        return session

    async def _look_up_account(self) -> Account:
        session = await self.access()
        try:
            return await Catalog(session).account(session.account_id)
        except FiksmeldingError as error:
            raise Unexaminable("the platform tells nothing of the account") from error


async def in_thread(work: Callable[[], Result]) -> Result:
    """Run `work`, which blocks, in a thread that nobody has to wait for: a disk that hangs must not hold us."""
    loop, done = asyncio.get_running_loop(), asyncio.get_running_loop().create_future()

    def settle(result: Result | None, error: BaseException | None) -> None:
        if done.done():
            return
        if error is not None:
            done.set_exception(error)
        else:
            done.set_result(result)

    def run() -> None:
        result: Result | None = None
        failure: BaseException | None = None
        try:
            result = work()
        except BaseException as error:  # noqa: BLE001 - handed on
            failure = error
        if not loop.is_closed():
            loop.call_soon_threadsafe(settle, result, failure)

    threading.Thread(target=run, name="doctor", daemon=True).start()
    return await done  # type: ignore[no-any-return]
