"""`fiksmelding simulator …`: names, options and help."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from fiksmelding.cli.options import AMQP_ADMIN_VARIABLE, AMQP_URL_VARIABLE, JsonOption
from fiksmelding.cli.output import console, errors_told, run

simulator_app = typer.Typer(help="The Fiks platform on this machine.", invoke_without_command=True)
DirOption = Annotated[Path, typer.Option("--dir", help="The folder that the simulator runs in.")]


@simulator_app.callback()
def _simulator(
    context: typer.Context,
    *,
    folder: Annotated[
        Path | None, typer.Option("--dir", help="Where keys, settings and letters go; a temporary folder if absent.")
    ] = None,
    host: Annotated[
        str, typer.Option("--host", help="The address to listen on; by default this machine alone can reach it.")
    ] = "127.0.0.1",
    api_port: Annotated[int, typer.Option("--api-port", min=0, max=65535, help="0 takes a free one.")] = 0,
    amqp_port: Annotated[int, typer.Option("--amqp-port", min=0, max=65535, help="0 takes a free one.")] = 0,
    amqp_url: Annotated[
        str | None,
        typer.Option(
            "--amqp-url",
            envvar=AMQP_URL_VARIABLE,
            help="A RabbitMQ in place of the embedded broker: amqps://user:password@host:port.",
        ),
    ] = None,
    amqp_admin: Annotated[
        str | None,
        typer.Option(
            "--amqp-admin",
            envvar=AMQP_ADMIN_VARIABLE,
            help="Its management API: http://user:password@host:port.",
        ),
    ] = None,
    faults: Annotated[
        Path | None, typer.Option("--faults", help="A script of what is to go wrong, a TOML file.")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="What the chances of faults are drawn with.")] = 0,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Forget what an earlier run has left in the folder, but for its keys.")
    ] = False,
) -> None:
    """Run the platform until stopped. Prints one line, beginning with `ready:`, with its addresses."""
    if context.invoked_subcommand is None:
        from fiksmelding.cli.simulator import run_simulator

        run(
            run_simulator(
                folder,
                host=host,
                api_port=api_port,
                amqp_port=amqp_port,
                amqp_url=amqp_url,
                amqp_admin=amqp_admin,
                faults=faults,
                seed=seed,
                fresh=fresh,
            )
        )


@simulator_app.command("rabbitmq")
def _rabbitmq(
    *,
    folder: DirOption,
    api_port: Annotated[int, typer.Option("--api-port", min=1, max=65535, help="The one the simulator will have.")],
    api_host: Annotated[str, typer.Option("--api-host", help="What RabbitMQ calls this machine.")] = "localhost",
    port: Annotated[int, typer.Option("--port", min=1, max=65535, help="RabbitMQ's port for clients.")] = 5671,
    admin_port: Annotated[int, typer.Option("--admin-port", min=1, max=65535, help="Its management API's.")] = 15672,
    seen_at: Annotated[
        str, typer.Option("--seen-at", help="The folder `rabbitmq` as RabbitMQ sees it.")
    ] = "/etc/rabbitmq",
) -> None:
    """Write a RabbitMQ's configuration into the folder `rabbitmq`."""
    from fiksmelding.cli.simulator import configure_rabbitmq
    from fiksmelding.simulator.rabbitmq import NodeConfiguration

    api_url = f"http://{api_host}:{api_port}"
    node = NodeConfiguration(api_url, port=port, admin_port=admin_port, names=(api_host,), seen_at=seen_at)
    with errors_told():
        environment = configure_rabbitmq(folder, node)
    console.print(f"{environment.parent} is ready; before running the simulator: . {environment}", soft_wrap=True)


@simulator_app.command("submit")
def _submit(
    file: Annotated[
        Path | None, typer.Argument(help="The report's JSON; - for standard input; an invented report if absent.")
    ] = None,
    *,
    folder: DirOption,
    kind: Annotated[Literal["privat", "offentlig"], typer.Option("--kind", help="Who reports.")] = "privat",
    version: Annotated[int, typer.Option("--version", min=1, max=2, help="Of the protocol.")] = 2,
    account: Annotated[str, typer.Option("--account", help="Who it is for.")] = "bergen",
    district: Annotated[
        str | None, typer.Option("--district", help="For which district (bydelsnummer); the standard one if absent.")
    ] = None,
) -> None:
    """Submit a report, as a school or a citizen would; prints its id."""
    from fiksmelding.cli.simulator import submit

    report_id = run(submit(folder, file, kind=kind, version=version, account=account, bydelsnummer=district))
    console.print(report_id, highlight=False, soft_wrap=True)


@simulator_app.command("list")
def _list(*, folder: DirOption, as_json: JsonOption = False) -> None:
    """List every report with the states it has come to."""
    from fiksmelding.cli.simulator import list_reports

    run(list_reports(folder, as_json=as_json))
