"""What a run says while it goes on: on the screen, and in a file beside its other traces."""

import time
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import Self

__all__ = ["Narrator"]


class Narrator(AbstractContextManager["Narrator"]):
    """Writes lines with the seconds since the start.

    Args:
        path: The file.
        quiet: Whether the screen shows nothing.
    """

    def __init__(self, path: Path, *, quiet: bool = False) -> None:
        self._file = path.open("a", encoding="utf-8")
        self._quiet = quiet
        self._started = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    @property
    def seconds(self) -> float:
        """Since the start."""
        return time.monotonic() - self._started

    def seconds_at(self, nanoseconds: int) -> float:
        """When something was since the start, that was told in nanoseconds of the machine's monotonic clock."""
        return nanoseconds / 1e9 - self._started

    def tell(self, line: str) -> None:
        """Say a line."""
        told = f"{self.seconds:8.1f} s  {line}"
        self._file.write(told + "\n")
        self._file.flush()
        if not self._quiet:
            print(told, flush=True)  # noqa: T201 - the command's output
