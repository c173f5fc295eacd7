"""Numbers with check digits: identity numbers and organisation numbers."""

from datetime import date
from enum import Enum

__all__ = ["IdentityFault", "identity_fault", "is_organisation_number", "is_synthetic", "with_check_digits"]

_FIRST_WEIGHTS = (3, 7, 6, 1, 8, 9, 4, 5, 2)
_SECOND_WEIGHTS = (5, 4, 3, 2, 7, 6, 5, 4, 3, 2)
_ORGANISATION_WEIGHTS = (3, 2, 7, 6, 5, 4, 3, 2)

_SYNTHETIC_MONTHS = (80, 65, 40)
"""What is added to the month of an invented number: 80 by the Tax Administration, 40 and 65 by Nav."""


class IdentityFault(Enum):
    """What is wrong with an identity number."""

    FORM = "is not eleven digits"
    DATE = "holds no date"
    CHECK_DIGITS = "has wrong check digits"


def identity_fault(text: str) -> IdentityFault | None:
    """What is wrong with a fødselsnummer or D-number; None when nothing is.

    Synthetic test numbers count as right. A D-number has 4 added to its first digit. The check digits are those in use
    until 2032 (regulation on the National Population Register, chapter 2).
    """
    if not (len(text) == 11 and text.isascii() and text.isdigit()):
        return IdentityFault.FORM
    if _month(text) is None:
        return IdentityFault.DATE
    return None if with_check_digits(text[:9]) == text else IdentityFault.CHECK_DIGITS


def is_synthetic(text: str) -> bool:
    """Whether an identity number without fault is a test number that can belong to nobody."""
    return int(text[2:4]) > 12


def with_check_digits(nine: str) -> str | None:
    """The identity number that begins with these nine digits; None when there is none."""
    first = _check_digit(nine, _FIRST_WEIGHTS)
    second = None if first is None else _check_digit(f"{nine}{first}", _SECOND_WEIGHTS)
    return None if second is None else f"{nine}{first}{second}"


def is_organisation_number(text: str) -> bool:
    """Whether nine digits end in the right check digit."""
    return (
        len(text) == 9
        and text.isascii()
        and text.isdigit()
        and str(_check_digit(text[:8], _ORGANISATION_WEIGHTS)) == text[8]
    )


def _check_digit(digits: str, weights: tuple[int, ...]) -> int | None:
    """The check digit modulo 11; None when it would have been 10."""
    digit = -sum(int(digit) * weight for digit, weight in zip(digits, weights, strict=True)) % 11
    return None if digit == 10 else digit


def _month(text: str) -> int | None:
    """The month of a number's date, what was added taken off; None when it holds no date."""
    day, month, year = int(text[:2]), int(text[2:4]), int(text[4:6])
    day -= 40 if day > 40 else 0
    month -= next((added for added in _SYNTHETIC_MONTHS if added < month <= added + 12), 0)
    try:
        # The century does not matter: every year that ends in these digits is alike, but for 1900.
        return date(2000 + year, month, day).month
    except ValueError:
        return None
