"""How `fiksmelding outbox run` shows itself to the systems that watch it."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime

from fiksmelding.config.values import host_and_port
from fiksmelding.journal.outbox import Outbox
from fiksmelding.monitoring.asking import told_or_none, trouble_of
from fiksmelding.monitoring.outbox_metrics import OutboxMetrics
from fiksmelding.monitoring.server import served


def outbox_shown(address: str, metrics: OutboxMetrics, outbox: Outbox) -> AbstractAsyncContextManager[None]:
    """Serve the pages for the length of the block.

    Args:
        address: Host and port.
        metrics: What is counted.
        outbox: The outbox that is watched.
    """

    async def look() -> None:
        metrics.show(await told_or_none(outbox.waiting()), datetime.now(UTC))

    async def unready() -> Sequence[str]:
        trouble = await trouble_of(outbox.check_writable(at=datetime.now(UTC)))
        return [] if trouble is None else [trouble]

    return served(host_and_port(address, 0), metrics.registry, look=look, unready=unready)
