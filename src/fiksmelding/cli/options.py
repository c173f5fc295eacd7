"""Options that several commands share."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
AMQP_URL_VARIABLE = "FIKSMELDING_SIMULATOR_AMQP_URL"
AMQP_ADMIN_VARIABLE = "FIKSMELDING_SIMULATOR_AMQP_ADMIN"
SETTINGS_VARIABLE = "FIKSMELDING_SETTINGS"
SETTINGS = typer.Option("--settings", envvar=SETTINGS_VARIABLE, help="The settings file (TOML).")
SettingsOption = Annotated[Path, SETTINGS]
ToFolderOption = Annotated[Path | None, typer.Option("--to-folder", help="Where each report becomes a folder.")]
ToWebhookOption = Annotated[
    str | None, typer.Option("--to-webhook", metavar="URL", help="Where each report is posted, signed.")
]
HandlerOption = Annotated[
    str | None,
    typer.Option("--handler", metavar="MODULE:FUNCTION", help="A function of yours that stores a report."),
]
ConfirmOption = Annotated[
    str | None, typer.Option("--confirm", metavar="MODULE:FUNCTION", help="Its read-back. Recommended.")
]
DAY = ["%Y-%m-%d"]
FromOption = Annotated[datetime | None, typer.Option("--from", formats=DAY, help="The first day, in Norwegian time.")]
ToOption = Annotated[
    datetime | None, typer.Option("--to", formats=DAY, help="The first day not in it. Default: tomorrow.")
]
DaysOption = Annotated[int | None, typer.Option("--days", min=1, help="The last days, today included.")]
ReportArgument = Annotated[
    str, typer.Argument(metavar="ID", help="Its id in the journal, melding-id, bekymringsmelding-id, or reference.")
]
