"""What came of a run, in the same words for both sides."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

__all__ = ["Verdict"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of a run. What each word means on either side is told in docs/reliability.md.

    Attributes:
        reports: How many reports there were.
        registered: How many of them are, whole and once, where they had to get: in the receiver's case system; or with
            the platform, when senders are put to the test.
        answered: How many of them have what the other end waits for: one final answer for each time they were sent; or
            `LEVERT`, or a plain word that their outcome is uncertain.
        by_letter: Receiving: reports that never reached us whole; the platform gave them up and sent them by letter.
        uncertain: Sending: reports that were told to be uncertain at some time.
        lost: Reports that are nowhere, whole.
        twice: Reports that got where they had to get more than once without being told so.
        early: Reports of which somebody said that they are there before they were.
        unanswered: Reports that lack an answer.
        contradicted: Reports that have several answers, or the wrong one.
        stray: Ids of what belongs to no report.
    """

    reports: int
    registered: int
    answered: int
    by_letter: Sequence[str] = field(default=())
    uncertain: Sequence[str] = field(default=())
    lost: Sequence[str] = field(default=())
    twice: Sequence[str] = field(default=())
    early: Sequence[str] = field(default=())
    unanswered: Sequence[str] = field(default=())
    contradicted: Sequence[str] = field(default=())
    stray: Sequence[str] = field(default=())

    @property
    def blameless(self) -> bool:
        """Whether all is as it has to be."""
        return not any(self.complaints().values())

    def complaints(self) -> Mapping[str, Sequence[str]]:
        """The ids concerned, by what is wrong with them."""
        names = ("lost", "twice", "early", "unanswered", "contradicted", "stray")
        return {name: getattr(self, name) for name in names}
