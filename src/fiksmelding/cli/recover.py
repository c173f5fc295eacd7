"""`fiksmelding recover`: kept originals to the case system once more."""

import asyncio
import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from pydantic import ValidationError

from fiksmelding.cli.handlers import HandlerChoice, opened_handler
from fiksmelding.cli.output import Exit, console, line
from fiksmelding.cli.periods import chosen_period
from fiksmelding.cli.signals import on_stop_signal
from fiksmelding.config import Settings
from fiksmelding.errors import SettingsError
from fiksmelding.operations import Reconciliation, Recovery, Selection, Skipped, recover

WITHOUT_HANDLER_SECONDS = 30.0
"""How long to wait for a receiver that may not be there, unless told otherwise."""
WHY = {
    Skipped.ERASED: "its original is erased",
    Skipped.NOT_ANSWERED: "on its way still, and handed over as long as it takes",
    Skipped.QUARANTINED: "set aside; see `fiksmelding quarantine`",
    Skipped.FEILET: "answered feilet, and goes by letter; name it by its id if you want it all the same",
    Skipped.REPETITION: "a repetition of a report that is handed over by itself",
    Skipped.NO_REPORT: "a notice of the platform, no report",
    Skipped.UNKNOWN: "not in the journal of this account",
    Skipped.IN_USE: "just being worked on, or asked for before",
}
EXPECTED = frozenset({Skipped.REPETITION, Skipped.NO_REPORT, Skipped.NOT_ANSWERED, Skipped.FEILET})
"""What a whole period holds anyway, and is not worth a line each."""


def selection_of(
    ids: Sequence[str],
    first: datetime | None,
    until: datetime | None,
    days: int | None,
    result: Path | None,
    *,
    resume: bool,
) -> Selection:
    """What options select.

    Raises:
        SettingsError: Nothing is selected, more than one way is given, or the result cannot be read.
    """
    by_period = any(one is not None for one in (first, until, days))
    if [bool(ids), by_period, result is not None, resume].count(True) != 1:
        raise SettingsError("Say which, in one way: by ids, by a period, by --from-reconciliation, or --resume.")
    if by_period:
        return Selection(period=chosen_period(first, until, days))
    return Selection(ids=ids, reconciliation=None if result is None else _read(result))


async def recover_reports(
    settings: Settings,
    selection: Selection,
    choice: HandlerChoice,
    *,
    dry_run: bool,
    wait_seconds: float | None,
    as_json: bool,
) -> Exit:
    """Recover, and tell what was done.

    Args:
        settings: Account, keys, journal and policies.
        selection: Which reports.
        choice: Where they go, when no receiver does it.
        dry_run: Only tell what would be done.
        wait_seconds: How long to wait, in seconds; until it is done when None.
        as_json: Print JSON.
    """
    stop = asyncio.Event()
    on_stop_signal(stop.set)
    async with opened_handler(settings, choice) as side:
        handler, confirm = side or (None, None)
        if handler is None and wait_seconds is None:
            wait_seconds = WITHOUT_HANDLER_SECONDS
        done = await recover(
            settings,
            selection,
            handler=handler,
            confirm=confirm,
            dry_run=dry_run,
            wait_seconds=wait_seconds,
            stop=stop,
        )
    if as_json:
        console.print_json(json.dumps(_facts(done)))
    else:
        _print(done, handled_here=handler is not None)
        if selection.reconciliation is not None and not selection.reconciliation.complete:
            line("The result did not list every difference: reconcile and recover again.")
    lost = done.skipped.get(Skipped.ERASED, 0) + done.skipped.get(Skipped.UNKNOWN, 0)
    return Exit.PROBLEM if done.waiting or done.refused or (lost and not selection.period) else Exit.FINE


def _read(file: Path) -> Reconciliation:
    try:
        return Reconciliation.from_json(file.read_bytes())
    except OSError as error:
        raise SettingsError(f"{file} cannot be read: {error.strerror}.") from error
    except ValidationError as error:
        raise SettingsError(f"{file} holds no result of `fiksmelding reconcile --output`.") from error


def _facts(done: Recovery) -> dict[str, object]:
    return {
        "dryRun": done.dry_run,
        "asked": done.asked,
        "recovered": done.recovered,
        "refused": done.refused,
        "waiting": done.waiting,
        "skipped": {why.value: number for why, number in done.skipped.items()},
        "messages": [{"id": one.id, "skipped": one.skipped} for one in done.named],
    }


def _print(done: Recovery, *, handled_here: bool) -> None:
    for one in done.named:
        if one.skipped is None and done.dry_run:
            line(f"  {one.id}  would be handed over again")
        elif one.skipped is not None and one.skipped not in EXPECTED:
            line(f"  {one.id}  {WHY[one.skipped]}")
    for why, number in done.skipped.items():
        if why in EXPECTED:
            line(f"Not handed over: {number}, {WHY[why]}.")
    if done.dry_run:
        line(f"{done.asked} reports would be handed over again. Nothing was done.")
        return
    line(f"{done.asked} reports were asked for; the case system has {done.recovered} of them again.")
    if done.refused:
        line(f"{done.refused} could not be handed over: the log and the alarms say which and why.")
    if done.waiting:
        who = "the next `fiksmelding recover --resume` goes on" if handled_here else "a receiver takes them up"
        line(f"{done.waiting} wait still. Nothing of it is forgotten: {who}.")
