"""What a dead-lettered message tells of its death."""

from collections.abc import Mapping

from aiormq.abc import DeliveredMessage

from fiksmelding.simulator.queues import DeathReason, QueuedMessage

__all__ = ["cause_of_death", "message_of"]

ADDED_BY_RABBITMQ = ("x-death", "x-delivery-count", "x-first-death-", "x-last-death-")


def message_of(delivery: DeliveredMessage) -> QueuedMessage:
    """The message as it was published."""
    headers = delivery.header.properties.headers or {}
    own = {
        name: value
        for name, value in headers.items()
        if isinstance(value, str) and not name.startswith(ADDED_BY_RABBITMQ)
    }
    return QueuedMessage(own, delivery.body)


def cause_of_death(delivery: DeliveredMessage) -> tuple[DeathReason, str] | None:
    """Why it died and on which queue.

    None when it was refused without requeue: the platform then tells nobody (contract section 6).
    """
    deaths = (delivery.header.properties.headers or {}).get("x-death")
    newest = deaths[0] if isinstance(deaths, list) and deaths else None
    if not isinstance(newest, Mapping):
        return None
    reason, queue = newest.get("reason"), newest.get("queue")
    if reason not in tuple(DeathReason) or not isinstance(queue, str):
        return None
    return DeathReason(str(reason)), queue
