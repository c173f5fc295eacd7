"""The settings of a command, loaded when it runs: checking them takes longer to load than `--help` may take."""

from pathlib import Path
from typing import TYPE_CHECKING

from fiksmelding.cli.output import errors_told

if TYPE_CHECKING:
    from fiksmelding.config import Settings


def load_settings(path: Path) -> "Settings":
    """Load a settings file; what is wrong in it is told in words, and ends the command."""
    from fiksmelding.config import Settings

    with errors_told():
        return Settings.load(path)
