"""What the commands for a running simulator do: each a call of its control API."""

import asyncio
import json
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from fiksmelding.cli.output import console
from fiksmelding.errors import FiksmeldingError
from fiksmelding.simulator import ControlClient, FaultScript


async def show(folder: Path, path: str, *, as_json: bool) -> None:
    """Show what the control API answers: a line for each value, or JSON.

    Raises:
        FiksmeldingError: No simulator runs in `folder`, or it refuses.
    """
    async with ControlClient(folder) as control:
        answer = await control.ask(path)
    if as_json:
        console.print_json(json.dumps(answer))
        return
    rows = [row for row in (answer if isinstance(answer, list) else [answer]) if isinstance(row, dict)]
    blocks = ("\n".join(f"{name}: {'' if value is None else value}" for name, value in row.items()) for row in rows)
    console.print("\n\n".join(blocks) or "none", highlight=False, markup=False, soft_wrap=True)


async def wait(folder: Path, report_id: str, *, tilstand: str, seconds: float) -> None:
    """Wait until a report has come to a state, and tell the states it has come to.

    Raises:
        FiksmeldingError: It has not come to it in time, or there is no such report or simulator.
    """
    async with ControlClient(folder) as control:
        report = await control.wait_for(report_id, tilstand, seconds=seconds)
    states = report["states"]
    come_to = [str(one["tilstand"]) for one in states if isinstance(one, dict)] if isinstance(states, list) else []
    if tilstand not in come_to:
        raise FiksmeldingError(f"It has not come to {tilstand}, only to {', '.join(come_to)}.", message_id=report_id)
    console.print(" → ".join(come_to), highlight=False, soft_wrap=True)


async def advance(folder: Path, *, hours: float) -> None:
    """Push the clock of the simulator that runs in `folder` forward.

    Raises:
        FiksmeldingError: No simulator runs there, or it refuses.
    """
    async with ControlClient(folder) as control:
        await control.advance(timedelta(hours=hours))


async def faults(folder: Path, what: Sequence[str], *, clear: bool) -> None:
    """Let incidents, by name, and the faults of TOML files wait for what they fit.

    Raises:
        FiksmeldingError: No simulator runs there, or there is no such incident.
        SettingsError: A file is no script of faults.
    """
    files = [FaultScript.load(Path(one)) for one in what if one.endswith(".toml")]
    incidents = [one for one in what if not one.endswith(".toml")]
    async with ControlClient(folder) as control:
        if clear:
            await control.clear_faults()
        for script in files:
            await control.add_faults(script)
        if incidents:
            await control.add_incidents(*incidents)


async def case_system(folder: Path, account: str, *, has: bool) -> None:
    """Say whether a municipality has a case system.

    Raises:
        FiksmeldingError: No simulator runs there, or there is no such account.
    """
    async with ControlClient(folder) as control:
        await control.has_case_system(account, has=has)


async def fetch(folder: Path, report_id: str, to: Path) -> None:
    """Fetch a report by hand, and write its envelope to a file.

    Raises:
        FiksmeldingError: No simulator runs there, or the report does not wait to be fetched.
        OSError: The file cannot be written.
    """
    async with ControlClient(folder) as control:
        envelope = await control.fetch_by_hand(report_id)
    await asyncio.to_thread(to.write_bytes, envelope)


async def sever(folder: Path) -> None:
    """Cut every AMQP connection.

    Raises:
        FiksmeldingError: No simulator runs there.
    """
    async with ControlClient(folder) as control:
        await control.sever_connections()


async def silence(folder: Path) -> None:
    """Leave every AMQP connection half open.

    Raises:
        FiksmeldingError: No simulator runs there, or it runs on a RabbitMQ.
    """
    async with ControlClient(folder) as control:
        await control.silence_connections()
