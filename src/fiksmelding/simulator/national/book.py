"""The national service's book of reports: how each stands, and who waits for it to change."""

import asyncio

from pydantic import TypeAdapter

from fiksmelding.errors import FiksmeldingError
from fiksmelding.simulator.national.reports import Report
from fiksmelding.simulator.national.states import FOLLOWERS, Tilstand
from fiksmelding.simulator.state import NOWHERE, State

__all__ = ["ReportBook"]

KIND = "report"
REPORT = TypeAdapter(Report)


class ReportBook:
    """Holds the newest version of each report, in the order they came.

    Args:
        state: Where they are kept for the next run.
    """

    def __init__(self, state: State = NOWHERE) -> None:
        self._state = state
        self._reports: dict[str, Report] = {}
        self._by_melding_id: dict[str, str] = {}
        self._changed = asyncio.Event()
        for item in state.all(KIND):
            self._enter(REPORT.validate_json(item.data))

    def put(self, report: Report) -> None:
        """Enter a report, or its newer version, and wake whoever waits for a change."""
        self._state.put(KIND, report.id, REPORT.dump_json(report).decode())
        self._enter(report)
        self._changed.set()
        self._changed = asyncio.Event()

    def get(self, report_id: str) -> Report | None:
        """A report by its id."""
        return self._reports.get(report_id)

    def answered(self, melding_id: str) -> Report | None:
        """The report that was sent under a `melding-id`."""
        return self._reports.get(self._by_melding_id.get(melding_id, ""))

    def all(self) -> tuple[Report, ...]:
        """Every report, oldest first."""
        return tuple(self._reports.values())

    async def change(self) -> None:
        """Wait until any report changes."""
        await self._changed.wait()

    def _enter(self, report: Report) -> None:
        self._reports[report.id] = report
        self._by_melding_id.update(dict.fromkeys(report.melding_ids, report.id))

    async def wait_for(self, report_id: str, tilstand: Tilstand) -> Report:
        """Wait until a report has come to a state.

        Raises:
            FiksmeldingError: There is no such report, or it ended without ever coming to that state.
        """
        while True:
            report = self._reports.get(report_id)
            if report is None:
                raise FiksmeldingError("There is no such report.", message_id=report_id)
            if any(change.tilstand is tilstand for change in report.states):
                return report
            if not FOLLOWERS[report.tilstand]:
                raise FiksmeldingError(
                    f"The report ended in {report.tilstand} without coming to {tilstand}.", message_id=report_id
                )
            await self._changed.wait()
