"""`fiksmelding statistics`: names, options and help."""

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fiksmelding.cli.options import SETTINGS, FromOption, JsonOption, ToOption
from fiksmelding.cli.output import errors_told, run
from fiksmelding.cli.settings import load_settings

if TYPE_CHECKING:
    from fiksmelding.cli.statistics import Output

statistics_app = typer.Typer()
ThresholdOption = Annotated[int, typer.Option("--threshold", min=3, help="The smallest number that is shown.")]
TitleOption = Annotated[str, typer.Option("--title", help="What stands above the page.")]
CsvOption = Annotated[Path | None, typer.Option("--csv", help="Write the tables for a spreadsheet.")]
HtmlOption = Annotated[Path | None, typer.Option("--html", help="Write one page with charts and tables.")]
ChartsOption = Annotated[Path | None, typer.Option("--charts", help="Folder for the charts, as SVG and PNG.")]
ExchangeOption = Annotated[
    Path | None, typer.Option("--exchange", help="Write every number, small ones too, for `statistics merge`.")
]
TITLE = "Bekymringsmeldinger"


@statistics_app.callback(invoke_without_command=True)
def _count(
    context: typer.Context,
    *,
    settings: Annotated[Path | None, SETTINGS] = None,
    year: Annotated[int | None, typer.Option("--year", min=2020, max=2999, help="Default: this year.")] = None,
    first: FromOption = None,
    until: ToOption = None,
    kommune: Annotated[
        str | None, typer.Option("--kommune", help="The municipality of reports whose own is not known.")
    ] = None,
    all_accounts: Annotated[
        bool, typer.Option("--all-accounts", help="Count every account in the journal, not that of the settings.")
    ] = False,
    names: Annotated[bool, typer.Option("--names", help="Ask the platform what the numbers are called.")] = False,
    threshold: ThresholdOption = 5,
    title: TitleOption = TITLE,
    csv: CsvOption = None,
    html: HtmlOption = None,
    charts: ChartsOption = None,
    exchange: ExchangeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Count reports by municipality, district, kind, month and channel, with small numbers hidden."""
    if context.invoked_subcommand is not None:
        return
    if settings is None:
        raise typer.BadParameter("It says whose journal to count.", param_hint="--settings")
    from fiksmelding.cli.periods import chosen_period
    from fiksmelding.cli.statistics import show_counts
    from fiksmelding.operations import Period

    if year is not None and first is not None:
        raise typer.BadParameter("Give --year, or --from.", param_hint="--year")
    loaded = load_settings(settings)
    with errors_told():
        if first is None:
            chosen = year or date.today().year  # noqa: DTZ011 - a default for whoever sits at this machine
            period = Period.of_days(date(chosen, 1, 1), date(chosen + 1, 1, 1))
        else:
            period = chosen_period(first, until, None)
    output = _output(threshold, title, csv, html, charts, exchange, as_json=as_json)
    counting = show_counts(loaded, period, output, kommunenummer=kommune, all_accounts=all_accounts, names=names)
    raise typer.Exit(run(counting))


@statistics_app.command("merge")
def _merge(
    files: Annotated[list[Path], typer.Argument(help="What `statistics --exchange` wrote.")],
    *,
    threshold: ThresholdOption = 5,
    title: TitleOption = TITLE,
    csv: CsvOption = None,
    html: HtmlOption = None,
    charts: ChartsOption = None,
    exchange: ExchangeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Add up the counts of several journals; small numbers are hidden in the sum."""
    from fiksmelding.cli.statistics import merge_files

    with errors_told():
        status = merge_files(files, _output(threshold, title, csv, html, charts, exchange, as_json=as_json))
    raise typer.Exit(status)


def _output(  # noqa: PLR0917 - they stand in one order everywhere
    threshold: int,
    title: str,
    csv: Path | None,
    html: Path | None,
    charts: Path | None,
    exchange: Path | None,
    *,
    as_json: bool,
) -> "Output":
    from fiksmelding.cli.statistics import Output

    return Output(
        threshold=threshold, title=title, csv=csv, html=html, charts=charts, exchange=exchange, as_json=as_json
    )
