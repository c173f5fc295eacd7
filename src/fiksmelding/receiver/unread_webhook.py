"""Asking a URL which reports somebody has opened."""

import hashlib
import json
from collections.abc import Collection, Sequence
from types import TracebackType
from typing import Self

from fiksmelding.clock import Clock
from fiksmelding.config import UnreadSettings
from fiksmelding.errors import SettingsError
from fiksmelding.webhooks import Webhook, WebhookFailed


class UnreadWebhook:
    """Posts references, and is told which of them were opened. See docs/webhook.md.

    Args:
        settings: Where to, the secret, TLS and time limit.
        clock: Where the time in the signature is read.

    Raises:
        SettingsError: There is no URL, it is not HTTPS (other than to this machine), or the secret cannot be used.
    """

    def __init__(self, settings: UnreadSettings, *, clock: Clock | None = None) -> None:
        if settings.url is None:
            raise SettingsError("There is no webhook to ask: set unread.url.")
        self._webhook = Webhook(
            settings.url,
            name="unread",
            secret=settings.key(),
            ca_file=settings.ca_file,
            timeout_seconds=settings.timeout_seconds,
            clock=clock,
        )

    async def __aenter__(self) -> Self:
        """Make ready to connect.

        Raises:
            SettingsError: `unread.ca_file` cannot be used.
        """
        await self._webhook.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._webhook.__aexit__(kind, error, trace)

    async def __call__(self, references: Sequence[str]) -> Collection[str]:
        """Ask about some references.

        Raises:
            WebhookFailed: It gave no answer that says which were opened.
        """
        body = json.dumps({"references": list(references)}, ensure_ascii=False).encode()
        answer = await self._webhook.call(
            "POST",
            key=hashlib.sha256(body).hexdigest(),
            body=[body],
            headers={"Content-Type": "application/json"},
        )
        if not 200 <= answer.status < 300:
            raise WebhookFailed(f"The webhook answered {answer.status}.")
        return _opened(answer.body)


def _opened(answer: bytes) -> frozenset[str]:
    try:
        told = json.loads(answer)
    except (ValueError, RecursionError):
        told = None
    opened = told.get("read") if isinstance(told, dict) else None
    if not isinstance(opened, list) or not all(isinstance(one, str) for one in opened):
        raise WebhookFailed('The webhook did not answer as JSON: {"read": [references]}.')
    return frozenset(opened)
