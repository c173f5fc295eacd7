"""`python -m kommunesak SETTINGS CASES`: receive until stopped."""

import asyncio
import sys
from contextlib import suppress
from pathlib import Path

from fiksmelding import Settings
from kommunesak.cases import Cases
from kommunesak.intake import Intake


def main() -> None:
    settings, cases = sys.argv[1:]
    with suppress(KeyboardInterrupt):
        asyncio.run(Intake(Settings.load(Path(settings)), Cases(Path(cases))).run())


if __name__ == "__main__":
    main()
