"""`fiksmelding quarantine …`: names, options and help."""

from typing import Annotated

import typer

from fiksmelding.cli.options import JsonOption, SettingsOption
from fiksmelding.cli.output import run
from fiksmelding.cli.settings import load_settings

quarantine_app = typer.Typer(
    help="Messages that were set aside because they cannot be opened, believed or understood.", no_args_is_help=True
)
Message = Annotated[str, typer.Argument(metavar="ID", help="Its id in the journal, or its melding-id.")]


@quarantine_app.command("list")
def _list(*, settings: SettingsOption, as_json: JsonOption = False) -> None:
    """List what is set aside: why, how old, and when it is answered feilet. Exit status 1 if there is anything."""
    from fiksmelding.cli.quarantine import list_messages

    raise typer.Exit(run(list_messages(load_settings(settings).journal, as_json=as_json)))


@quarantine_app.command("show")
def _show(message: Message, *, settings: SettingsOption, as_json: JsonOption = False) -> None:
    """Show what has happened to a message; never what it says."""
    from fiksmelding.cli.quarantine import show

    raise typer.Exit(run(show(load_settings(settings).journal, message, as_json=as_json)))


@quarantine_app.command("retry")
def _retry(message: Message, *, settings: SettingsOption, as_json: JsonOption = False) -> None:
    """Let a message be opened again, for example after a key was added."""
    from fiksmelding.cli.quarantine import retry

    raise typer.Exit(run(retry(load_settings(settings).journal, message, as_json=as_json)))


@quarantine_app.command("reject")
def _reject(
    message: Message,
    *,
    settings: SettingsOption,
    reason: Annotated[
        str, typer.Option("--reason", help="Why, in plain Norwegian for the one who reads it; no personal data.")
    ],
    as_json: JsonOption = False,
) -> None:
    """Decide that a message will not be registered. The sender gets feilet, and the report goes by letter."""
    from fiksmelding.cli.quarantine import reject

    raise typer.Exit(run(reject(load_settings(settings).journal, message, reason, as_json=as_json)))
