"""Asking the journal on behalf of who watches: whoever asks us waits for the answer, so there is a limit."""

import asyncio
from collections.abc import Awaitable
from typing import Final, TypeVar

from fiksmelding.errors import JournalError

ANSWER_SECONDS: Final = 5.0
"""How long the journal is asked before it counts as down, in seconds."""

Result = TypeVar("Result")


async def told_or_none(asking: Awaitable[Result]) -> Result | None:
    """What the journal tells; None when it does not."""
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            return await asking
    except (JournalError, TimeoutError):
        return None


async def trouble_of(checking: Awaitable[None]) -> str | None:
    """What is wrong with the journal, in a sentence; None when nothing is."""
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            await checking
    except JournalError as error:
        return str(error)
    except TimeoutError:
        return f"The journal did not answer within {ANSWER_SECONDS:g} s."
    return None
