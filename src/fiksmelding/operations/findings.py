"""Gathering differences: all are counted, and so many are listed that memory stays bounded."""

import shlex
from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from fiksmelding.operations.reconciliation import Cause, Difference


class Findings:
    """The differences found so far.

    Args:
        limit: How many of one cause are listed.
        settings_file: The settings file that the commands name.
    """

    def __init__(self, limit: int, settings_file: Path) -> None:
        self._limit = limit
        self._settings = shlex.quote(str(settings_file))
        self._counts: Counter[Cause] = Counter()
        self._listed: list[Difference] = []

    @property
    def counts(self) -> Mapping[Cause, int]:
        """How many there are of each cause."""
        return dict(self._counts)

    @property
    def listed(self) -> tuple[Difference, ...]:
        """Those that are listed, by cause, in the order of finding."""
        order = list(Cause)
        return tuple(sorted(self._listed, key=lambda one: order.index(one.cause)))

    def add(
        self,
        cause: Cause,
        text: str,
        *,
        command: str = "",
        id: str | None = None,  # noqa: A002 - the field's name
        reference: str | None = None,
        since: datetime | None = None,
    ) -> None:
        """Add one.

        Args:
            cause: Why the two sides differ.
            text: What it means and what to do.
            command: What mends it, without `fiksmelding` and without the settings; empty when no command does.
            id: Our id of the report.
            reference: What the case system calls it.
            since: When it was kept.
        """
        self._counts[cause] += 1
        if self._counts[cause] > self._limit:
            return
        whole = f"fiksmelding {command} --settings {self._settings}" if command else ""
        self._listed.append(Difference(cause=cause, id=id, reference=reference, since=since, text=text, command=whole))
