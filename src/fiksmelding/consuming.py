"""The queue of our account, with the log-in that the platform asks for."""

from collections.abc import Awaitable, Callable
from functools import partial

from fiksmelding.broker import Consumer, Credentials, Delivery
from fiksmelding.clock import Clock
from fiksmelding.config import Settings
from fiksmelding.fiks import FiksSession, explain_refusal


def account_consumer(
    settings: Settings,
    session: FiksSession,
    *,
    on_delivery: Callable[[Delivery], Awaitable[None]],
    clock: Clock,
    stop_seconds: float,
) -> Consumer:
    """A consumer of our account's queue, not yet open.

    Args:
        settings: Account, integration and broker.
        session: Where access tokens come from.
        on_delivery: Keeps and acknowledges a delivery.
        clock: Where times and waits come from.
        stop_seconds: How long closing waits for hand-overs that run.
    """

    async def credentials() -> Credentials:
        # Never one from the cache: a token that the broker has just refused would be offered again and again.
        token = await session.access_token(max_age=0.0)
        integration = settings.integration
        return Credentials.of_integration(integration.id, integration.secret(), token)

    return Consumer(
        settings.broker,
        queue=f"fiksio.konto.{settings.account.id}",
        credentials=credentials,
        on_delivery=on_delivery,
        explain=partial(explain_refusal, session),
        clock=clock,
        stop_seconds=stop_seconds,
        # Their bodies may be a long time coming.
        apart=lambda delivery: delivery.metadata.dokumentlager_id is not None,
    )
