"""Starting the simulator: every part of it in its order, each with its end."""

import asyncio
import tempfile
from collections.abc import Iterable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from aiohttp import web

from fiksmelding.simulator.background import Background
from fiksmelding.simulator.brokers import AnyBroker, rabbit_maker, running_broker, silence
from fiksmelding.simulator.clock import SimulatorClock
from fiksmelding.simulator.faults import Trouble
from fiksmelding.simulator.http.faults import suffer_faults
from fiksmelding.simulator.http.oauth import ISSUER_PATH
from fiksmelding.simulator.http.rabbitmq import QuestionRoutes
from fiksmelding.simulator.http.routes import platform_routes
from fiksmelding.simulator.http.server import HttpServer, reserve_port
from fiksmelding.simulator.keys import Keys
from fiksmelding.simulator.platform import Platform
from fiksmelding.simulator.rabbitmq import Questions, RabbitAddress
from fiksmelding.simulator.restart import STATE_FILE, Ports, clock_of, forget_everything
from fiksmelding.simulator.state import State
from fiksmelding.simulator.world import World

__all__ = ["LOOPBACK", "Running", "Wishes", "start"]

LOOPBACK = "127.0.0.1"
ANY_ADDRESS = frozenset({"0.0.0.0", "::"})  # noqa: S104 - compared with, not listened on


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """How the simulator is to run; see `Simulator` for what each means."""

    folder: Path | None
    host: str
    api_port: int
    amqp_port: int
    rabbitmq: RabbitAddress | None
    keys: Keys
    seed: int
    fresh: bool

    @property
    def reached_at(self) -> str:
        """The host in URLs to us."""
        return _in_url(LOOPBACK if self.host in ANY_ADDRESS else self.host)

    @property
    def amqp_host(self) -> str:
        """The host in the broker's URL."""
        return _in_url(self.rabbitmq.host) if self.rabbitmq else self.reached_at

    @property
    def keeps_state(self) -> bool:
        """Whether the next run finds what this one leaves."""
        # What is on a RabbitMQ's queues does not outlive a run, and reports without their messages are of no use.
        return self.folder is not None and self.rabbitmq is None


@dataclass(frozen=True, slots=True)
class Running:
    """A simulator's parts while it runs."""

    folder: Path
    clock: SimulatorClock
    platform: Platform
    amqp: AnyBroker
    background: Background
    api_port: int
    control_port: int


async def start(stack: AsyncExitStack, wishes: Wishes, *, beside: Iterable[web.RouteDef]) -> Running:
    """Start everything; it ends with `stack`.

    Args:
        stack: What ends it.
        wishes: How it is to run.
        beside: What is served on the control port.
    """
    folder = _folder(stack, wishes.folder)
    if wishes.fresh:
        forget_everything(folder)
    state = stack.enter_context(State(folder / STATE_FILE if wishes.keeps_state else None))
    ports = Ports.of(state)
    clock = clock_of(state) if wishes.keeps_state else SimulatorClock()
    api_socket = stack.enter_context(reserve_port(wishes.host, wishes.api_port or ports.api))
    control_socket = stack.enter_context(reserve_port(LOOPBACK, ports.control))
    api_port: int = api_socket.getsockname()[1]
    control_port: int = control_socket.getsockname()[1]
    api_url = f"http://{wishes.reached_at}:{api_port}"
    platform = await _platform(wishes, folder, state, clock, api_url)
    background = await stack.enter_async_context(Background())
    background.start(platform.national.run(), name="national service")
    background.start(platform.agenda.run(), name="agenda")
    questions = Questions(platform.authentication)
    routes = platform_routes(platform, api_url=api_url, issuer=f"{api_url}{ISSUER_PATH}")
    if wishes.rabbitmq:
        routes.extend(QuestionRoutes(questions).routes())
    suffering = suffer_faults(platform.faults, clock)
    await stack.enter_async_context(HttpServer(api_socket, routes, middlewares=[suffering]))
    names = ("localhost", LOOPBACK, wishes.reached_at.strip("[]"))
    broker = running_broker(
        platform, wishes.keys, questions, host=wishes.host, port=wishes.amqp_port or ports.amqp, names=names
    )
    amqp = await stack.enter_async_context(broker)
    platform.faults.trouble_connections = partial(_trouble, amqp, background)
    await stack.enter_async_context(HttpServer(control_socket, beside))
    Ports(api=api_port, amqp=amqp.port, control=control_port).keep(state)
    return Running(folder, clock, platform, amqp, background, api_port, control_port)


def _folder(stack: AsyncExitStack, wanted: Path | None) -> Path:
    folder = wanted or Path(
        stack.enter_context(tempfile.TemporaryDirectory(prefix="fiksmelding-", ignore_cleanup_errors=True))
    )
    folder = folder.absolute()
    folder.mkdir(parents=True, exist_ok=True)
    return folder


async def _platform(wishes: Wishes, folder: Path, state: State, clock: SimulatorClock, api_url: str) -> Platform:
    world = await asyncio.to_thread(World.new, wishes.keys)
    platform = Platform(
        world=world,
        keys=wishes.keys,
        clock=clock,
        folder=folder,
        api_url=api_url,
        issuer=f"{api_url}{ISSUER_PATH}",
        make_broker=rabbit_maker(wishes.rabbitmq, wishes.keys, world.register),
        state=state,
        seed=wishes.seed,
    )
    platform.resume()
    return platform


def _trouble(broker: AnyBroker, background: Background, kind: Trouble) -> None:
    if kind == "half_open":
        silence(broker)
    else:
        background.start(broker.sever(), name="cut connections")


def _in_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host
