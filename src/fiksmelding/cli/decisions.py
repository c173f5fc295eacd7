"""`fiksmelding settle` and `fiksmelding receipt retry`: what a person decides about one report."""

import json

from fiksmelding.cli.output import Exit, console, line
from fiksmelding.config import JournalSettings
from fiksmelding.operations import send_receipt_again, settle

__all__ = ["retry_receipt", "settle_report"]


async def settle_report(settings: JournalSettings, some_id: str, reason: str, *, as_json: bool) -> Exit:
    """Note that the case system rightly does not have a report.

    Args:
        settings: Where the journal is.
        some_id: An id of the report, or its reference.
        reason: Why, for the event log.
        as_json: Print JSON.
    """
    entry_id = await settle(settings, some_id, reason)
    return _told(entry_id, "settle", "is settled: no comparison looks for it any more.", as_json=as_json)


async def retry_receipt(settings: JournalSettings, some_id: str, *, as_json: bool) -> Exit:
    """Let a receipt be sent again that was refused.

    Args:
        settings: Where the journal is.
        some_id: An id of the report, or its reference.
        as_json: Print JSON.
    """
    entry_id = await send_receipt_again(settings, some_id)
    text = "gets its receipt sent again, within seconds where a receiver runs."
    return _told(entry_id, "receipt retry", text, as_json=as_json)


def _told(entry_id: str, decision: str, text: str, *, as_json: bool) -> Exit:
    if as_json:
        console.print_json(json.dumps({"id": entry_id, "decision": decision}))
    else:
        line(f"{entry_id} {text}")
    return Exit.FINE
