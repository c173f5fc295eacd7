"""`fiksmelding reconcile`: names, options and help."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from fiksmelding.cli.options import JsonOption, SettingsOption
from fiksmelding.cli.output import Exit, errors_told, run
from fiksmelding.cli.settings import load_settings

operations_app = typer.Typer()
DAY = ["%Y-%m-%d"]
FromOption = Annotated[
    datetime | None, typer.Option("--from", formats=DAY, help="The first day, in Norwegian time. Default: yesterday.")
]
ToOption = Annotated[
    datetime | None, typer.Option("--to", formats=DAY, help="The first day not in it. Default: tomorrow.")
]
DaysOption = Annotated[int | None, typer.Option("--days", min=1, help="The last days, today included.")]
FolderOption = Annotated[Path | None, typer.Option("--folder", help="The folder that `receive --to-folder` fills.")]


@operations_app.command("reconcile")
def _reconcile(
    *,
    settings: SettingsOption,
    first: FromOption = None,
    until: ToOption = None,
    days: DaysOption = None,
    references: Annotated[
        Path | None, typer.Option("--references", help="CSV or JSON with the references that the case system has.")
    ] = None,
    column: Annotated[
        str | None, typer.Option("--column", help="Which column of it: its heading, or its number from 1.")
    ] = None,
    folder: FolderOption = None,
    case_system: Annotated[
        str | None,
        typer.Option("--case-system", metavar="MODULE:FUNCTION", help="A function that gives those references."),
    ] = None,
    queue: Annotated[bool, typer.Option("--queue/--no-queue", help="Ask the platform about the queue.")] = True,
    output: Annotated[Path | None, typer.Option("--output", help="Keep the result here, as JSON.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Compare what was kept with what the case system has; name what differs, and what mends it.

    Exit status 1 if anything is missing, 2 if not all could be compared. What is missing raises an alarm, too.
    """
    from fiksmelding.cli.periods import chosen_period
    from fiksmelding.cli.reconcile import CaseSystemChoice, compare

    choice = CaseSystemChoice(references=references, column=column, folder=folder, function=case_system)
    loaded = load_settings(settings)
    with errors_told():
        period = chosen_period(first, until, days)
    comparing = compare(loaded, period, choice, settings_file=settings, ask_queue=queue, output=output, as_json=as_json)
    raise typer.Exit(run(comparing, failed=Exit.USAGE))
