"""Asking a URL which reports somebody has opened."""

import hashlib
import json
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager

from fiksmelding.clock import Clock
from fiksmelding.config import UnreadSettings
from fiksmelding.errors import SettingsError
from fiksmelding.receiver.unread_watch import Read
from fiksmelding.webhooks import Webhook, WebhookFailed


@asynccontextmanager
async def unread_webhook(settings: UnreadSettings, *, clock: Clock | None = None) -> AsyncIterator[Read]:
    """Whom to ask, for the length of the block: it posts references, and is told which of them were opened.

    What is asked raises `WebhookFailed` when the answer does not say so.

    Args:
        settings: Where to, the secret, TLS and time limit.
        clock: Where the time in the signature is read.

    Raises:
        SettingsError: There is no URL, it is not HTTPS (other than to this machine), or a file cannot be used.
    """
    if settings.url is None:
        raise SettingsError("There is no webhook to ask: set unread.url.")
    webhook = Webhook(
        settings.url,
        name="unread",
        secret=settings.key(),
        ca_file=settings.ca_file,
        timeout_seconds=settings.timeout_seconds,
        clock=clock,
    )

    async def ask(references: Sequence[str]) -> Collection[str]:
        body = json.dumps({"references": list(references)}, ensure_ascii=False).encode()
        key = hashlib.sha256(body).hexdigest()
        answer = await webhook.call("POST", key=key, body=[body], headers={"Content-Type": "application/json"})
        if not 200 <= answer.status < 300:
            raise WebhookFailed(f"The webhook answered {answer.status}.")
        return _opened(answer.body)

    async with webhook:
        yield ask


def _opened(answer: bytes) -> frozenset[str]:
    try:
        told = json.loads(answer)
    except (ValueError, RecursionError):
        told = None
    opened = told.get("read") if isinstance(told, dict) else None
    if not isinstance(opened, list) or not all(isinstance(one, str) for one in opened):
        raise WebhookFailed('The webhook did not answer as JSON: {"read": [references]}.')
    return frozenset(opened)
