"""A damaged envelope gives what was sealed or an EnvelopeError: every byte of every layer, flipped, lost, doubled."""

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fiksmelding.simulator.pki import Authority, Credential
from fuzz.seeds import Subject, check, parse_everything, subjects
from support.envelopes import opened, sealed

STEP = 3
"""Every third position of each kind of damage; the fuzz slice covers the rest at random."""


def one_byte_mutants(data: bytes, start: int) -> Iterator[bytes]:
    for at in range(start, len(data), STEP):
        for bit in (1, 0x80):
            yield data[:at] + bytes([data[at] ^ bit]) + data[at + 1 :]
        yield data[:at] + data[at + 1 :]
        yield data[:at] + b"\x00" + data[at:]
        yield data[: at + 1] + data[at:]


@pytest.mark.parametrize("subject", subjects(), ids=lambda one: one.name.split("-")[0])
def test_no_single_byte_makes_other_content_or_another_error(subject: Subject) -> None:
    # What is encrypted is the same in every envelope; its insides are mutated as subjects of their own.
    data = subject.data
    for mutant in one_byte_mutants(data[:1500], len(data) % STEP):
        check(subject, mutant + data[1500:])
    for mutant in one_byte_mutants(data[-300:], 0):
        check(subject, data[:-300] + mutant)


@given(st.binary(max_size=500))
@settings(max_examples=300, deadline=None)
def test_arbitrary_bytes_are_never_more_than_an_envelope_error(data: bytes) -> None:
    parse_everything(data)


_made: list[tuple[Credential, Credential]] = []


def _pair() -> tuple[Credential, Credential]:
    if not _made:
        authority = Authority.new()
        _made.append((authority.business("974760673", "Avsender"), authority.business("964338531", "Mottaker")))
    return _made[0]


letters = st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp", "Cf", "Cn"), exclude_characters="/\\:")
names = st.text(letters, min_size=1, max_size=30).filter(lambda name: name not in {".", "..", "mimetype"})


@given(st.dictionaries(names, st.binary(max_size=2000), max_size=6))
@settings(max_examples=150, deadline=None)
def test_whatever_is_sealed_comes_out_again(files: dict[str, bytes]) -> None:
    sender, recipient = _pair()
    assert opened(sealed(files, sender, recipient), recipient) == files
