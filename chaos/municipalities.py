"""The municipalities of a run on the sending side: people who fetch each report in a browser, and what they got.

They have no case systems: what receivers do is the other side's concern. What they fetch is the record by which it is
told what arrived.
"""

import asyncio
import hashlib
import io
import random
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from chaos.content import content_of
from fiksmelding.envelope import open_envelope
from fiksmelding.errors import FiksmeldingError
from fiksmelding.simulator import Simulator

__all__ = ["ACCOUNTS", "Arrived", "Municipalities"]

ACCOUNTS = ("bergen", "oslo", "tromso")
LOOK_SECONDS = 0.2
LONGEST_SECONDS = 3.0
JSON_NAME = "bekymringsmelding.json"


@dataclass(frozen=True, slots=True)
class Arrived:
    """A report that somebody fetched.

    Attributes:
        content: What the reporter wrote (`content_of`); empty when the envelope could not be opened.
        sealed: SHA-256 of the sealed container, hexadecimal.
    """

    content: str
    sealed: str


class Municipalities:
    """Fetches reports within seconds, until it is left.

    Args:
        fiks: The platform.
        seed: What the pauses are drawn from.
    """

    def __init__(self, fiks: Simulator, seed: int) -> None:
        self._fiks = fiks
        self._chance = random.Random(seed)  # noqa: S311 - chances of a test, no secrets
        self._keys = {fiks.party(name).account.id: fiks.party(name).credential.key for name in ACCOUNTS}
        self._at_work = asyncio.Event()
        self._at_work.set()
        self._task: asyncio.Task[None] | None = None
        self.arrived: dict[str, Arrived] = {}

    async def __aenter__(self) -> Self:
        for name in ACCOUNTS:
            self._fiks.has_case_system(name, has=False)
        self._task = asyncio.create_task(self._fetch_all(), name="municipalities")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def rest(self, seconds: float) -> None:
        """Nobody fetches anything for a while: reports stand still."""
        self._at_work.clear()
        await asyncio.sleep(seconds)
        self._at_work.set()

    def check(self) -> None:
        """See that they are at work.

        Raises:
            Exception: What went wrong with them.
        """
        if self._task is not None and self._task.done():
            self._task.result()

    async def _fetch_all(self) -> None:
        seen, due = 0, list[tuple[float, str]]()
        loop = asyncio.get_running_loop()
        while True:
            reports = self._fiks.reports()
            due += [(loop.time() + self._chance.uniform(0, LONGEST_SECONDS), report.id) for report in reports[seen:]]
            seen = len(reports)
            await self._at_work.wait()
            ready = [report_id for moment, report_id in due if moment <= loop.time()]
            due = [one for one in due if one[1] not in set(ready)]
            for report_id in ready:
                await self._fetch(report_id)
            await asyncio.sleep(LOOK_SECONDS)

    async def _fetch(self, report_id: str) -> None:
        key = self._keys[self._fiks.report(report_id).account_id]
        envelope = self._fiks.fetch_by_hand(report_id)

        def read() -> str:
            with open_envelope(io.BytesIO(envelope), keys=[key]) as opened:
                return content_of(opened.files[JSON_NAME].read())

        try:
            content = await asyncio.to_thread(read)
        except FiksmeldingError:
            content = ""
        self.arrived[report_id] = Arrived(content, hashlib.sha256(envelope).hexdigest())
