"""Whether this machine's clock agrees with those of the platform and of the token endpoint."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from email.utils import parsedate_to_datetime

import aiohttp
from yarl import URL

from fiksmelding.doctor.conditions import Condition
from fiksmelding.doctor.findings import Finding
from fiksmelding.doctor.patient import Patient, Unexaminable, in_thread
from fiksmelding.errors import SettingsError
from fiksmelding.fiks.maskinporten import token_url
from fiksmelding.tls import client_context

__all__ = ["examine_clock"]

OFF = timedelta(seconds=5)
"""Beyond the whole seconds of `Date` and the time an answer takes."""
WRONG = timedelta(seconds=30)
"""Maskinporten bears ten seconds or so; an assertion lives for 100."""


async def examine_clock(patient: Patient) -> Sequence[Finding]:
    """How far apart are our clock and those of platform and token endpoint?"""
    urls = dict.fromkeys(url.origin() for url in _urls(patient) if url.is_absolute())
    try:
        tls = await in_thread(lambda: client_context(patient.settings.platform.ca_file))
    except SettingsError as error:
        raise Unexaminable(error.text) from error
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(ssl=tls), timeout=aiohttp.ClientTimeout(total=patient.limit / 2)
    ) as session:
        return await asyncio.gather(*(_compare(patient, session, url) for url in urls))


def _urls(patient: Patient) -> tuple[URL, URL]:
    return URL(patient.settings.platform.api_url), token_url(patient.settings.maskinporten)


async def _compare(patient: Patient, session: aiohttp.ClientSession, url: URL) -> Finding:
    """Whatever is answered carries `Date` (RFC 9110, 6.6.1); nothing of ours is sent along."""
    before = patient.clock.now()
    try:
        async with session.head(url, allow_redirects=False) as answer:
            after, told = patient.clock.now(), answer.headers.get("Date", "")
        ahead = before + (after - before) / 2 - parsedate_to_datetime(told)
    except (aiohttp.ClientError, OSError, TimeoutError, ValueError, TypeError):
        return Finding(Condition.CLOCK_NOT_COMPARED, f"{url.host} tells no time.")
    return _verdict(str(url.host), ahead - timedelta(seconds=0.5), after - before)


def _verdict(host: str, ahead: timedelta, took: timedelta) -> Finding:
    apart = max(timedelta(0), abs(ahead) - took / 2)
    seconds, side = abs(ahead).total_seconds(), "ahead of" if ahead > timedelta(0) else "behind"
    text = f"This machine's clock is {seconds:.0f} s {side} that of {host}."
    if apart >= WRONG:
        return Finding(Condition.CLOCK_WRONG, text)
    if apart >= OFF:
        return Finding(Condition.CLOCK_OFF, text)
    return Finding(Condition.CLOCK_RIGHT, f"This machine's clock agrees with that of {host}.")
