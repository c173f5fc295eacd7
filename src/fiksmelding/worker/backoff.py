"""How long to wait after a failure."""

import random
from dataclasses import dataclass, field
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Backoff:
    """Exponential backoff with jitter.

    The wait after failure n is drawn evenly from the upper half of `min(longest, first * 2^(n-1))`: many reports that
    failed together do not come back together, and none comes back at once.

    Attributes:
        first: Longest wait after the first failure, in seconds.
        longest: Longest wait after any failure, in seconds.
        chance: Where the jitter comes from.
    """

    first: float
    longest: float
    chance: random.Random = field(default_factory=random.SystemRandom, repr=False)

    def after(self, failures: int) -> timedelta:
        """The wait after `failures` failures in a row; `failures` starts at 1."""
        # 2^63 seconds outlast any `longest`; a larger exponent only overflows.
        whole = min(self.longest, self.first * 2.0 ** min(failures - 1, 63))
        return timedelta(seconds=whole * self.chance.uniform(0.5, 1.0))
