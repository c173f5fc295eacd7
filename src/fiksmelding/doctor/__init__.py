"""The doctor: what is wrong, or soon will be, and how it is mended. Looks, and changes nothing."""

from fiksmelding.doctor.conditions import Condition, Level
from fiksmelding.doctor.examining import examine
from fiksmelding.doctor.findings import Diagnosis, Finding

__all__ = ["Condition", "Diagnosis", "Finding", "Level", "examine"]
