"""`fiksmelding send`, `status` and `outbox`: names, options and help."""

from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from fiksmelding.cli.options import JsonOption, SettingsOption
from fiksmelding.cli.output import run
from fiksmelding.cli.settings import load_settings

sender_app = typer.Typer()
outbox_app = typer.Typer(help="Reports on their way: list, decide, hand over.", no_args_is_help=True)
IdArgument = Annotated[str, typer.Argument(help="Our id of the report, or the platform's.")]


@sender_app.command("send")
def _send(
    files: Annotated[list[Path], typer.Argument(help="Reports, JSON or XML; - for standard input.")],
    *,
    settings: SettingsOption,
    to: Annotated[str | None, typer.Option("--to", help="The municipality, by name or number; else as in it.")] = None,
    district: Annotated[str | None, typer.Option("--district", help="Two digits; the standard one if unknown.")] = None,
    key: Annotated[
        str | None, typer.Option("--key", help="Your own key for it: sent twice under one key, it goes once.")
    ] = None,
    keys_from_names: Annotated[
        bool,
        typer.Option("--keys-from-names", help="Each file's name is its key: a broken-off run can be repeated."),
    ] = False,
    given_type: Annotated[
        str | None, typer.Option("--type", help="Message type of JSON, such as privat.v2; else told by its content.")
    ] = None,
    pdf: Annotated[Path | None, typer.Option("--pdf", help="Its PDF; made from it if absent.")] = None,
    wait: Annotated[
        float, typer.Option("--wait", min=0.0, help="How many seconds to wait for the platform to take it.")
    ] = 15.0,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Send reports. Each is sealed and kept before the platform hears of it. Exit status 1 if one was refused."""
    from fiksmelding.cli.sending import Errand, send

    if len(files) > 1 and (key is not None or pdf is not None):
        raise typer.BadParameter("--key and --pdf are for a single report.")
    keys = [str(file.name) for file in files] if keys_from_names else None if key is None else [key]
    errand = Errand(files, to, district, keys, given_type, pdf, wait)
    loaded = load_settings(settings)
    raise typer.Exit(run(send(loaded, errand, yes=yes, as_json=as_json)))


@sender_app.command("status")
def _status(
    sent_id: Annotated[str | None, typer.Argument(metavar="[ID]", help="Of one report; all if absent.")] = None,
    *,
    settings: SettingsOption,
    as_json: JsonOption = False,
) -> None:
    """Tell how reports that were sent stand. Exit status 1 if one waits for a person."""
    from fiksmelding.cli.outbox import status

    loaded = load_settings(settings)
    raise typer.Exit(run(status(loaded.journal, sent_id, as_json=as_json)))


@outbox_app.command("list")
def _list(
    *,
    settings: SettingsOption,
    state: Annotated[list[str] | None, typer.Option("--state", help="Only these, such as UNCERTAIN.")] = None,
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="The newest so many.")] = None,
    as_json: JsonOption = False,
) -> None:
    """List reports to send, and those that were sent."""
    from fiksmelding.cli.outbox import list_outbox
    from fiksmelding.journal.outbox import OutgoingState

    try:
        states = [OutgoingState(one.upper()) for one in state or ()]
    except ValueError as error:
        raise typer.BadParameter(f"There are {', '.join(OutgoingState)}.") from error
    loaded = load_settings(settings)
    run(list_outbox(loaded.journal, states, limit=limit, as_json=as_json))


@outbox_app.command("retry")
def _retry(sent_id: IdArgument, *, settings: SettingsOption) -> None:
    """Hand a report over now, also one whose outcome is unknown: then it may arrive twice."""
    from fiksmelding.cli.outbox import retry_report

    loaded = load_settings(settings)
    run(retry_report(loaded.journal, sent_id))


@outbox_app.command("cancel")
def _cancel(sent_id: IdArgument, *, settings: SettingsOption) -> None:
    """Do not send a report (any more); its sealed copies are erased."""
    from fiksmelding.cli.outbox import cancel_report

    loaded = load_settings(settings)
    run(cancel_report(loaded.journal, sent_id))


@outbox_app.command("taken")
def _taken(
    sent_id: IdArgument,
    report_id: Annotated[UUID, typer.Argument(help="The id that KS has it under.")],
    *,
    settings: SettingsOption,
) -> None:
    """Record that the platform has a report whose outcome was unknown; it is followed from then on."""
    from fiksmelding.cli.outbox import taken_report

    loaded = load_settings(settings)
    run(taken_report(loaded.journal, sent_id, report_id))


@outbox_app.command("run")
def _run(
    *,
    settings: SettingsOption,
    until_done: Annotated[
        bool, typer.Option("--until-done", help="Stop when every report has arrived or waits for a person.")
    ] = False,
) -> None:
    """Hand over what is in the outbox and follow it, until stopped."""
    from fiksmelding.cli.outbox import run_outbox

    loaded = load_settings(settings)
    raise typer.Exit(run(run_outbox(loaded, until_done=until_done)))
