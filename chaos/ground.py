"""What a run stands on: the platform, what lies between it and the processes under test, and their database."""

import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from urllib.parse import urlsplit

from chaos.faults import Side, Target
from chaos.plan import Options
from chaos.services import RestartingPostgresql, RestartingRabbitmq
from fiksmelding.simulator import Keys, Simulator
from support.tcp_proxy import TcpProxy

__all__ = ["ACCOUNTS", "Ground", "open_ground"]

ACCOUNTS: Mapping[Side, str] = MappingProxyType({"receiver": "bergen", "sender": "skole"})
"""Whose settings those under test have."""
LEASE_SECONDS = 5
# Everything that waits is told to wait for less than it would by itself: a run shall hold many recoveries.
IMPATIENT: Mapping[Side, Mapping[str, str]] = MappingProxyType(
    {
        "receiver": {
            "BROKER_HEARTBEAT_SECONDS": "2",
            "BROKER_RECONNECT_FIRST_SECONDS": "0.1",
            "BROKER_RECONNECT_LONGEST_SECONDS": "2",
            "BROKER_TIMEOUT_SECONDS": "5",
            "RECEIVER_CONCURRENCY": "8",
            "RECEIVER_HANDLER_TIMEOUT_SECONDS": "3",
            "RECEIVER_RETRY_FIRST_SECONDS": "0.2",
            "RECEIVER_RETRY_LONGEST_SECONDS": "3",
            "RECEIVER_STOP_SECONDS": "5",
        },
        "sender": {
            "SENDER_CONCURRENCY": "8",
            "SENDER_RETRY_FIRST_SECONDS": "0.2",
            "SENDER_RETRY_LONGEST_SECONDS": "3",
            "SENDER_STATUS_FIRST_SECONDS": "0.5",
            "SENDER_STATUS_LONGEST_SECONDS": "4",
            "SENDER_STOP_SECONDS": "8",
            "SENDER_UNCERTAIN_HOURS": "0.001",
        },
    }
)
FOR_BOTH = MappingProxyType({"PLATFORM_TIMEOUT_SECONDS": "4", "JOURNAL_LEASE_SECONDS": str(LEASE_SECONDS)})


@dataclass(frozen=True, slots=True)
class Ground:
    """What a run stands on.

    Attributes:
        folder: Where everything is.
        fiks: The platform. It does not die: it plays KS.
        ways: The proxies before broker, platform and database.
        broker: The node that the platform's queues are on, or None for the embedded broker.
        database: The server that the journal is on, or None for a file.
        settings: The settings of those under test.
        environment: What overrides them.
        started_at: The platform's time when the machine's monotonic clock showed 0.
    """

    folder: Path
    fiks: Simulator
    ways: Mapping[Target, TcpProxy]
    broker: RestartingRabbitmq | None
    database: RestartingPostgresql | None
    settings: Path
    environment: Mapping[str, str]
    started_at: datetime

    @property
    def journal_file(self) -> Path:
        """The journal, where it is a file."""
        return _journal_file(self.folder)

    def monotonic(self, moment: datetime) -> int:
        """A moment of the platform's time on the machine's monotonic clock, in nanoseconds."""
        return (moment - self.started_at) // timedelta(microseconds=1) * 1000


@asynccontextmanager
async def open_ground(options: Options, folder: Path) -> AsyncIterator[Ground]:
    """Start everything that is there before those under test."""
    async with AsyncExitStack() as stack:
        broker, fiks = await _platform(options, folder, stack)
        started_at = fiks.clock.now() - timedelta(seconds=time.monotonic())
        database = await _database(options, folder, stack)
        ways = await _ways(options, fiks, database, stack)
        yield Ground(
            folder=folder,
            fiks=fiks,
            ways=ways,
            broker=broker,
            database=database,
            settings=fiks.write_settings(ACCOUNTS[options.side]),
            environment=_environment(options, fiks, ways, database, folder),
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
    options: Options, fiks: Simulator, database: RestartingPostgresql | None, stack: AsyncExitStack
) -> Mapping[Target, TcpProxy]:
    ports = {
        # Senders have no business with the broker.
        Target.WAY_TO_BROKER: urlsplit(fiks.amqp_url).port if options.side == "receiver" else None,
        Target.WAY_TO_PLATFORM: urlsplit(fiks.api_url).port,
        Target.WAY_TO_DATABASE: None if database is None else database.port,
    }
    return {
        target: await stack.enter_async_context(TcpProxy("127.0.0.1", port))
        for target, port in ports.items()
        if port is not None
    }


def _environment(
    options: Options,
    fiks: Simulator,
    ways: Mapping[Target, TcpProxy],
    database: RestartingPostgresql | None,
    folder: Path,
) -> Mapping[str, str]:
    api_url = f"http://127.0.0.1:{ways[Target.WAY_TO_PLATFORM].port}"
    journal = f"sqlite:///{_journal_file(folder)}"
    if database is not None:
        journal = database.url(ways[Target.WAY_TO_DATABASE].port)
    own = {
        **FOR_BOTH,
        **IMPATIENT[options.side],
        "PLATFORM_API_URL": api_url,
        "MASKINPORTEN_TOKEN_URL": fiks.issuer.replace(fiks.api_url, api_url) + "token",
        "JOURNAL_URL": journal,
    }
    if Target.WAY_TO_BROKER in ways:
        own |= {"BROKER_HOST": "127.0.0.1", "BROKER_PORT": str(ways[Target.WAY_TO_BROKER].port)}
    return {f"FIKSMELDING_{name}": value for name, value in own.items()}


def _journal_file(folder: Path) -> Path:
    return folder / "journal.db"
