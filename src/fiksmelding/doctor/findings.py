"""What an examination comes to."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from fiksmelding.doctor.conditions import Condition, Level

__all__ = ["Diagnosis", "Finding"]

ORDER = tuple(Level)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was found.

    Attributes:
        condition: What it is; tells its level and its cure.
        text: What was seen, in a sentence, without secrets and personal data.
        check: The part that was examined: the same in every examination.
    """

    condition: Condition
    text: str
    check: str = ""

    @property
    def level(self) -> Level:
        """How grave it is."""
        return self.condition.level

    @property
    def cure(self) -> str:
        """How to mend it; empty when nothing has to be."""
        return self.condition.cure

    def as_json(self) -> dict[str, str]:
        """What programs get of it."""
        return {
            "check": self.check,
            "name": self.condition.value,
            "level": self.level.value,
            "text": self.text,
            "cure": self.cure,
        }


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """All that was found.

    Attributes:
        at: When the examination ended, aware UTC.
        findings: By check, in the order of the road.
    """

    at: datetime
    findings: Sequence[Finding]

    @property
    def level(self) -> Level:
        """The gravest."""
        return max((finding.level for finding in self.findings), key=ORDER.index, default=Level.OK)

    @property
    def healthy(self) -> bool:
        """Whether there is no fault."""
        return self.level is not Level.FAULT

    def as_json(self) -> dict[str, object]:
        """What programs get of it."""
        found = [finding.as_json() for finding in self.findings]
        return {"healthy": self.healthy, "level": self.level.value, "at": self.at.isoformat(), "findings": found}
