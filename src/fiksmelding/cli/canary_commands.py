"""`fiksmelding canary`: name, options and help."""

from typing import Annotated

import typer

from fiksmelding.cli.options import JsonOption, SettingsOption
from fiksmelding.cli.output import run
from fiksmelding.cli.settings import load_settings

canary_app = typer.Typer()


@canary_app.command("canary")
def _canary(
    *,
    settings: SettingsOption,
    timeout: Annotated[float, typer.Option("--timeout", min=0.1, help="How many seconds to wait for it.")] = 60.0,
    as_json: JsonOption = False,
) -> None:
    """Send a message to our own account, and tell how long it takes to come back. Exit status 1 if it does not."""
    from fiksmelding.cli.canary import send_canary

    loaded = load_settings(settings)
    raise typer.Exit(run(send_canary(loaded, seconds=timeout, as_json=as_json)))
