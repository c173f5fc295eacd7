"""`fiksmelding alarms test`: whether alarms get through to whom the settings name."""

import json

from rich.table import Table

from fiksmelding.alarms.routing import AlarmRoutes
from fiksmelding.cli.output import Exit, console
from fiksmelding.config import AlarmsSettings
from fiksmelding.errors import SettingsError


async def try_alarms(settings: AlarmsSettings, *, as_json: bool) -> Exit:
    """Send a trial alarm each way, and tell how it went.

    Args:
        settings: Who is told, and how.
        as_json: Print JSON.

    Raises:
        SettingsError: There is no way but the log, or one cannot be used as it is described.
    """
    async with AlarmRoutes(settings) as routes:
        outcomes = await routes.try_each(f"A trial of the alarms of {settings.name}; nothing is wrong.")
    if not outcomes:
        raise SettingsError("Alarms go to the log alone: set alarms.webhook_url or alarms.mail_to.")
    if as_json:
        told = {name: {"sent": wrong is None, "reason": wrong} for name, wrong in outcomes.items()}
        console.print_json(json.dumps(told))
    else:
        table = Table("way", "how it went")
        for name, wrong in outcomes.items():
            table.add_row(name, "sent" if wrong is None else f"not sent: {wrong}")
        console.print(table)
    return Exit.PROBLEM if any(outcomes.values()) else Exit.FINE
