"""The command line: names, options and help; what the commands do stands in files of their own."""

import logging
from typing import Annotated

import typer

from fiksmelding._version import __version__
from fiksmelding.cli.alarm_commands import alarms_app
from fiksmelding.cli.canary_commands import canary_app
from fiksmelding.cli.doctor_commands import doctor_app
from fiksmelding.cli.envelope_commands import envelope_app, keys_app
from fiksmelding.cli.journal_commands import journal_app
from fiksmelding.cli.message_commands import message_app
from fiksmelding.cli.operations_commands import operations_app
from fiksmelding.cli.options import ConfirmOption, HandlerOption, SettingsOption, ToFolderOption, ToWebhookOption
from fiksmelding.cli.output import console, log_to_stderr, run
from fiksmelding.cli.quarantine_commands import quarantine_app
from fiksmelding.cli.sender_commands import outbox_app, sender_app
from fiksmelding.cli.settings import load_settings
from fiksmelding.cli.simulator_commands import simulator_app
from fiksmelding.cli.simulator_control_commands import add_control_commands
from fiksmelding.cli.statistics_commands import statistics_app

app = typer.Typer(
    name="fiksmelding",
    help="Receive and send bekymringsmeldinger over KS Fiks without losing one.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(simulator_app, name="simulator")
add_control_commands(simulator_app)
app.add_typer(message_app)
app.add_typer(envelope_app)
app.add_typer(keys_app, name="keys")
app.add_typer(sender_app)
app.add_typer(outbox_app, name="outbox")
app.add_typer(operations_app)
app.add_typer(journal_app, name="journal")
app.add_typer(alarms_app, name="alarms")
app.add_typer(canary_app)
app.add_typer(quarantine_app, name="quarantine")
app.add_typer(doctor_app)
app.add_typer(statistics_app, name="statistics")


def main() -> None:
    """Run the command line."""
    app()


def _show_version(wanted: bool) -> None:
    if wanted:
        console.print(f"fiksmelding {__version__}", highlight=False)
        raise typer.Exit


@app.callback()
def _everywhere(
    *,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Log every step.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Log everything.", envvar="FIKSMELDING_DEBUG")] = False,
    version: Annotated[  # noqa: ARG001 - its callback does the work
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    log_to_stderr(logging.DEBUG if debug else logging.INFO if verbose else logging.WARNING)


@app.command("demo")
def _demo() -> None:
    """Show the whole road of four reports, on this machine alone."""
    from fiksmelding.cli.demo import demo

    raise typer.Exit(run(demo()))


@app.command("receive")
def _receive(
    *,
    settings: SettingsOption,
    to_folder: ToFolderOption = None,
    to_webhook: ToWebhookOption = None,
    handler: HandlerOption = None,
    confirm: ConfirmOption = None,
    until_idle: Annotated[
        float | None, typer.Option("--until-idle", min=0.1, help="Stop after SECONDS without anything to do.")
    ] = None,
) -> None:
    """Receive reports into a folder, post them to a webhook, or call a function of yours, until stopped."""
    from fiksmelding.cli.handlers import HandlerChoice
    from fiksmelding.cli.receive import receive

    choice = HandlerChoice(folder=to_folder, webhook=to_webhook, handler=handler, confirm=confirm)
    run(receive(load_settings(settings), choice, until_idle=until_idle))
