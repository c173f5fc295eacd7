"""`fiksmelding demo`: four reports down the whole road, on this machine alone."""

import asyncio
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.table import Table

from fiksmelding.cli.demo_reports import demo_reports
from fiksmelding.cli.output import Exit, console
from fiksmelding.config import Settings
from fiksmelding.errors import Reject
from fiksmelding.journal import Journal
from fiksmelding.messages import MessageType
from fiksmelding.receiver import FolderHandler, Receiver, Registered, Report
from fiksmelding.simulator import Report as SimulatedReport
from fiksmelding.simulator import Simulator

ACCOUNT = "bergen"
PATIENCE_SECONDS = 60.0
RETRY_SECONDS = 0.1
FAILURES_BEFORE_SUCCESS = 2
REFUSAL = "Meldingen gjelder en annen kommune."


@dataclass(frozen=True, slots=True)
class Plan:
    """What goes wrong in the demo.

    Attributes:
        difficult: The report whose handler fails twice.
        refused: The report that the handler rejects.
    """

    difficult: str
    refused: str


class StubbornCaseSystem:
    """A case system as they are: it fails now and then, and refuses what is not its own.

    Args:
        folder: Where reports are stored in the end.
        plan: Which report meets what; known once all are submitted.
    """

    def __init__(self, folder: FolderHandler, plan: asyncio.Future[Plan]) -> None:
        self._folder = folder
        self._plan = plan
        self._failures = 0

    async def __call__(self, report: Report) -> Registered:
        """Store a report, or not."""
        plan = await self._plan
        if report.id == plan.refused:
            raise Reject(REFUSAL)
        if report.id == plan.difficult and self._failures < FAILURES_BEFORE_SUCCESS:
            self._failures += 1
            raise ConnectionError("the case system is busy")
        return await self._folder(report)


async def demo() -> Exit:
    """Start the simulator, submit four reports, receive them, and show what became of them."""
    folder = Path(tempfile.mkdtemp(prefix="fiksmelding-demo-"))
    async with Simulator(folder=folder / "simulator") as fiks:
        settings = _hurried(fiks.settings_for(ACCOUNT))
        plan: asyncio.Future[Plan] = asyncio.get_running_loop().create_future()
        reports = FolderHandler(folder / "reports")
        case_system = StubbornCaseSystem(reports, plan)
        async with Receiver(settings, case_system, confirm=reports.confirm) as receiver, asyncio.TaskGroup() as tasks:
            tasks.create_task(receiver.run(), name="receiver")
            submitted = [await fiks.submit(data, message_type=kind, account=ACCOUNT) for kind, data in demo_reports()]
            plan.set_result(Plan(difficult=submitted[2], refused=submitted[3]))
            for report_id in submitted:
                await fiks.wait_for(report_id, "LEVERT", timeout=PATIENCE_SECONDS)
            await receiver.wait_until_idle(RETRY_SECONDS)
            _show(await _rows(fiks, submitted, receiver.journal))
            receiver.stop()
        return _conclude([fiks.report(report_id) for report_id in submitted], folder / "reports")


def _hurried(settings: Settings) -> Settings:
    receiver = settings.receiver.model_copy(update={"retry_first_seconds": RETRY_SECONDS})
    return settings.model_copy(update={"receiver": receiver})


@dataclass(frozen=True, slots=True)
class _Row:
    report: SimulatedReport
    journal_states: Sequence[str]


async def _rows(fiks: Simulator, submitted: Sequence[str], journal: Journal) -> list[_Row]:
    entries = {entry.report_id: entry for entry in await journal.entries()}
    rows = []
    for report_id in submitted:
        events = await journal.events(entries[report_id].id)
        rows.append(_Row(fiks.report(report_id), list(dict.fromkeys(str(event.detail["state"]) for event in events))))
    return rows


def _show(rows: Sequence[_Row]) -> None:
    table = Table(title="Four reports, from the platform to the case system and back")
    for name in ("id", "kind", "states"):
        table.add_column(name, overflow="fold")
    table.add_column("ms", justify="right")
    for row in rows:
        states = row.report.states
        took = states[-1].tidspunkt - states[0].tidspunkt
        kind = " ".join(row.report.message_type.split(".")[-2:])
        told = f"platform: {' → '.join(state.tilstand for state in states)}\njournal: {' → '.join(row.journal_states)}"
        table.add_row(row.report.id, kind, told, f"{took.total_seconds() * 1000:.0f}")
    console.print(table)


def _conclude(reports: Sequence[SimulatedReport], folder: Path) -> Exit:
    """Count by what the platform and the folder hold, not by what the receiver says of itself."""
    stored = {path.name for path in folder.iterdir() if not path.name.startswith(".")}
    answered = {report.id: {receipt.message_type for receipt in report.receipts} for report in reports}
    registered = sum(report.id in stored for report in reports)
    mottatt = sum(MessageType.MOTTATT in answers for answers in answered.values())
    feilet = sum(MessageType.FEILET in answers for answers in answered.values())
    lost = sum(report.id not in stored and MessageType.FEILET not in answered[report.id] for report in reports)
    console.print(f"The reports are in {folder}", soft_wrap=True, highlight=False)
    console.print(
        f"demo: sent={len(reports)} registered={registered} mottatt={mottatt} feilet={feilet} lost={lost}",
        soft_wrap=True,
        highlight=False,
    )
    return Exit.PROBLEM if lost else Exit.FINE
