"""Which numbers must not be shown: those that are small, and those that would give a small one away.

Every table is of one dimension and adds up to a total that is shown, so what is hidden in it together is known. Hence
nothing small is hidden without something large: whoever looks at the hidden rows cannot tell which of them is which. It
is hidden with them always, not only where it is needed, or its being hidden would tell that the small ones were very
small. Offices add up to their municipality besides, which is a total of its own.
"""

from collections.abc import Mapping
from typing import Final

__all__ = ["THRESHOLD", "hidden_counts", "hidden_parts"]

THRESHOLD: Final = 5
"""The smallest number that is shown. Statistics Norway names 3 as an example; reports on children ask for more."""


def hidden_counts(counts: Mapping[str, int], threshold: int) -> frozenset[str]:
    """The rows whose counts must not be shown, in a table whose total is shown.

    Args:
        counts: How many there are in each row. Nothing at all may be shown as what it is.
        threshold: The smallest number that is shown.

    Returns:
        Every row, also those without any, if there is no large one to hide the small ones with: then not even how many
        rows there are may be shown.
    """
    return _with_cover(frozenset(_small(counts, threshold)), counts, threshold)


def hidden_parts(
    counts: Mapping[str, int], parts: Mapping[str, int], hidden: frozenset[str], threshold: int
) -> frozenset[str]:
    """The rows in which it must not be shown how many of the count are of some part, such as letters.

    The rest, too, is a number that could be small.

    Args:
        counts: How many there are in each row.
        parts: How many of them are of the part.
        hidden: The rows whose counts are not shown.
        threshold: The smallest number that is shown.
    """
    rest = {row: count - parts[row] for row, count in counts.items()}
    chosen = hidden | _small(parts, threshold) | _small(rest, threshold)
    while True:
        grown = _with_cover(_with_cover(chosen, parts, threshold), rest, threshold)
        if grown == chosen:
            return chosen
        chosen = grown


def _small(counts: Mapping[str, int], threshold: int) -> frozenset[str]:
    return frozenset(row for row, count in counts.items() if 0 < count < threshold)


def _with_cover(hidden: frozenset[str], counts: Mapping[str, int], threshold: int) -> frozenset[str]:
    """With the smallest of the large rows, if something small is hidden without one; with all that are equal to it."""
    if not hidden & _small(counts, threshold) or any(counts[row] >= threshold for row in hidden):
        return hidden
    large = [count for count in counts.values() if count >= threshold]
    return hidden | {row for row, count in counts.items() if not large or count == min(large)}
