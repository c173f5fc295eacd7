"""`fiksmelding simulator`: run the platform on this machine; submit to it and list what became of it."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Literal

import aiohttp
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from rich.table import Table

from fiksmelding.cli.documents import message_type, read_document
from fiksmelding.cli.output import console
from fiksmelding.cli.signals import stop_requested
from fiksmelding.errors import FiksmeldingError
from fiksmelding.messages import MessageType
from fiksmelding.simulator import Simulator

CONTROL_FILE = "simulator.json"
TIMEOUT = aiohttp.ClientTimeout(total=30)
Kind = Literal["privat", "offentlig"]
VERSIONS = {
    ("privat", 1): MessageType.PRIVAT_V1,
    ("privat", 2): MessageType.PRIVAT_V2,
    ("offentlig", 1): MessageType.OFFENTLIG_V1,
    ("offentlig", 2): MessageType.OFFENTLIG_V2,
}


class Change(BaseModel):
    """A state that a report came to, and when."""

    tilstand: str
    tidspunkt: str
    beskrivelse: str = ""


class Listed(BaseModel):
    """A report as the simulator tells it."""

    model_config = ConfigDict(populate_by_name=True)

    id: str
    message_type: str = Field(alias="messageType")
    account: str | None
    states: list[Change]


class _Address(BaseModel):
    control_url: str


class _Submitted(BaseModel):
    id: str


async def run_simulator(folder: Path | None, *, host: str, api_port: int, amqp_port: int) -> None:
    """Run until stopped by a signal; prints one line when everything is ready."""
    async with Simulator(folder=folder, host=host, api_port=api_port, amqp_port=amqp_port) as fiks:
        for account in fiks.accounts:
            fiks.write_settings(account)
        # A plain line, flushed: a program that started us waits for it.
        sys.stdout.write(f"ready: api={fiks.api_url} amqp={fiks.amqp_url} dir={fiks.folder}\n")
        sys.stdout.flush()
        await stop_requested()


async def submit(folder: Path, path: Path, *, kind: Kind, version: int, account: str) -> str:
    """Submit a report to the simulator that runs in `folder`; returns the report's id.

    Raises:
        FiksmeldingError: No simulator runs there, or it refuses the report.
    """
    data = read_document(path, sys.stdin.buffer)
    wanted = message_type(data, VERSIONS[kind, version].value)
    async with _control(folder) as session:
        query = {"messageType": wanted.value, "account": account}
        headers = {"Content-Type": "application/json"}
        async with session.post("/control/reports", params=query, data=data, headers=headers) as response:
            return _Submitted.model_validate_json(await _body(response)).id


async def list_reports(folder: Path, *, as_json: bool) -> None:
    """Show every report of the simulator that runs in `folder`, with the states it has come to.

    Raises:
        FiksmeldingError: No simulator runs there.
    """
    async with _control(folder) as session, session.get("/control/reports") as response:
        body = await _body(response)
    if as_json:
        console.print_json(body.decode())
        return
    table = Table()
    for name in ("id", "kind", "account", "states"):
        table.add_column(name, overflow="fold")
    for report in TypeAdapter(list[Listed]).validate_json(body):
        kind = " ".join(report.message_type.split(".")[-2:])
        states = " → ".join(change.tilstand for change in report.states)
        table.add_row(report.id, kind, report.account or "", states)
    console.print(table)


@asynccontextmanager
async def _control(folder: Path) -> AsyncIterator[aiohttp.ClientSession]:
    try:
        address = _Address.model_validate_json(await asyncio.to_thread((folder / CONTROL_FILE).read_bytes))
    except (OSError, ValidationError):
        raise FiksmeldingError(
            f"No simulator runs in {folder}.", advice=f"Start one: fiksmelding simulator --dir {folder}"
        ) from None
    async with aiohttp.ClientSession(address.control_url, timeout=TIMEOUT) as session:
        try:
            yield session
        except (aiohttp.ClientError, TimeoutError) as error:
            raise FiksmeldingError(
                f"The simulator in {folder} does not answer ({error.__class__.__name__}).", advice="Does it still run?"
            ) from error


async def _body(response: aiohttp.ClientResponse) -> bytes:
    body = await response.read()
    if response.status >= 400:
        try:
            told = json.loads(body).get("message", "")
        except (ValueError, AttributeError):
            told = ""
        raise FiksmeldingError(f"The simulator refuses that ({response.status}): {told or response.reason}")
    return body
