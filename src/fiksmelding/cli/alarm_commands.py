"""`fiksmelding alarms …`: names, options and help."""

import typer

from fiksmelding.cli.options import JsonOption, SettingsOption
from fiksmelding.cli.output import run
from fiksmelding.cli.settings import load_settings

alarms_app = typer.Typer(help="What a person has to hear of: whether it gets through.", no_args_is_help=True)


@alarms_app.callback()
def _alarms() -> None:
    """Keep `test` a command of its own, though it is the only one."""


@alarms_app.command("test")
def _test(*, settings: SettingsOption, as_json: JsonOption = False) -> None:
    """Send a trial alarm to the webhook and by e-mail. Exit status 1 if one does not get through."""
    from fiksmelding.cli.alarms import try_alarms

    loaded = load_settings(settings)
    raise typer.Exit(run(try_alarms(loaded.alarms, as_json=as_json)))
