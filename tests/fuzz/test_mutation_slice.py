"""A slice of mutation for every run of the tests: short by default, as long as FIKSMELDING_FUZZ_SECONDS says in CI."""

import os
import time
from random import Random

import pytest

from fuzz.mutation import damaged
from fuzz.seeds import check, subjects

IN_CI = "FIKSMELDING_FUZZ_SECONDS" in os.environ
SECONDS = float(os.environ.get("FIKSMELDING_FUZZ_SECONDS", "4"))
ROUNDS = 20


@pytest.mark.timeout(SECONDS + 120)
def test_no_mutant_gets_further_than_an_envelope_error() -> None:
    """A finding shows its seed; `damaged(subject.data, Random(seed))` makes it again for keys of the same run."""
    end = time.monotonic() + SECONDS
    seed = time.time_ns() if IN_CI else 0
    while time.monotonic() < end:
        for subject in subjects():
            for number in range(ROUNDS):
                check(subject, damaged(subject.data, Random(seed + number)))  # no secret
        seed += ROUNDS
