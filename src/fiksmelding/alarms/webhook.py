"""Alarms to a webhook, as JSON."""

import json
from collections.abc import Sequence
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Final, Self
from uuid import NAMESPACE_URL, uuid5

from fiksmelding.alarms.kinds import Alarm, level_name
from fiksmelding.alarms.lane import NotTaken, Refused
from fiksmelding.alarms.words import WORDS
from fiksmelding.clock import Clock
from fiksmelding.config import AlarmsSettings
from fiksmelding.webhooks import Webhook, WebhookFailed

PASSING: Final = frozenset({408, 425, 429})
"""Answers below 500 that may be another the next time."""


class WebhookRoute:
    """Posts each alarm to a URL, signed when there is a secret.

    Args:
        url: Where to.
        settings: The secret, TLS, time limit and the installation's name.
        clock: Where the time in the signature is read.

    Raises:
        SettingsError: The URL is not HTTPS (other than to this machine), or the secret cannot be used.
    """

    name = "webhook"
    at_once = 1
    pause_seconds = 0.0

    def __init__(self, url: str, settings: AlarmsSettings, clock: Clock) -> None:
        self._settings = settings
        self._webhook = Webhook(
            url,
            name="alarms.webhook",
            secret=settings.webhook_key(),
            ca_file=settings.webhook_ca_file,
            timeout_seconds=settings.timeout_seconds,
            clock=clock,
        )
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        """Make ready to connect.

        Raises:
            SettingsError: `alarms.webhook_ca_file` cannot be used.
        """
        await self._stack.enter_async_context(self._webhook)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    async def send(self, alarms: Sequence[Alarm], *, lost: int = 0) -> None:
        """Post an alarm. Arguments and errors as for any route."""
        [alarm] = alarms
        told = self._told(alarm, lost)
        body = json.dumps(told, ensure_ascii=False).encode()
        try:
            answer = await self._webhook.call(
                "POST", key=str(told["id"]), body=[body], headers={"Content-Type": "application/json"}
            )
        except WebhookFailed as error:
            raise NotTaken(error.text.rstrip(".")) from error
        if 200 <= answer.status < 300:
            return
        kind = NotTaken if answer.status >= 500 or answer.status in PASSING else Refused
        raise kind(f"the webhook answered {answer.status}")

    def _told(self, alarm: Alarm, lost: int) -> dict[str, object]:
        words, at = WORDS[alarm.kind], alarm.at.isoformat()
        # The same alarm has the same id however often it is posted.
        name = f"fiksmelding:{self._settings.name}/{alarm.kind}/{alarm.entry_id}/{at}/{alarm.over}/{alarm.text}"
        return {
            "id": str(uuid5(NAMESPACE_URL, name)),
            "name": self._settings.name,
            "kind": alarm.kind.value,
            "level": level_name(alarm.level),
            "over": alarm.over,
            "at": at,
            "entryId": alarm.entry_id,
            "title": words.title,
            "meaning": words.meaning,
            "action": words.action,
            "text": alarm.text,
            "lostBefore": lost,
        }
