"""The system that reports: it asks senders to send, and asks again under the same key until it has an id."""

import asyncio
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from chaos.content import content_of
from chaos.plan import Plan
from chaos.words import Answer, Request, Statement, heard
from fiksmelding.messages import Bekymringsmelding, MessageType, as_version_1, render_pdf
from fiksmelding.simulator.synthetic import Length, SyntheticReports

__all__ = ["Asked", "Caller"]

ANSWER_SECONDS = 20.0
PAUSE_SECONDS = 0.3
REPORTS_PER_DOUBLE = 15
REPORTS_PER_LARGE = 20
KOMMUNER = ("4601", "0301", "5501")
ONLY_VERSION_1 = "5501"
SMALL_PDF = b"%PDF-1.7\n% Small, so that the platform's memory holds many.\n%%EOF\n"


@dataclass(slots=True)
class Asked:
    """A report that somebody wanted to be sent.

    Attributes:
        content: What it says (`content_of`).
        times: How often it was asked for.
        sent_ids: The ids that senders gave it; more than one when it was taken for several reports.
        refusals: Why it was not taken over, each time.
    """

    content: str
    times: int = 0
    sent_ids: set[str] = field(default_factory=set)
    refusals: list[str] = field(default_factory=list)


class Caller:
    """Asks for one report after the other; every so often for one twice at the same moment, as impatient people do.

    Args:
        plan: The reports' keys, and the seed that they are invented from.

    Attributes:
        asked: What was asked for, by key.
        statements: What senders said of reports, in the order it was heard.
    """

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._keys = iter(plan.report_ids)
        self._reports = _invented(plan)
        self._pdf = render_pdf(SyntheticReports().report(MessageType.PRIVAT_V2, length=Length.LINE))
        self._chance = random.Random(plan.options.seed)  # noqa: S311 - chances of a test, no secrets
        self._order: Callable[[int, str], bool] = lambda _number, _line: False
        self._waiting: dict[tuple[int, str], list[asyncio.Future[Answer]]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._failed: list[asyncio.Task[None]] = []
        self.asked: dict[str, Asked] = {}
        self.statements: list[Statement] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def reach(self, order: Callable[[int, str], bool]) -> None:
        """Be told how a line is said to a sender."""
        self._order = order

    @property
    def unanswered(self) -> int:
        """How many reports have no id yet."""
        return sum(not asked.sent_ids for asked in self.asked.values())

    def check(self) -> None:
        """See that nothing went wrong with the asking itself.

        Raises:
            Exception: It did.
        """
        for task in self._failed:
            task.result()

    async def submit(self) -> str:
        """Begin to ask for the next report; returns its key."""
        number, key, report = len(self.asked), next(self._keys), next(self._reports)
        data, pdf = report.to_json(), SMALL_PDF if number % REPORTS_PER_LARGE else self._pdf
        self.asked[key] = Asked(content_of(data))
        request = Request.of(key, report.message_type.value, data, pdf)
        for _ in range(1 if (number + 1) % REPORTS_PER_DOUBLE else 2):
            task = asyncio.create_task(self._ask_until_known(request), name=f"ask for {key}")
            self._tasks.add(task)
            task.add_done_callback(self._done)
        return key

    def hear(self, number: int, line: str | None) -> None:
        """A sender said something, or has ended."""
        if line is None:
            for place, futures in self._waiting.items():
                if place[0] == number:
                    _answer(futures, Answer(place[1], None, "the sender ended"))
            return
        said = heard(line)
        if isinstance(said, Statement):
            self.statements.append(said)
        else:
            _answer(_open(self._waiting.get((number, said.key), []))[:1], said)

    async def _ask_until_known(self, request: Request) -> None:
        asked = self.asked[request.key]
        while True:
            answer = await self._ask(self._chance.randrange(self._plan.options.processes), request)
            if answer.sent_id is not None:
                asked.sent_ids.add(answer.sent_id)
                return
            asked.refusals.append(answer.why)
            await asyncio.sleep(PAUSE_SECONDS)

    async def _ask(self, number: int, request: Request) -> Answer:
        answered: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        futures = self._waiting.setdefault((number, request.key), [])
        futures.append(answered)
        try:
            if not self._order(number, f"send {request.text()}"):
                return Answer(request.key, None, "there is no sender")
            self.asked[request.key].times += 1
            async with asyncio.timeout(ANSWER_SECONDS):
                return await answered
        except TimeoutError:
            return Answer(request.key, None, "no answer in time")
        finally:
            futures.remove(answered)
            if not futures:
                self._waiting.pop((number, request.key), None)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            self._failed.append(task)


def _open(futures: list[asyncio.Future[Answer]]) -> list[asyncio.Future[Answer]]:
    return [future for future in futures if not future.done()]


def _answer(futures: list[asyncio.Future[Answer]], answer: Answer) -> None:
    for future in _open(futures):
        future.set_result(answer)


def _invented(plan: Plan) -> Iterator[Bekymringsmelding]:
    """Reports for each municipality in turn, in a version that its receiver knows."""
    invented = SyntheticReports(plan.options.seed).reports(plan.options.reports)
    for number, report in enumerate(invented):
        kommunenummer = KOMMUNER[number % len(KOMMUNER)]
        placed = report.model_copy(update={"kommunenummer": kommunenummer})
        yield as_version_1(placed) if kommunenummer == ONLY_VERSION_1 else placed
