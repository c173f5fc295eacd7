"""`fiksmelding reconcile`, `recover`, `settle`, `receipt` and `retention`: names, options and help."""

from pathlib import Path
from typing import Annotated

import typer

from fiksmelding.cli.options import (
    ConfirmOption,
    DaysOption,
    FromOption,
    HandlerOption,
    JsonOption,
    ReportArgument,
    SettingsOption,
    ToFolderOption,
    ToOption,
    ToWebhookOption,
)
from fiksmelding.cli.output import Exit, errors_told, run
from fiksmelding.cli.settings import load_settings

operations_app = typer.Typer()
retention_app = typer.Typer(help="Sealed originals that have outlived their use.", no_args_is_help=True)
operations_app.add_typer(retention_app, name="retention")
receipt_app = typer.Typer(help="Receipts that the platform has refused.", no_args_is_help=True)
operations_app.add_typer(receipt_app, name="receipt")
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


@operations_app.command("recover")
def _recover(
    ids: Annotated[
        list[str] | None, typer.Argument(metavar="[ID]...", help="By their ids or references; see the other ways, too.")
    ] = None,
    *,
    settings: SettingsOption,
    first: FromOption = None,
    until: ToOption = None,
    days: DaysOption = None,
    from_reconciliation: Annotated[
        Path | None, typer.Option("--from-reconciliation", help="What `reconcile --output` found missing.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Only go on with those asked for before.")] = False,
    to_folder: ToFolderOption = None,
    to_webhook: ToWebhookOption = None,
    handler: HandlerOption = None,
    confirm: ConfirmOption = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell what would be done.")] = False,
    wait: Annotated[
        float | None,
        typer.Option("--wait", min=0.0, help="How many seconds to wait; until all is done if absent."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Hand kept reports to the case system once more, also to an empty one. Nobody gets a second receipt.

    A receiver that runs on the same journal does it; where none does, say where reports go, as to `receive`. Exit
    status 1 if any could not be handed over yet.
    """
    from fiksmelding.cli.handlers import HandlerChoice
    from fiksmelding.cli.recover import recover_reports, selection_of

    choice = HandlerChoice(folder=to_folder, webhook=to_webhook, handler=handler, confirm=confirm)
    loaded = load_settings(settings)
    with errors_told():
        selection = selection_of(ids or (), first, until, days, from_reconciliation, resume=resume)
    recovering = recover_reports(loaded, selection, choice, dry_run=dry_run, wait_seconds=wait, as_json=as_json)
    raise typer.Exit(run(recovering, failed=Exit.USAGE))


@retention_app.command("show")
def _show_retention(*, settings: SettingsOption, as_json: JsonOption = False) -> None:
    """Tell how many originals are to be erased, or why none is. Exit status 1 when something stands in the way."""
    from fiksmelding.cli.retention import run_retention

    raise typer.Exit(run(run_retention(load_settings(settings), erase=False, as_json=as_json)))


@retention_app.command("run")
def _run_retention(*, settings: SettingsOption, as_json: JsonOption = False) -> None:
    """Erase them now, as a receiver does each hour. Exit status 1 when something stands in the way."""
    from fiksmelding.cli.retention import run_retention

    raise typer.Exit(run(run_retention(load_settings(settings), erase=True, as_json=as_json)))


@operations_app.command("settle")
def _settle(
    report: ReportArgument,
    *,
    settings: SettingsOption,
    reason: Annotated[str, typer.Option("--reason", help="Why, for the event log; no personal data.")],
    as_json: JsonOption = False,
) -> None:
    """Note that the case system rightly does not have a report: `reconcile` looks for it no more."""
    from fiksmelding.cli.decisions import settle_report

    raise typer.Exit(run(settle_report(load_settings(settings).journal, report, reason, as_json=as_json)))


@receipt_app.command("retry")
def _retry_receipt(report: ReportArgument, *, settings: SettingsOption, as_json: JsonOption = False) -> None:
    """Let a receipt be sent again that the platform had refused, after what it minded was mended."""
    from fiksmelding.cli.decisions import retry_receipt

    raise typer.Exit(run(retry_receipt(load_settings(settings).journal, report, as_json=as_json)))
