"""What runs here: Python, this library, what it stands on."""

import platform
import re
import sqlite3
import ssl
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib import metadata

from fiksmelding._version import __version__
from fiksmelding.doctor.conditions import Condition
from fiksmelding.doctor.findings import Finding
from fiksmelding.doctor.patient import Patient

__all__ = ["examine_versions", "python_until"]

NEWEST_KNOWN = 14
"""Python 3.14 gets security updates until October 2030, and each version before it a year less (PEP 602)."""
NEWEST_ENDS = 2030
OLDEST_OPENSSL = (3, 0)


async def examine_versions(patient: Patient) -> Sequence[Finding]:
    """Is what runs here still kept up?"""
    found = [Finding(Condition.VERSIONS_GOOD, _told())]
    until = python_until(sys.version_info[1])
    if patient.clock.now() > until:
        text = f"Python {platform.python_version()} has had no security updates since {until:%Y-%m}."
        found.append(Finding(Condition.PYTHON_UNSUPPORTED, text))
    if ssl.OPENSSL_VERSION_INFO[:2] < OLDEST_OPENSSL:
        found.append(Finding(Condition.OPENSSL_UNSUPPORTED, f"{ssl.OPENSSL_VERSION} is not supported any more."))
    return found


def python_until(minor: int) -> datetime:
    """When Python 3.`minor` gets its last security update."""
    return datetime(NEWEST_ENDS - NEWEST_KNOWN + minor, 11, 1, tzinfo=UTC)


def _told() -> str:
    parts = [
        f"fiksmelding {__version__}",
        f"Python {platform.python_version()}",
        ssl.OPENSSL_VERSION,
        f"SQLite {sqlite3.sqlite_version}",
        *(f"{name} {version}" for name, version in _packages()),
    ]
    return f"{', '.join(parts)}."


def _packages() -> list[tuple[str, str]]:
    lines = [line for line in metadata.requires("fiksmelding") or () if "extra" not in line]
    return [(name, _version_of(name)) for name in (re.split(r"[^A-Za-z0-9_.-]", line)[0] for line in lines)]


def _version_of(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "missing"
