"""Where reports go: a folder, a webhook, or functions of the user's own."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from fiksmelding.cli.objects import function_named
from fiksmelding.config import Settings
from fiksmelding.errors import SettingsError
from fiksmelding.receiver import Confirm, FolderHandler, Handler, WebhookHandler

CaseSystemSide = tuple[Handler, Confirm | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class HandlerChoice:
    """Where reports go, as options say it; at most one of folder, webhook and handler.

    Attributes:
        folder: Where each report becomes a folder.
        webhook: Where each report is posted.
        handler: A function, as `module:function`.
        confirm: Its read-back, as `module:function`.
    """

    folder: Path | None = None
    webhook: str | None = None
    handler: str | None = None
    confirm: str | None = None


@asynccontextmanager
async def opened_handler(settings: Settings, choice: HandlerChoice) -> AsyncIterator[CaseSystemSide | None]:
    """The handler that is chosen, and its read-back; `webhook.url` of the settings when there is none, else None.

    Raises:
        SettingsError: Two are given, or the one that is cannot be used.
    """
    if sum(one is not None for one in (choice.folder, choice.webhook, choice.handler)) > 1:
        raise SettingsError("Reports go to a folder, to a webhook or to a handler, not to two of them.")
    if choice.confirm is not None and choice.handler is None:
        raise SettingsError("--confirm belongs to a --handler; folder and webhook have a read-back of their own.")
    if choice.folder is not None:
        folders = FolderHandler(choice.folder)
        yield folders, folders.confirm
    elif choice.handler is not None:
        confirm = None if choice.confirm is None else cast("Confirm", function_named(choice.confirm, "--confirm"))
        yield cast("Handler", function_named(choice.handler, "--handler")), confirm
    elif choice.webhook is None and settings.webhook.url is None:
        yield None
    else:
        posted = settings.webhook
        if choice.webhook is not None:
            posted = posted.model_copy(update={"url": choice.webhook})
        async with WebhookHandler(posted) as handler:
            yield handler, handler.confirm if posted.confirm else None
