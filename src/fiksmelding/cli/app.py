"""The command line: names, options and help of every command; what they do stands in files of their own."""

import logging
from pathlib import Path
from typing import Annotated, Literal

import typer

from fiksmelding._version import __version__
from fiksmelding.cli.output import console, errors_told, log_to_stderr, run

app = typer.Typer(
    name="fiksmelding",
    help="Receive and send bekymringsmeldinger over KS Fiks without losing one.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


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


JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
TypeOption = Annotated[
    str | None, typer.Option("--type", help="Message type of JSON, such as privat.v2; else told by its content.")
]


@app.command("demo")
def _demo() -> None:
    """Show the whole road of four reports, on this machine alone."""
    from fiksmelding.cli.demo import demo

    raise typer.Exit(run(demo()))


@app.command("receive")
def _receive(
    *,
    settings: Annotated[Path, typer.Option("--settings", help="The settings file (TOML).")],
    to_folder: Annotated[Path, typer.Option("--to-folder", help="Where each report becomes a folder.")],
    until_idle: Annotated[
        float | None, typer.Option("--until-idle", min=0.1, help="Stop after SECONDS without anything to do.")
    ] = None,
) -> None:
    """Receive reports into a folder until stopped."""
    from fiksmelding.cli.receive import receive_to_folder
    from fiksmelding.config import Settings

    with errors_told():
        loaded = Settings.load(settings)
    run(receive_to_folder(loaded, to_folder, until_idle=until_idle))


simulator_app = typer.Typer(help="The Fiks platform on this machine.", invoke_without_command=True)
app.add_typer(simulator_app, name="simulator")
DirOption = Annotated[Path, typer.Option("--dir", help="The folder that the simulator runs in.")]


@simulator_app.callback()
def _simulator(
    context: typer.Context,
    *,
    folder: Annotated[
        Path | None, typer.Option("--dir", help="Where keys, settings and letters go; a temporary folder if absent.")
    ] = None,
    host: Annotated[str, typer.Option("--host", help="The address to listen on.")] = "127.0.0.1",
    api_port: Annotated[int, typer.Option("--api-port", min=0, max=65535, help="0 takes a free one.")] = 0,
    amqp_port: Annotated[int, typer.Option("--amqp-port", min=0, max=65535, help="0 takes a free one.")] = 0,
) -> None:
    """Run the platform until stopped. Prints one line, beginning with `ready:`, with its addresses."""
    if context.invoked_subcommand is None:
        from fiksmelding.cli.simulator import run_simulator

        run(run_simulator(folder, host=host, api_port=api_port, amqp_port=amqp_port))


@simulator_app.command("submit")
def _submit(
    file: Annotated[Path, typer.Argument(help="The report's JSON; - for standard input.")],
    *,
    folder: DirOption,
    kind: Annotated[Literal["privat", "offentlig"], typer.Option("--kind", help="Who reports.")],
    version: Annotated[int, typer.Option("--version", min=1, max=2, help="Of the protocol.")] = 2,
    account: Annotated[str, typer.Option("--account", help="Who it is for.")] = "bergen",
    district: Annotated[
        str | None, typer.Option("--district", help="For which district (bydelsnummer); the standard one if absent.")
    ] = None,
) -> None:
    """Submit a report, as a school or a citizen would; prints its id."""
    from fiksmelding.cli.simulator import submit

    report_id = run(submit(folder, file, kind=kind, version=version, account=account, bydelsnummer=district))
    console.print(report_id, highlight=False, soft_wrap=True)


@simulator_app.command("list")
def _list(*, folder: DirOption, as_json: JsonOption = False) -> None:
    """List every report with the states it has come to."""
    from fiksmelding.cli.simulator import list_reports

    run(list_reports(folder, as_json=as_json))


@simulator_app.command("advance")
def _advance(hours: Annotated[float, typer.Argument(min=0.0, help="How far, in hours.")], *, folder: DirOption) -> None:
    """Push the simulator's clock forward: for deadlines, letters and deletions."""
    from fiksmelding.cli.simulator import advance

    run(advance(folder, hours=hours))


@app.command("validate")
def _validate(
    files: Annotated[list[Path], typer.Argument(help="JSON or XML; - for standard input.")],
    *,
    given_type: TypeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Check whether files are valid messages, and tell every problem. Exit status 1 if any is not."""
    from fiksmelding.cli.validate import validate

    with errors_told():
        raise typer.Exit(validate(files, given_type=given_type, as_json=as_json))


@app.command("convert")
def _convert(
    file: Annotated[Path, typer.Argument(help="JSON or XML; - for standard input.")],
    *,
    to: Annotated[Literal["json", "xml"], typer.Option("--to", help="The format wanted.")],
    out: Annotated[Path | None, typer.Option("--out", help="Where to; standard output if absent.")] = None,
    given_type: TypeOption = None,
) -> None:
    """Convert a message between JSON and XML, without loss."""
    from fiksmelding.cli.convert import convert

    with errors_told():
        convert(file, to=to, out=out, given_type=given_type)


@app.command("pdf")
def _pdf(
    file: Annotated[Path, typer.Argument(help="JSON or XML; - for standard input.")],
    *,
    out: Annotated[Path | None, typer.Option("--out", help="Where to; standard output if absent.")] = None,
    language: Annotated[Literal["nb", "nn", "en"], typer.Option("--language", help="Of headings and labels.")] = "nb",
    report_id: Annotated[str | None, typer.Option("--report-id", help="Shown on each page.")] = None,
    given_type: TypeOption = None,
) -> None:
    """Make a report's PDF, for people to read."""
    from fiksmelding.cli.pdf import make_pdf

    with errors_told():
        make_pdf(file, out=out, given_type=given_type, language=language, report_id=report_id)


@app.command("open")
def _open(
    file: Annotated[Path, typer.Argument(help="An envelope, or a bare container.")],
    *,
    keys: Annotated[list[Path] | None, typer.Option("--key", help="A private key (PEM); may be repeated.")] = None,
    trust: Annotated[
        Path | None, typer.Option("--trust", help="Folder with certificates a signer may chain to.")
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", help="Folder to write the files to.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Verify an envelope, tell what it holds and who signed it, and write its files if asked."""
    from fiksmelding.cli.open import open_file

    with errors_told():
        open_file(file, keys=keys or (), trust=trust, out=out, as_json=as_json)


@app.command("seal")
def _seal(
    files: Annotated[list[Path], typer.Argument(help="What goes in.")],
    *,
    to: Annotated[Path, typer.Option("--to", help="Certificate of the one who may open it (PEM).")],
    sign_key: Annotated[Path, typer.Option("--sign-key", help="Private key that signs (PEM).")],
    sign_cert: Annotated[Path, typer.Option("--sign-cert", help="Its certificate, chain allowed (PEM).")],
    out: Annotated[Path, typer.Option("--out", help="The envelope.")],
) -> None:
    """Sign files and encrypt them for the holder of a certificate."""
    from fiksmelding.cli.seal import seal_files

    with errors_told():
        seal_files(files, to=to, sign_key=sign_key, sign_cert=sign_cert, out=out)
