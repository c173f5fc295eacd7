"""`fiksmelding simulator`: run the platform on this machine; submit to it and list what became of it."""

import json
import secrets
import sys
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, Field, TypeAdapter
from rich.table import Table

from fiksmelding.cli.documents import read_document
from fiksmelding.cli.options import AMQP_ADMIN_VARIABLE, AMQP_URL_VARIABLE
from fiksmelding.cli.output import console
from fiksmelding.cli.signals import stop_requested
from fiksmelding.messages import MessageType
from fiksmelding.simulator import ControlClient, FaultScript, Keys, Simulator
from fiksmelding.simulator.files import write_private
from fiksmelding.simulator.rabbitmq import ADMINISTRATOR, NodeConfiguration, write_configuration
from fiksmelding.simulator.synthetic import SyntheticReports

Kind = Literal["privat", "offentlig"]


class Change(BaseModel):
    """A state that a report came to, and when."""

    tilstand: str
    tidspunkt: str
    beskrivelse: str = ""


class Listed(BaseModel):
    """A report as the simulator tells it."""

    id: str
    message_type: str = Field(alias="messageType")
    account: str | None
    states: list[Change]


async def run_simulator(
    folder: Path | None,
    *,
    host: str,
    api_port: int,
    amqp_port: int,
    amqp_url: str | None,
    amqp_admin: str | None,
    faults: Path | None,
    seed: int,
    fresh: bool,
) -> None:
    """Run until stopped by a signal; prints one line when everything is ready.

    Raises:
        FiksmeldingError: The RabbitMQ it is to run on cannot be used.
        SettingsError: The file is no script of faults.
    """
    script = FaultScript() if faults is None else FaultScript.load(faults)
    simulator = Simulator(
        folder=folder,
        host=host,
        api_port=api_port,
        amqp_port=amqp_port,
        amqp_url=amqp_url,
        amqp_admin=amqp_admin,
        seed=seed,
        fresh=fresh,
    )
    async with simulator as fiks:
        fiks.faults.add(*script.faults)
        for account in fiks.accounts:
            fiks.write_settings(account)
        # A plain line, flushed: a program that started us waits for it.
        sys.stdout.write(
            f"ready: api={fiks.api_url} amqp={fiks.amqp_url} issuer={fiks.issuer} "
            f"control={fiks.control_url} dir={fiks.folder}\n"
        )
        sys.stdout.flush()
        await stop_requested()


def configure_rabbitmq(folder: Path, node: NodeConfiguration) -> Path:
    """Write a configuration for a RabbitMQ into `<folder>/rabbitmq`.

    Returns:
        A file for a shell to read, with which the simulator then runs on that RabbitMQ.

    Raises:
        SettingsError: A key file in the folder is damaged.
    """
    password = write_configuration(folder / "rabbitmq", node, Keys(folder=folder / "keys")).get_secret_value()
    login = f"{ADMINISTRATOR}:{password}@localhost"
    environment = folder / "rabbitmq" / "simulator.env"
    lines = (
        f"export {AMQP_URL_VARIABLE}=amqps://{login}:{node.port}",
        f"export {AMQP_ADMIN_VARIABLE}=http://{login}:{node.admin_port}",
    )
    write_private(environment, "".join(f"{line}\n" for line in lines).encode())
    return environment


async def submit(
    folder: Path, path: Path | None, *, kind: Kind, version: int, account: str, bydelsnummer: str | None = None
) -> str:
    """Submit a report, an invented one when `path` is None, to the simulator that runs in `folder`; returns its id.

    Raises:
        FiksmeldingError: No simulator runs there, or it refuses the report.
    """
    wanted = MessageType[f"{kind.upper()}_V{version}"]
    if path is None:
        data = SyntheticReports(secrets.randbits(32)).report(wanted).to_json()
    else:
        data = read_document(path, sys.stdin.buffer)
    async with ControlClient(folder) as control:
        return await control.submit(data, message_type=wanted, account=account, bydelsnummer=bydelsnummer)


async def list_reports(folder: Path, *, as_json: bool) -> None:
    """Show every report of the simulator that runs in `folder`, with the states it has come to.

    Raises:
        FiksmeldingError: No simulator runs there.
    """
    async with ControlClient(folder) as control:
        reports = await control.reports()
    if as_json:
        console.print_json(json.dumps(reports))
        return
    table = Table()
    for name in ("id", "kind", "account", "states"):
        table.add_column(name, overflow="fold")
    for report in TypeAdapter(list[Listed]).validate_python(reports):
        kind = " ".join(report.message_type.split(".")[-2:])
        states = " → ".join(change.tilstand for change in report.states)
        table.add_row(report.id, kind, report.account or "", states)
    console.print(table)
