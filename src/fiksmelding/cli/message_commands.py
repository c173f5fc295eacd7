"""`fiksmelding validate`, `convert` and `pdf`: names, options and help."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from fiksmelding.cli.options import JsonOption
from fiksmelding.cli.output import errors_told

message_app = typer.Typer()
TypeOption = Annotated[
    str | None, typer.Option("--type", help="Message type of JSON, such as privat.v2; else told by its content.")
]


@message_app.command("validate")
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


@message_app.command("convert")
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


@message_app.command("pdf")
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
