"""All that takes part in a run: the platform, what lies between, the receivers, and their case system."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from chaos.case_system import write_misbehaviours
from chaos.fleet import Fleet, Orders
from chaos.narrator import Narrator
from chaos.plan import Options, Plan, Target
from chaos.services import RestartingPostgresql, RestartingRabbitmq
from chaos.supply import ACCOUNT, Supply
from fiksmelding.simulator import Keys, Simulator
from support.tcp_proxy import TcpProxy

__all__ = ["World", "open_world"]

LEASE_SECONDS = 5
# Everything that waits is told to wait for less than it would by itself: a run shall hold many recoveries.
IMPATIENT = {
    "BROKER_HEARTBEAT_SECONDS": "2",
    "BROKER_RECONNECT_FIRST_SECONDS": "0.1",
    "BROKER_RECONNECT_LONGEST_SECONDS": "2",
    "BROKER_TIMEOUT_SECONDS": "5",
    "PLATFORM_TIMEOUT_SECONDS": "4",
    "RECEIVER_CONCURRENCY": "8",
    "RECEIVER_HANDLER_TIMEOUT_SECONDS": "3",
    "RECEIVER_RETRY_FIRST_SECONDS": "0.2",
    "RECEIVER_RETRY_LONGEST_SECONDS": "3",
    "RECEIVER_STOP_SECONDS": "5",
    "JOURNAL_LEASE_SECONDS": str(LEASE_SECONDS),
}


@dataclass(frozen=True, slots=True)
class World:
    """What a run works with.

    Attributes:
        folder: Where everything is.
        fiks: The platform. It does not die: it plays KS.
        supply: The reports.
        ways: The proxies before broker, platform and database.
        broker: The node that the platform's queues are on, or None for the embedded broker.
        database: The server that the journal is on, or None for a file.
        fleet: The receivers.
        cases: The case system's file.
        settings: The receivers' settings.
        environment: What overrides them.
        started_at: The platform's time when the machine's monotonic clock showed 0.
    """

    folder: Path
    fiks: Simulator
    supply: Supply
    ways: Mapping[Target, TcpProxy]
    broker: RestartingRabbitmq | None
    database: RestartingPostgresql | None
    fleet: Fleet
    cases: Path
    settings: Path
    environment: Mapping[str, str]
    started_at: datetime

    def monotonic(self, moment: datetime) -> int:
        """A moment of the platform's time on the machine's monotonic clock, in nanoseconds."""
        return (moment - self.started_at) // timedelta(microseconds=1) * 1000


@asynccontextmanager
async def open_world(plan: Plan, folder: Path, narrator: Narrator) -> AsyncIterator[World]:
    """Start everything for a run; the receivers begin at once."""
    options = plan.options
    cases, misbehaviours = folder / "case-system.db", folder / "misbehaviours.json"
    write_misbehaviours(misbehaviours, plan.misbehaviours())
    async with AsyncExitStack() as stack:
        broker, fiks = await _platform(options, folder, stack)
        started_at = fiks.clock.now() - timedelta(seconds=time.monotonic())
        database = await _database(options, folder, stack)
        ways = await _ways(fiks, database, stack)
        supply = await asyncio.to_thread(Supply, fiks, plan)
        settings, environment = fiks.write_settings(ACCOUNT), _environment(fiks, ways, database, folder)
        orders = Orders(settings, environment, cases, misbehaviours, folder, options.broken)
        fleet = await stack.enter_async_context(Fleet(options.receivers, orders, narrator.tell))
        yield World(
            folder=folder,
            fiks=fiks,
            supply=supply,
            ways=ways,
            broker=broker,
            database=database,
            fleet=fleet,
            cases=cases,
            settings=settings,
            environment=environment,
            started_at=started_at,
        )


async def _platform(
    options: Options, folder: Path, stack: AsyncExitStack
) -> tuple[RestartingRabbitmq | None, Simulator]:
    keys = Keys(folder=folder / "fiks" / "keys")
    if options.broker == "embedded":
        fiks = Simulator(folder=folder / "fiks", seed=options.seed, keys=keys)
        return None, await stack.enter_async_context(fiks)
    broker = await stack.enter_async_context(RestartingRabbitmq(keys, folder / "rabbitmq"))
    fiks = Simulator(folder=folder / "fiks", seed=options.seed, keys=keys, **broker.simulator)
    return broker, await stack.enter_async_context(fiks)


async def _database(options: Options, folder: Path, stack: AsyncExitStack) -> RestartingPostgresql | None:
    if options.journal == "sqlite":
        return None
    return await stack.enter_async_context(RestartingPostgresql(folder / "postgresql"))


async def _ways(
    fiks: Simulator, database: RestartingPostgresql | None, stack: AsyncExitStack
) -> Mapping[Target, TcpProxy]:
    ports = {
        Target.WAY_TO_BROKER: urlsplit(fiks.amqp_url).port,
        Target.WAY_TO_PLATFORM: urlsplit(fiks.api_url).port,
        Target.WAY_TO_DATABASE: None if database is None else database.port,
    }
    return {
        target: await stack.enter_async_context(TcpProxy("127.0.0.1", port))
        for target, port in ports.items()
        if port is not None
    }


def _environment(
    fiks: Simulator, ways: Mapping[Target, TcpProxy], database: RestartingPostgresql | None, folder: Path
) -> Mapping[str, str]:
    api_url = f"http://127.0.0.1:{ways[Target.WAY_TO_PLATFORM].port}"
    journal = f"sqlite:///{folder / 'journal.db'}"
    if database is not None:
        journal = database.url(ways[Target.WAY_TO_DATABASE].port)
    own = {
        **IMPATIENT,
        "BROKER_HOST": "127.0.0.1",
        "BROKER_PORT": str(ways[Target.WAY_TO_BROKER].port),
        "PLATFORM_API_URL": api_url,
        "MASKINPORTEN_TOKEN_URL": fiks.issuer.replace(fiks.api_url, api_url) + "token",
        "JOURNAL_URL": journal,
    }
    return {f"FIKSMELDING_{name}": value for name, value in own.items()}
