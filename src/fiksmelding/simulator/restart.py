"""What a simulator finds again from its last run in a folder: addresses and time; and how it forgets all of it."""

import json
import shutil
import socket
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from typing import Self

from fiksmelding.simulator.clock import SimulatorClock
from fiksmelding.simulator.state import State

__all__ = ["STATE_FILE", "Ports", "clock_of", "forget_everything"]

STATE_FILE = "state.db"
OF_A_RUN = ("dokumentlager", "brevpost")
CLOCK, OFFSET, PORTS = "clock", "offset", "ports"
LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Ports:
    """The ports of the last run, so that settings that were handed out still hold; 0 for any free one.

    Attributes:
        api: The HTTP API's.
        amqp: The broker's.
        control: The control API's.
    """

    api: int = 0
    amqp: int = 0
    control: int = 0

    @classmethod
    def of(cls, state: State) -> Self:
        """Those of the last run that are free."""
        kept = state.get(PORTS, PORTS)
        ports: dict[str, int] = {} if kept is None else json.loads(kept)
        return cls(**{name: port if _is_free(port) else 0 for name, port in ports.items()})

    def keep(self, state: State) -> None:
        """Keep them for the next run."""
        state.put(PORTS, PORTS, json.dumps(asdict(self)))


def clock_of(state: State) -> SimulatorClock:
    """A clock as far ahead as that of the last run."""
    seconds = float(state.get(CLOCK, OFFSET) or 0)

    def keep(offset: timedelta) -> None:
        state.put(CLOCK, OFFSET, str(offset.total_seconds()))

    return SimulatorClock(offset=timedelta(seconds=seconds), on_advance=keep)


def forget_everything(folder: Path) -> None:
    """Delete what an earlier run has left in a folder: all but keys, passwords and settings."""
    State.forget(folder / STATE_FILE)
    for name in OF_A_RUN:
        shutil.rmtree(folder / name, ignore_errors=True)


def _is_free(port: int) -> bool:
    try:
        socket.create_server((LOOPBACK, port)).close()
    except OSError:
        return False
    return True
