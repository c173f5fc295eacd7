"""`fiksmelding validate`: is this a report, and if not, why?"""

import json
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.markup import escape

from fiksmelding.cli.documents import parse_document, read_document
from fiksmelding.cli.output import Exit, console
from fiksmelding.errors import FiksmeldingError, InvalidMessage, Problem


def validate(paths: Sequence[Path], *, given_type: str | None, as_json: bool) -> Exit:
    """Check documents and tell every problem of each, never a value out of them."""
    results = [(path, *_check(path, given_type)) for path in paths]
    if as_json:
        console.print_json(json.dumps([_described(*result) for result in results]))
    else:
        for result in results:
            _tell(*result)
    return Exit.PROBLEM if any(problems for _, _, problems in results) else Exit.FINE


def _check(path: Path, given_type: str | None) -> tuple[str | None, Sequence[Problem]]:
    try:
        message = parse_document(read_document(path, sys.stdin.buffer), given_type)
    except InvalidMessage as invalid:
        return None, invalid.problems
    except OSError as error:
        raise FiksmeldingError(f"{path} cannot be read: {error.strerror}.") from error
    return message.message_type.value, ()


def _described(path: Path, found_type: str | None, problems: Sequence[Problem]) -> dict[str, object]:
    told = [{"path": problem.path, "reason": problem.reason} for problem in problems]
    return {"file": str(path), "valid": not problems, "type": found_type, "problems": told}


def _tell(path: Path, found_type: str | None, problems: Sequence[Problem]) -> None:
    if not problems:
        console.print(f"[green]valid[/green]    {escape(str(path))}: {found_type}", soft_wrap=True, highlight=False)
        return
    console.print(f"[red]invalid[/red]  {escape(str(path))}", soft_wrap=True, highlight=False)
    for problem in problems:
        told = f"         {problem.path or '/'}: {problem.reason}"
        console.print(escape(told), soft_wrap=True, highlight=False)
