"""`fiksmelding simulator …` for one that runs already: the control API by command."""

from pathlib import Path
from typing import Annotated

import typer

from fiksmelding.cli.options import JsonOption
from fiksmelding.cli.output import run
from fiksmelding.cli.simulator_commands import DirOption

__all__ = ["add_control_commands"]

ReportArgument = Annotated[str, typer.Argument(help="The report's id.")]


def add_control_commands(app: typer.Typer) -> None:
    """Add them to `fiksmelding simulator`."""
    looking = (_wait, _receipts, _letters, _accounts, _taken, _clock)
    for command in (*looking, _advance, _case_system, _fetch, _faults, _sever, _silence):
        app.command(command.__name__.removeprefix("_").replace("_", "-"))(command)


def _wait(
    report_id: ReportArgument,
    *,
    folder: DirOption,
    tilstand: Annotated[str, typer.Option("--for", help="The state to wait for.")] = "LEVERT",
    seconds: Annotated[float, typer.Option("--seconds", min=0, max=600, help="The longest wait.")] = 60,
) -> None:
    """Wait until a report has come to a state; ends with status 1 when it has not."""
    from fiksmelding.cli.simulator_control import wait

    run(wait(folder, report_id, tilstand=tilstand, seconds=seconds))


def _receipts(report_id: ReportArgument, *, folder: DirOption, as_json: JsonOption = False) -> None:
    """List the receipts that came for a report."""
    from fiksmelding.cli.simulator_control import show

    run(show(folder, f"/control/reports/{report_id}/receipts", as_json=as_json))


def _letters(*, folder: DirOption, as_json: JsonOption = False) -> None:
    """List what the print provider printed."""
    from fiksmelding.cli.simulator_control import show

    run(show(folder, "/control/letters", as_json=as_json))


def _accounts(*, folder: DirOption, as_json: JsonOption = False) -> None:
    """List the accounts: what waits on their queues, and who listens."""
    from fiksmelding.cli.simulator_control import show

    run(show(folder, "/control/accounts", as_json=as_json))


def _taken(*, folder: DirOption, as_json: JsonOption = False) -> None:
    """List every message that Fiks IO took over HTTP."""
    from fiksmelding.cli.simulator_control import show

    run(show(folder, "/control/taken", as_json=as_json))


def _clock(*, folder: DirOption, as_json: JsonOption = False) -> None:
    """Tell the simulator's time."""
    from fiksmelding.cli.simulator_control import show

    run(show(folder, "/control/clock", as_json=as_json))


def _advance(hours: Annotated[float, typer.Argument(min=0.0, help="How far, in hours.")], *, folder: DirOption) -> None:
    """Push the simulator's clock forward: for deadlines, letters and deletions."""
    from fiksmelding.cli.simulator_control import advance

    run(advance(folder, hours=hours))


def _case_system(
    account: Annotated[str, typer.Argument(help="The municipality's account.")],
    *,
    folder: DirOption,
    none: Annotated[bool, typer.Option("--none", help="It has none; without this option it has one again.")] = False,
) -> None:
    """Say whether a municipality has a case system; one without fetches its reports by hand."""
    from fiksmelding.cli.simulator_control import case_system

    run(case_system(folder, account, has=not none))


def _fetch(
    report_id: ReportArgument,
    *,
    folder: DirOption,
    to: Annotated[Path, typer.Option("--to", help="The file for the envelope; `fiksmelding open` opens it.")],
) -> None:
    """Fetch a report by hand, as a municipality without a case system does."""
    from fiksmelding.cli.simulator_control import fetch

    run(fetch(folder, report_id, to))


def _faults(
    what: Annotated[
        list[str] | None, typer.Argument(help="Names of incidents, and TOML files with faults; none to look only.")
    ] = None,
    *,
    folder: DirOption,
    clear: Annotated[bool, typer.Option("--clear", help="Call off those that are waiting, first.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Let something go wrong: one of the known incidents, or what a file says."""
    from fiksmelding.cli.simulator_control import faults, show

    run(faults(folder, what or [], clear=clear))
    run(show(folder, "/control/faults", as_json=as_json))


def _sever(*, folder: DirOption) -> None:
    """Cut every AMQP connection, as a failing network does."""
    from fiksmelding.cli.simulator_control import sever

    run(sever(folder))


def _silence(*, folder: DirOption) -> None:
    """Leave every AMQP connection half open: nothing comes on it any more, and nobody is told."""
    from fiksmelding.cli.simulator_control import silence

    run(silence(folder))
