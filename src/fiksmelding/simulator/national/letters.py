"""The print provider: opens the print copy with its own key, and leaves the letter in its tray."""

import asyncio
import io
import os
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from pydantic import TypeAdapter

from fiksmelding.envelope import decrypt
from fiksmelding.errors import EnvelopeError
from fiksmelding.simulator.clock import SimulatorClock
from fiksmelding.simulator.pki import Credential
from fiksmelding.simulator.state import NOWHERE, State

__all__ = ["Letter", "NotPrinted", "PrintProvider"]

PDF_BEGINS = b"%PDF-"
KIND = "letter"


class NotPrinted(EnvelopeError):
    """The print provider cannot print what it got."""


@dataclass(frozen=True, slots=True)
class Letter:
    """A letter in the tray.

    Attributes:
        report_id: The report it holds.
        path: The PDF.
        tidspunkt: When it was printed; aware, in UTC.
    """

    report_id: str
    path: Path
    tidspunkt: datetime


LETTER = TypeAdapter(Letter)


class PrintProvider:
    """Prints.

    Args:
        credential: Its key.
        tray: The folder that letters are left in.
        clock: The simulator's time.
        state: Where it is kept what was printed.
    """

    def __init__(self, credential: Credential, tray: Path, clock: SimulatorClock, state: State = NOWHERE) -> None:
        self._credential = credential
        self._tray = tray
        self._clock = clock
        self._state = state
        kept = (LETTER.validate_json(item.data) for item in state.all(KIND))
        self._letters = [replace(letter, path=tray / letter.path.name) for letter in kept]

    @property
    def letters(self) -> tuple[Letter, ...]:
        """What was printed, oldest first."""
        return tuple(self._letters)

    async def print(self, report_id: str, sealed: bytes | None) -> Letter:
        """Open a print copy and print it.

        Raises:
            NotPrinted: There is none, it cannot be opened, or it is no PDF.
            OSError: The tray cannot be written.
        """
        if sealed is None:
            raise NotPrinted("There is no print copy.", message_id=report_id)
        try:
            path = await asyncio.to_thread(self._print, report_id, sealed)
        except EnvelopeError as error:
            raise NotPrinted(str(error), message_id=report_id) from error
        letter = Letter(report_id, path, self._clock.now())
        self._letters.append(letter)
        self._state.put(KIND, report_id, LETTER.dump_json(letter).decode())
        return letter

    def _print(self, report_id: str, sealed: bytes) -> Path:
        with decrypt(io.BytesIO(sealed), keys=[self._credential.key]) as opened:
            pdf = opened.read()
        if not pdf.startswith(PDF_BEGINS):
            raise NotPrinted("The print copy is no PDF.", message_id=report_id)
        self._tray.mkdir(parents=True, exist_ok=True)
        path = self._tray / f"{report_id}.pdf"
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(pdf)
        return path
