"""`fiksmelding doctor`: what was found, in a table with its cures, or as JSON."""

import json
from pathlib import Path

from rich.markup import escape
from rich.table import Table

from fiksmelding.cli.output import Exit, console
from fiksmelding.doctor import Diagnosis, Level, examine
from fiksmelding.doctor.patient import Role

__all__ = ["doctor"]

STYLES = {Level.OK: "green", Level.NOTE: "cyan", Level.WARNING: "yellow", Level.FAULT: "bold red"}


async def doctor(
    settings: Path, *, role: Role, receivers: int | None, thorough: bool, limit_seconds: float, as_json: bool
) -> Exit:
    """Examine settings and all they lead to; arguments as those of `fiksmelding.examine`."""
    diagnosis = await examine(settings, role=role, receivers=receivers, thorough=thorough, limit_seconds=limit_seconds)
    if as_json:
        console.print_json(json.dumps(diagnosis.as_json()))
    else:
        _show(diagnosis)
    return Exit.FINE if diagnosis.healthy else Exit.PROBLEM


def _show(diagnosis: Diagnosis) -> None:
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for finding in diagnosis.findings:
        text = escape(finding.text) + (f"\n[dim]→ {escape(finding.cure)}[/dim]" if finding.cure else "")
        style = STYLES[finding.level]
        table.add_row(f"[{style}]{finding.level}[/{style}]", finding.condition, text)
    console.print(table)
    counts = {level: sum(finding.level is level for finding in diagnosis.findings) for level in Level}
    console.print(", ".join(f"{count} {level}" for level, count in counts.items() if count), highlight=False)
