"""What every process under test has: a clock that can be set wrong, and orders on its standard input."""

import argparse
import asyncio
import logging
import sys
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path

from fiksmelding.clock import SystemClock

__all__ = ["CANNOT_BEGIN", "JumpingClock", "arguments", "obey", "orders"]

CANNOT_BEGIN = 3
"""The exit status of a process whose journal could not be opened; it is started again until it can."""
LONGEST_ORDER = 4 * 1024 * 1024


class JumpingClock(SystemClock):
    """The machine's clock, off by as much as it is told; durations stay right, as on a real machine."""

    def __init__(self, off_seconds: float) -> None:
        self.off_seconds = off_seconds

    def now(self) -> datetime:
        """The time of day, wrong by `off_seconds`."""
        return super().now() + timedelta(seconds=self.off_seconds)

    def jump(self, off_seconds: str) -> None:
        """Be off by so many seconds from now on."""
        self.off_seconds = float(off_seconds)


def arguments(*paths: str) -> argparse.Namespace:
    """What a process under test is started with: the paths named, how far its clock is off, and whether it is broken.

    Its log goes to standard error.
    """
    parser = argparse.ArgumentParser()
    for name in paths:
        parser.add_argument(name, type=Path)
    parser.add_argument("--clock", type=float, default=0.0)
    parser.add_argument("--broken", action="store_true")
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(process)d %(levelname)s %(name)s: %(message)s")
    return parser.parse_args()


async def orders() -> asyncio.StreamReader:
    """Standard input, line by line."""
    reader = asyncio.StreamReader(limit=LONGEST_ORDER)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    return reader


async def obey(
    reader: asyncio.StreamReader, what: Mapping[str, Callable[[str], None]], gone: Callable[[], None]
) -> None:
    """Do what each line says: `word value`.

    Args:
        reader: Where orders come from.
        what: What to do with the value, by word.
        gone: Called when whoever gives orders is gone: nobody would end this process then.
    """
    while line := await reader.readline():
        word, _, value = line.decode().rstrip("\n").partition(" ")
        what[word](value)
    gone()
