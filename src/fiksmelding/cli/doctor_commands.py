"""`fiksmelding doctor`: options and help."""

from typing import Annotated, Literal

import typer

from fiksmelding.cli.options import JsonOption, SettingsOption
from fiksmelding.cli.output import run

doctor_app = typer.Typer()


@doctor_app.command("doctor")
def _doctor(
    *,
    settings: SettingsOption,
    role: Annotated[
        Literal["receiver", "sender", "both"],
        typer.Option("--role", help="What the settings are for: receiver, sender or both."),
    ] = "receiver",
    receivers: Annotated[
        int | None, typer.Option("--receivers", min=0, help="How many receivers of yours should be listening.")
    ] = None,
    thorough: Annotated[bool, typer.Option("--thorough", help="Verify the whole event log of the journal.")] = False,
    limit: Annotated[float, typer.Option("--limit", min=0.1, help="Time limit of each check, in SECONDS.")] = 20.0,
    as_json: JsonOption = False,
) -> None:
    """Find out what is wrong, or soon will be, and how it is mended; changes nothing. Exit status 1 if a fault."""
    from fiksmelding.cli.doctor import doctor

    raise typer.Exit(
        run(doctor(settings, role=role, receivers=receivers, thorough=thorough, limit_seconds=limit, as_json=as_json))
    )
