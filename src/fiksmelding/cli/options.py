"""Options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
AMQP_URL_VARIABLE = "FIKSMELDING_SIMULATOR_AMQP_URL"
AMQP_ADMIN_VARIABLE = "FIKSMELDING_SIMULATOR_AMQP_ADMIN"
SETTINGS_VARIABLE = "FIKSMELDING_SETTINGS"
SettingsOption = Annotated[Path, typer.Option("--settings", envvar=SETTINGS_VARIABLE, help="The settings file (TOML).")]
