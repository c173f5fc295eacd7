"""Calls of the case system's side, within their time."""

import asyncio

from fiksmelding.receiver.report import Confirm, Handler, Registered, Report


async def call_handler(handler: Handler, report: Report, timeout: float) -> Registered:  # noqa: ASYNC109 - the caller's policy
    """What the handler says.

    Raises:
        TypeError: It did not return `Registered`.
        Exception: Whatever the handler raises; `TimeoutError` when it takes too long.
    """
    async with asyncio.timeout(timeout):
        answer = await handler(report)
    if not isinstance(answer, Registered):
        # A handler that forgets to return would otherwise pass for one that has stored the report.
        raise TypeError("the handler did not return Registered")
    return answer


async def call_confirm(confirm: Confirm | None, reference: str, report: Report, timeout: float) -> bool:  # noqa: ASYNC109
    """Whether the case system says that it has the report; True where it cannot be asked.

    Raises:
        Exception: Whatever the read-back raises; `TimeoutError` when it takes too long.
    """
    if confirm is None:
        return True
    async with asyncio.timeout(timeout):
        return await confirm(reference, report) is True
