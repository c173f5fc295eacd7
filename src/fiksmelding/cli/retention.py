"""`fiksmelding retention`: what has outlived its use, and its erasure."""

import json

from fiksmelding.alarms.routing import open_alarms
from fiksmelding.cli.output import Exit, console, line
from fiksmelding.clock import SystemClock
from fiksmelding.config import Settings
from fiksmelding.journal import Journal
from fiksmelding.receiver.retention import ERASED_AT_ONCE, Retention, RetentionStatus, told

__all__ = ["run_retention"]


async def run_retention(settings: Settings, *, erase: bool, as_json: bool) -> Exit:
    """Tell what is to be erased, and erase it if that is wanted.

    Args:
        settings: Account, journal and policies.
        erase: Whether to erase it.
        as_json: Print JSON.

    Returns:
        1 when something should be erased and may not be.
    """
    clock = SystemClock()
    async with open_alarms(settings.alarms) as alarms, Journal(settings.journal) as journal:
        retention = Retention(journal, settings, clock, alarms)
        status = await retention.status()
        erased = await retention.run() if erase else None
    if as_json:
        console.print_json(json.dumps(_facts(status, erased)))
    else:
        _print(status, erased, settings.journal.keep_days)
    return Exit.PROBLEM if status.held is not None and status.due else Exit.FINE


def _facts(status: RetentionStatus, erased: int | None) -> dict[str, object]:
    compared = status.compared
    return {
        "before": status.before.isoformat(),
        "due": status.due,
        "held": status.held,
        "missing": status.missing,
        "comparedAt": None if compared is None else compared.at.isoformat(),
        "agreed": None if compared is None else compared.agreed,
        "erased": erased,
    }


def _print(status: RetentionStatus, erased: int | None, keep_days: float) -> None:
    more = " or more" if status.due >= ERASED_AT_ONCE else ""
    line(f"Originals are kept for {keep_days:g} days after the receipt: {status.due}{more} have outlived that.")
    if status.compared is None:
        line("The case system was never compared (fiksmelding reconcile): nothing shows that it has them.")
    else:
        how = "agreed" if status.compared.agreed else "did not agree"
        line(f"The last comparison, {status.compared.at:%Y-%m-%d %H:%M} UTC, {how}.")
    if status.held is not None:
        line(f"Nothing is erased: {told(status.held, status.missing)}")
    elif erased is not None:
        line(f"{erased} originals are erased; the event log stays.")
