"""What is told at the end: one line when all is well; whom it concerns, and how to see it again, when not."""

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from chaos.plan import Fault, Options
from chaos.running import Outcome

__all__ = ["again", "closing_line", "complaints"]

NEAR_SECONDS = 10.0
MOST_IDS = 20


def closing_line(outcome: Outcome) -> str:
    """The result."""
    verdict = outcome.verdict
    return (
        f"chaos: reports={verdict.reports} faults={len(outcome.struck)} registered={verdict.registered} "
        f"answered={verdict.answered} lost={len(verdict.lost)} twice={len(verdict.twice)} early={len(verdict.early)}"
    )


def again(options: Options) -> str:
    """The command that runs the same plan again."""
    words = {"processes": f"{options.side}s"}
    given = {words.get(name, name): value for name, value in asdict(options).items() if value not in (None, False)}
    if options.side == "sender":
        del given["broker"]  # senders have none
    return " ".join(["make chaos", *(f"{name.upper()}={_spelled(value)}" for name, value in given.items())])


def _spelled(value: object) -> str:
    return "1" if value is True else str(value)


def complaints(outcome: Outcome, folder: Path) -> Iterator[str]:
    """What is to be known, line by line; nothing when all is well."""
    letters = outcome.verdict.by_letter
    if letters:
        yield f"given up by the platform after three broken deliveries, and sent by letter: {len(letters)}"
    uncertain = outcome.verdict.uncertain
    if uncertain:
        yield f"told to be uncertain at some time, and so perhaps there twice: {len(uncertain)}"
    if outcome.fine:
        return
    for what, ids in outcome.verdict.complaints().items():
        if ids:
            yield f"{what}: {len(ids)}"
        for report_id in ids[:MOST_IDS]:
            yield f"  {report_id}"
            yield from (f"    near it: {fault}" for fault in _near(outcome, report_id))
    if not outcome.log_is_whole:
        yield f"the event log is not whole: see {folder / 'verify.log'}"
    if any(outcome.statuses):
        statuses = ", ".join(map(str, outcome.statuses))
        yield f"{outcome.plan.options.side}s ended with status {statuses} when they were asked to stop"
    yield from outcome.crashes
    yield f"what is left of the run: {folder}"
    yield f"the same again: {again(outcome.plan.options)}"


def _near(outcome: Outcome, report_id: str) -> list[Fault]:
    """The faults that struck shortly before or after a report was submitted, and those meant for it."""
    moment = outcome.submitted.get(report_id)
    if moment is None:
        return []
    return [
        fault
        for fault in outcome.plan.faults
        if abs(outcome.struck.get(fault.number, -NEAR_SECONDS) - moment) < NEAR_SECONDS
        or outcome.plan.report_ids[fault.after - 1] == report_id
    ]
