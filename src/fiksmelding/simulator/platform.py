"""The platform's rules put together: everything but sockets and files for its users."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from fiksmelding.simulator.amqp import AccessDenied, Login
from fiksmelding.simulator.assertions import AssertionRules
from fiksmelding.simulator.authentication import Authentication
from fiksmelding.simulator.background import Agenda
from fiksmelding.simulator.catalog import Catalog
from fiksmelding.simulator.clock import SimulatorClock
from fiksmelding.simulator.documents import Documents
from fiksmelding.simulator.exchange import Exchange
from fiksmelding.simulator.faults import Faults
from fiksmelding.simulator.keys import Keys
from fiksmelding.simulator.national.letters import PrintProvider
from fiksmelding.simulator.national.portal import Portal
from fiksmelding.simulator.national.reasons import ReasonReader
from fiksmelding.simulator.national.service import NationalService
from fiksmelding.simulator.queues import DeathReason, OnDead, QueuedMessage, Queues, QueueState
from fiksmelding.simulator.rabbitmq import RabbitBroker
from fiksmelding.simulator.refusals import Refusal
from fiksmelding.simulator.reporting import Reporting
from fiksmelding.simulator.resealing import Resealing
from fiksmelding.simulator.state import NOWHERE, State
from fiksmelding.simulator.tokens import Tokens
from fiksmelding.simulator.world import World

__all__ = ["AccountState", "Platform"]


@dataclass(frozen=True, slots=True)
class AccountState:
    """What goes on at an account.

    Attributes:
        name: Its name.
        title: Its owner's name.
        account_id: Its id.
        queue: What goes on at its queue.
    """

    name: str
    title: str
    account_id: str
    queue: QueueState


class Platform:
    """The parts of the platform, each knowing those it needs.

    Args:
        world: Who is on it.
        keys: What signs tokens, and whom everyone trusts.
        clock: The simulator's time.
        folder: An existing folder for large bodies and letters.
        api_url: The platform's own URL.
        issuer: The token issuer's URL.
        make_broker: Makes the broker that this platform runs on, given who is to be told of dead messages; the
            queues of the embedded one when None.
        state: Where everything is kept for the next run.
        seed: What the chances of faults are drawn with.
    """

    def __init__(
        self,
        *,
        world: World,
        keys: Keys,
        clock: SimulatorClock,
        folder: Path,
        api_url: str,
        issuer: str,
        make_broker: Callable[[OnDead], RabbitBroker] | None = None,
        state: State = NOWHERE,
        seed: int = 0,
    ) -> None:
        documents_folder = folder / "dokumentlager"
        documents_folder.mkdir(exist_ok=True, mode=0o700)
        register = world.register
        self.world = world
        self.broker = make_broker(self._on_dead) if make_broker else Queues(clock, self._on_dead, state)
        for account in register.accounts.values():
            self.broker.declare(account.queue)
        authority = keys.authority
        self.assertions = AssertionRules(
            register,
            roots=[authority.root.certificate],
            issuing=[authority.issuing.certificate],
            issuer=issuer,
            clock=clock,
            state=state,
        )
        self.tokens = Tokens(issuer=issuer, key=keys.token_key(), audience=api_url, clock=clock)
        self.authentication = Authentication(register, self.tokens)
        self.resealing = Resealing(keys, world.credential_of)
        self.catalog = Catalog(register, self.broker, clock, self.resealing)
        self.documents = Documents(documents_folder, clock, state)
        self.agenda = Agenda(clock)
        self.faults = Faults(clock, self.agenda, self.documents, self.resealing, seed=seed)
        self.exchange = Exchange(register, self.broker, self.documents, clock, self.faults, state=state)
        self.printer = PrintProvider(world.print_credential, folder / "brevpost", clock, state)
        self.portal = Portal(world.national.credential, world.print_credential.certificate)
        self.national = NationalService(
            account=world.national.account,
            exchange=self.exchange,
            documents=self.documents,
            reasons=ReasonReader(world.national.credential, self.documents),
            printer=self.printer,
            agenda=self.agenda,
            clock=clock,
            world=world,
            state=state,
        )
        self.reporting = Reporting(world, self.national, clock, self.resealing)
        self.broker.subscribe(world.national.account.queue, self.national)

    def resume(self) -> None:
        """Go on where an earlier run ended."""
        self.national.resume()
        if isinstance(self.broker, Queues):
            self.broker.restore()

    async def account_states(self) -> tuple[AccountState, ...]:
        """What goes on at each account of those who use the platform from outside.

        Raises:
            BrokerUnavailable: The broker does not answer.
        """
        parties = self.world.parties.items()
        found = await asyncio.gather(*(self.broker.state(party.account.queue) for _, party in parties))
        return tuple(
            AccountState(name, party.account.name, str(party.account.id), queue)
            for (name, party), queue in zip(parties, found, strict=True)
        )

    async def log_in(self, user: str, password: str) -> Login:
        """Check an AMQP client.

        Raises:
            AccessDenied: It is refused.
        """
        try:
            return self.authentication.login(user, password)
        except Refusal as refusal:
            raise AccessDenied(refusal.message) from None

    def _on_dead(self, message: QueuedMessage, reason: DeathReason, queue: str) -> None:
        self.exchange.on_dead(message, reason, queue)
