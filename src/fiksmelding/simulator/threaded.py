"""The simulator in a thread of its own, for whoever is not asynchronous or has an event loop of another make."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from fiksmelding.config import Settings
from fiksmelding.errors import FiksmeldingError
from fiksmelding.simulator.exchange import TakenMessage
from fiksmelding.simulator.faults import HttpFault, MessageFault
from fiksmelding.simulator.national.letters import Letter
from fiksmelding.simulator.national.reports import Receipt, Report
from fiksmelding.simulator.simulator import Simulator

__all__ = ["SimulatorThread"]

Answer = TypeVar("Answer")


class SimulatorThread:
    """Runs a simulator from `with` to its end, in a thread and an event loop of its own. Safe to use from any thread.

    ```python
    with SimulatorThread(Simulator()) as fiks:
        report_id = fiks.submit(data, message_type=MessageType.PRIVAT_V2)
        start_my_receiver(fiks.write_settings("bergen"))
        fiks.wait_for(report_id, "LEVERT", timeout=10)
    ```

    Its methods block until they are done. In a coroutine, call those that wait through `asyncio.to_thread`, or what
    another framework has of the kind: `await asyncio.to_thread(fiks.wait_for, report_id, "LEVERT")`.

    Args:
        simulator: The simulator, not yet running.
    """

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator
        self._running: tuple[asyncio.AbstractEventLoop, asyncio.Event] | None = None
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            executor = stack.enter_context(ThreadPoolExecutor(1, thread_name_prefix="fiks-simulator"))
            started: Future[None] = Future()
            ended = executor.submit(asyncio.run, self._run(started))
            wait({started, ended}, return_when=FIRST_COMPLETED)
            if ended.done():
                ended.result()
            stack.callback(self._stop, ended)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stack.__exit__(kind, error, traceback)

    @property
    def simulator(self) -> Simulator:
        """The simulator itself: its addresses and folder can be read from any thread, the rest through `call` only."""
        return self._simulator

    def call(self, work: Callable[[Simulator], Awaitable[Answer]]) -> Answer:
        """Let the simulator do something in its own thread, and wait for the answer.

        Args:
            work: Told the simulator; a coroutine function, or one that returns an awaitable.

        Raises:
            FiksmeldingError: It is not running.
        """
        if self._running is None:
            raise FiksmeldingError("The simulator is not running: use `with SimulatorThread(…) as fiks:`.")

        async def do() -> Answer:
            return await work(self._simulator)

        return asyncio.run_coroutine_threadsafe(do(), self._running[0]).result()

    def submit(
        self, data: bytes, *, message_type: str, account: str = "bergen", bydelsnummer: str | None = None
    ) -> str:
        """Submit a report, as `Simulator.submit` does; returns its id."""
        return self.call(
            lambda fiks: fiks.submit(data, message_type=message_type, account=account, bydelsnummer=bydelsnummer)
        )

    def wait_for(self, report_id: str, tilstand: str, *, timeout: float = 10.0) -> Report:
        """Wait until a report has come to a state, for at most `timeout` seconds, as `Simulator.wait_for` does."""
        return self.call(lambda fiks: fiks.wait_for(report_id, tilstand, timeout=timeout))

    def report(self, report_id: str) -> Report:
        """A report as it stands now."""
        return self._ask(lambda fiks: fiks.report(report_id))

    def reports(self) -> tuple[Report, ...]:
        """Every report submitted, as it stands now, oldest first."""
        return self._ask(lambda fiks: fiks.reports())

    def receipts(self, report_id: str) -> tuple[Receipt, ...]:
        """Every receipt that came for a report, believed or not, oldest first."""
        return self._ask(lambda fiks: fiks.receipts(report_id))

    def taken(self) -> tuple[TakenMessage, ...]:
        """Every message that Fiks IO took over HTTP, oldest first."""
        return self._ask(lambda fiks: fiks.taken())

    def letters(self) -> tuple[Letter, ...]:
        """What the print provider printed, oldest first."""
        return self._ask(lambda fiks: fiks.letters())

    def write_settings(self, account: str) -> Path:
        """Write `settings-<account>.toml` and what it names; returns the file."""
        return self._ask(lambda fiks: fiks.write_settings(account))

    def settings_for(self, account: str) -> Settings:
        """Settings for a program that acts on an account."""
        return self._ask(lambda fiks: fiks.settings_for(account))

    def put_on_queue(
        self, account: str, *, headers: Mapping[str, str], body: bytes = b"", expiration_ms: int | None = None
    ) -> None:
        """Put a message on an account's queue exactly as given, as `Simulator.put_on_queue` does."""
        self._ask(lambda fiks: fiks.put_on_queue(account, headers=headers, body=body, expiration_ms=expiration_ms))

    def add_faults(self, *faults: HttpFault | MessageFault) -> None:
        """Let faults wait for what they fit."""
        self._ask(lambda fiks: fiks.faults.add(*faults))

    def clear_faults(self) -> None:
        """Call every fault off."""
        self._ask(lambda fiks: fiks.faults.clear())

    def struck(self) -> int:
        """How many times the faults that are still known have struck."""
        return self._ask(lambda fiks: fiks.faults.struck())

    def now(self) -> datetime:
        """The simulator's time: aware, in UTC."""
        return self._ask(lambda fiks: fiks.clock.now())

    def advance(self, by: timedelta) -> None:
        """Push the simulator's clock forward."""
        self._ask(lambda fiks: fiks.clock.advance(by))

    def sever_connections(self) -> None:
        """Cut every AMQP connection, as a failing network does."""
        self.call(lambda fiks: fiks.sever_connections())

    def _ask(self, question: Callable[[Simulator], Answer]) -> Answer:
        async def work(fiks: Simulator) -> Answer:
            return question(fiks)

        return self.call(work)

    async def _run(self, started: "Future[None]") -> None:
        stop = asyncio.Event()
        async with self._simulator:
            self._running = asyncio.get_running_loop(), stop
            started.set_result(None)
            try:
                await stop.wait()
            finally:
                self._running = None

    def _stop(self, ended: "Future[None]") -> None:
        if self._running is not None:
            loop, stop = self._running
            loop.call_soon_threadsafe(stop.set)
        ended.result()
