"""How a receiver shows itself to the systems that watch it."""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime

from fiksmelding import keys
from fiksmelding.alarms.routing import AlarmRoutes
from fiksmelding.broker import ConsumerState
from fiksmelding.clock import Clock
from fiksmelding.config import Settings
from fiksmelding.config.values import host_and_port
from fiksmelding.journal import Journal
from fiksmelding.monitoring.asking import told_or_none, trouble_of
from fiksmelding.monitoring.road_metrics import RoadMetrics, RoadView
from fiksmelding.monitoring.server import served
from fiksmelding.receiver.pace import Condition
from fiksmelding.receiver.status import ReceiverStatus
from fiksmelding.receiver.steps import Step


class Monitor:
    """Metrics, and whether the receiver is ready.

    Args:
        settings: Where it is shown, and our certificates.
        routes: The ways of alarms.
        clock: Where the time is read.
    """

    def __init__(self, settings: Settings, routes: AlarmRoutes, clock: Clock) -> None:
        steps = [step.value for step in Step if step not in {Step.ACKNOWLEDGED, Step.HANDLED, Step.RECEIPT_SENT}]
        self.metrics = RoadMetrics(steps=steps, certificates=keys.certificate_ends(settings))
        self._settings = settings
        self._routes = routes
        self._clock = clock

    def serve(self, status: Callable[[], ReceiverStatus], journal: Journal) -> AbstractAsyncContextManager[None]:
        """Serve the pages for the length of the block, where `metrics.listen` says.

        Args:
            status: How we stand with everything around us.
            journal: The journal.
        """

        async def look() -> None:
            await self._show(status(), journal)

        async def unready() -> Sequence[str]:
            return await _unready(status(), journal, self._clock.now())

        return served(
            host_and_port(str(self._settings.metrics.listen), 0), self.metrics.registry, look=look, unready=unready
        )

    async def _show(self, status: ReceiverStatus, journal: Journal) -> None:
        konto_id = str(self._settings.account.id)
        waiting = await told_or_none(journal.overview.waiting(konto_id=konto_id))
        view = RoadView(
            broker=(status.broker.state, list(ConsumerState)),
            journal_up=waiting is not None and status.journal_down_since is None,
            case_system=(status.case_system.condition, list(Condition)),
            at_once=status.case_system.at_once,
            with_it=status.case_system.with_it,
            waiting=waiting,
            unread=await told_or_none(journal.readings.count_alarmed(konto_id)),
        )
        self.metrics.show(view, self._clock.now())
        self.metrics.alarms.show(self._routes.lanes)


async def _unready(status: ReceiverStatus, journal: Journal, now: datetime) -> list[str]:
    """Why it is not ready, in sentences."""
    reasons = []
    broker = status.broker
    if broker.state is not ConsumerState.CONSUMING:
        since = broker.since.isoformat(timespec="seconds")
        reasons.append(f"Not subscribed to the queue: {broker.state} since {since}. {broker.reason}".strip())
    if status.journal_down_since is not None:
        since = status.journal_down_since.isoformat(timespec="seconds")
        reasons.append(f"The journal cannot be written since {since}.")
        return reasons
    trouble = await trouble_of(journal.check_writable(0, at=now))
    return [*reasons, trouble] if trouble is not None else reasons
