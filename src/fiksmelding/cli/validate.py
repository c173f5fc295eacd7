"""`fiksmelding validate`: is this a report, if not, why, and what should its sender look at again?"""

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.markup import escape

from fiksmelding.cli.documents import parse_document, read_document
from fiksmelding.cli.output import Exit, console
from fiksmelding.errors import FiksmeldingError, InvalidMessage, Problem
from fiksmelding.messages import Advice


@dataclass(frozen=True)
class Verdict:
    """What was found out about one document.

    Attributes:
        file: Its path, or `-`.
        valid: Whether the official schema accepts it.
        type: Its message type, when it is valid.
        problems: Why it is not valid.
        refused: What the service would refuse in it all the same.
        advice: What its sender would want to look at again.
    """

    file: str
    valid: bool
    type: str | None = None
    problems: Sequence[Problem] = ()
    refused: Sequence[Problem] = ()
    advice: Sequence[Advice] = ()


def validate(paths: Sequence[Path], *, given_type: str | None, as_json: bool) -> Exit:
    """Check documents and tell every problem of each, never a value out of them. Advice changes no exit status."""
    verdicts = [_check(path, given_type) for path in paths]
    if as_json:
        console.print_json(json.dumps([asdict(verdict) for verdict in verdicts]))
    else:
        for verdict in verdicts:
            _tell(verdict)
    return Exit.FINE if all(verdict.valid for verdict in verdicts) else Exit.PROBLEM


def _check(path: Path, given_type: str | None) -> Verdict:
    try:
        message = parse_document(read_document(path, sys.stdin.buffer), given_type)
    except InvalidMessage as invalid:
        return Verdict(str(path), valid=False, problems=invalid.problems)
    except OSError as error:
        raise FiksmeldingError(f"{path} cannot be read: {error.strerror}.") from error
    return Verdict(
        str(path), valid=True, type=message.message_type.value, refused=message.problems(), advice=message.advice()
    )


def _tell(verdict: Verdict) -> None:
    if verdict.valid:
        _print(f"[green]valid[/green]    {escape(verdict.file)}: {verdict.type}")
    else:
        _print(f"[red]invalid[/red]  {escape(verdict.file)}")
    for problem in verdict.problems:
        _print(f"         {_place(problem.path, problem.reason)}")
    for problem in verdict.refused:
        _print(f"         [red]refused[/red] {_place(problem.path, problem.reason)}")
    for advice in verdict.advice:
        _print(f"         [yellow]advice[/yellow]  {_place(advice.path, advice.text)}")


def _place(path: str, text: str) -> str:
    return escape(f"{path or '/'}: {text}")


def _print(text: str) -> None:
    console.print(text, soft_wrap=True, highlight=False)
