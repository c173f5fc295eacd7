"""What a run asks of the side that is put to the test, be it receivers or senders."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from chaos.fleet import Fleet
from chaos.plan import Fault
from chaos.verdict import Verdict
from fiksmelding.simulator import HttpFault, MessageFault

__all__ = ["SideUnderTest", "Standing"]


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a run has come.

    Attributes:
        done: A number that changes while something still happens.
        open: For how many reports something has to happen yet.
        quiet_seconds: How long nothing may have happened before it is called over, when none is open.
    """

    done: int
    open: int
    quiet_seconds: float


class SideUnderTest(Protocol):
    """Receivers or senders, with all that belongs to them."""

    @property
    def fleet(self) -> Fleet:
        """The processes."""
        ...

    def ordered(self, fault: Fault) -> Sequence[HttpFault | MessageFault]:
        """What the platform has to do wrong for a fault; nothing when this side strikes itself."""
        ...

    def provoke(self, fault: Fault) -> None:
        """Let happen what an ordered fault of the platform strikes."""
        ...

    async def strike(self, fault: Fault) -> bool:
        """Let a fault happen that only this side knows; returns whether it struck."""
        ...

    async def submit(self) -> str:
        """Hand the next report in; returns its id in the plan."""
        ...

    def progress(self) -> str:
        """How far it has come, for people."""
        ...

    async def standing(self) -> Standing:
        """How far it has come."""
        ...

    async def verdict(self) -> tuple[Verdict, Mapping[int, int]]:
        """Compare the records, once all processes have ended.

        Returns:
            What came of it, and when those faults struck that are known only afterwards, by their number, in
            nanoseconds of the machine's monotonic clock.
        """
        ...
