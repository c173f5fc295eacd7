"""How commands speak: exit codes, errors in one place, logs that hold identifiers only."""

import asyncio
import logging
import sys
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from enum import IntEnum
from typing import TypeVar

from rich.console import Console

from fiksmelding.errors import FiksmeldingError, SettingsError

Result = TypeVar("Result")

console = Console()
complaints = Console(stderr=True)


class Exit(IntEnum):
    """What a command's exit status means."""

    FINE = 0
    PROBLEM = 1
    USAGE = 2


@contextmanager
def errors_told(failed: Exit = Exit.PROBLEM) -> Iterator[None]:
    """Tell an error in words and end with the right status; a traceback is for those who ask by `--debug`.

    Args:
        failed: The status of what failed though the settings are right.
    """
    try:
        yield
    except FiksmeldingError as error:
        logging.getLogger("fiksmelding").debug("what led to it", exc_info=error)
        complaints.print(f"[red]Error:[/red] {_plain(error)}", soft_wrap=True, highlight=False)
        raise SystemExit(Exit.USAGE if isinstance(error, SettingsError) else failed) from None
    except OSError as error:
        complaints.print(f"[red]Error:[/red] {error.filename or ''}: {error.strerror}", soft_wrap=True, highlight=False)
        raise SystemExit(failed) from None


def run(work: Coroutine[object, object, Result], *, failed: Exit = Exit.PROBLEM) -> Result:
    """Run a command's work to its end, with errors told in words."""
    with errors_told(failed):
        return asyncio.run(work)


def line(text: str) -> None:
    """Print a text as it is, on one line however narrow the terminal: ids and commands stay whole."""
    console.print(text, soft_wrap=True, highlight=False, markup=False)


def log_to_stderr(level: int) -> None:
    """Send our log lines to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logger = logging.getLogger("fiksmelding")
    logger.handlers[:] = [handler]
    logger.setLevel(level)
    # It tells each lost connection with a traceback; our own line says the same once, in words.
    logging.getLogger("aiormq").setLevel(logging.CRITICAL)


def _plain(error: FiksmeldingError) -> str:
    # Square brackets in a text must not be taken for markup.
    return str(error).replace("[", "\\[")
