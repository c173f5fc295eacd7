"""`fiksmelding journal …`: names, options and help."""

from pathlib import Path
from typing import Annotated

import typer

from fiksmelding.cli.options import JsonOption, ReportArgument, SettingsOption
from fiksmelding.cli.output import run
from fiksmelding.cli.settings import load_settings

journal_app = typer.Typer(
    help="The journal: its version, a copy of it, and whether its event log is whole.", no_args_is_help=True
)


@journal_app.command("migrate")
def _migrate(*, settings: SettingsOption) -> None:
    """Bring the journal's tables to the present version; a receiver does so by itself when it starts."""
    from fiksmelding.cli.journal import migrate

    loaded = load_settings(settings)
    raise typer.Exit(run(migrate(loaded.journal)))


@journal_app.command("backup")
def _backup(
    file: Annotated[Path, typer.Argument(help="The file to make; it must not be there yet.")],
    *,
    settings: SettingsOption,
) -> None:
    """Copy a SQLite journal as it is now into a new file, complete or not at all; a receiver may go on meanwhile."""
    from fiksmelding.cli.journal import backup

    loaded = load_settings(settings)
    raise typer.Exit(run(backup(loaded.journal, file)))


@journal_app.command("verify")
def _verify(
    *,
    settings: SettingsOption,
    checkpoint: Annotated[
        str | None, typer.Option("--checkpoint", help="Hash of a checkpoint noted elsewhere; the log must hold it.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Tell whether the event log is as it was written; names the first place that was altered. Exit status 1 if any."""
    from fiksmelding.cli.journal import verify

    loaded = load_settings(settings)
    raise typer.Exit(run(verify(loaded.journal, checkpoint=checkpoint, as_json=as_json)))


@journal_app.command("export")
def _export(
    report: ReportArgument,
    *,
    settings: SettingsOption,
    original: Annotated[
        Path | None, typer.Option("--original", help="Write the sealed original here; `fiksmelding open` opens it.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Export one report's whole history, for an access request (innsyn): in plain Norwegian, or as JSON."""
    from fiksmelding.cli.history import export

    raise typer.Exit(run(export(load_settings(settings).journal, report, original=original, as_json=as_json)))
