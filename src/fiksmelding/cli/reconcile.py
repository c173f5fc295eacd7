"""`fiksmelding reconcile`: what differs, why, and what mends it."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from rich.table import Table

from fiksmelding.cli.objects import function_named
from fiksmelding.cli.output import Exit, console, line
from fiksmelding.config import Settings
from fiksmelding.errors import SettingsError
from fiksmelding.operations import CaseSystem, Period, Reconciliation, in_file, in_folder, reconcile
from fiksmelding.operations.reconciliation import NOTES, Difference

SHOWN = 200
"""How many differences are printed; a result that was kept lists more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseSystemChoice:
    """Where to learn what the case system has; at most one is given.

    Attributes:
        references: A file of references.
        column: Which column of it.
        folder: The folder handler's folder.
        function: A function, as `module:function`.
    """

    references: Path | None = None
    column: str | None = None
    folder: Path | None = None
    function: str | None = None

    def source(self) -> CaseSystem | None:
        """Who tells; None where nobody does.

        Raises:
            SettingsError: More than one is given, or there is no such function.
        """
        given = [one for one in (self.references, self.folder, self.function) if one is not None]
        if len(given) > 1:
            raise SettingsError("One of --references, --folder and --case-system tells what the case system has.")
        if self.references is not None:
            return in_file(self.references, self.column)
        if self.folder is not None:
            return in_folder(self.folder)
        return None if self.function is None else cast("CaseSystem", function_named(self.function, "--case-system"))


async def compare(
    settings: Settings,
    period: Period,
    choice: CaseSystemChoice,
    *,
    settings_file: Path,
    ask_queue: bool,
    output: Path | None,
    as_json: bool,
) -> Exit:
    """Compare, and tell what differs.

    Args:
        settings: Account, platform, journal and policies.
        period: When the reports were kept.
        choice: Where to learn what the case system has.
        settings_file: The file of `settings`.
        ask_queue: Whether the platform is asked.
        output: Where the result is written too, as JSON.
        as_json: Print JSON.

    Returns:
        1 if anything is missing, 2 if nothing is but not all could be compared.
    """
    result = await reconcile(
        settings, period, case_system=choice.source(), ask_queue=ask_queue, settings_file=settings_file
    )
    if output is not None:
        await asyncio.to_thread(output.write_text, result.to_json(), "utf-8")
    if as_json:
        console.print_json(result.to_json())
    else:
        _print(result, period)
    if result.missing:
        return Exit.PROBLEM
    return Exit.USAGE if result.problems else Exit.FINE


def _print(result: Reconciliation, period: Period) -> None:
    line(f"Account {result.account}, {period}")
    console.print(_summary(result))
    missing = [one for one in result.differences if one.cause not in NOTES]
    notes = [one for one in result.differences if one.cause in NOTES]
    _print_differences("To mend", missing, result.missing)
    _print_differences("To know", notes, sum(result.counts.values()) - result.missing)
    for problem in result.problems:
        line(f"Not compared: {problem}")
    if result.agrees:
        line("Nothing is missing.")


def _summary(result: Reconciliation) -> Table:
    table = Table(show_header=False)
    received, says, sent = result.received, result.case_system, result.sent
    rows = {
        "Kept": f"{received.kept}, of them {received.repetitions} repetitions and {received.notices} notices",
        "Registered": f"{received.registered}, of them {says.found} found in the case system"
        if says is not None
        else f"{received.registered}, not compared with a case system",
        "Receipted": str(received.receipted),
        "Rejected": str(received.rejected),
        "Quarantined": str(received.quarantined),
        "Under way": str(received.under_way),
    }
    if says is not None:
        repeated = f", {says.repeated} of them more than once" if says.repeated else ""
        rows["Listed by the case system"] = f"{says.listed}{repeated}"
    if result.queue is not None:
        rows["Queue"] = f"{result.queue.waiting} waiting, {result.queue.consumers} consumers"
    if sent.kept:
        rows["Sent"] = f"{sent.kept}, of them {sent.delivered} LEVERT, {sent.under_way} under way"
    for name, value in rows.items():
        table.add_row(name, value)
    return table


def _print_differences(title: str, differences: Sequence[Difference], number: int) -> None:
    """A block of lines for each: whole ids and commands, which a table would fold."""
    if not number:
        return
    line(f"{title}: {number}")
    for one in differences[:SHOWN]:
        named = ", ".join(part for part in (one.id, one.reference) if part)
        line(f"  {one.cause}  {named}")
        line(f"      {one.text}")
        if one.command:
            line(f"      {one.command}")
    if number > len(differences[:SHOWN]):
        line(f"  ... and {number - len(differences[:SHOWN])} more; --output FILE keeps up to reconcile.listed of each.")
