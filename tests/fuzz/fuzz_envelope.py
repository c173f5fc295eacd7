"""Coverage-guided fuzzing with atheris: `python -m fuzz.fuzz_envelope -max_total_time=1800` in `tests/`.

The first byte of an input chooses what is done with the rest: splice it into a subject, or parse it as it is. A finding
is any exception but EnvelopeError, other content than was sealed, a run of over 10 s or memory over 1 GB.
"""

import sys

import atheris

with atheris.instrument_imports(include=["fiksmelding.envelope"]):
    import fiksmelding.envelope

from fuzz.mutation import splice
from fuzz.seeds import check, parse_everything, subjects

assert fiksmelding.envelope.__all__


def one_input(data: bytes) -> None:
    """What atheris calls."""
    if len(data) < 4:
        return
    choice, rest = data[0], data[1:]
    everything = subjects()
    if choice >= 2 * len(everything):
        parse_everything(rest)
        return
    subject = everything[choice % len(everything)]
    check(subject, splice(subject.data, rest))


def main() -> None:
    """Run until told to stop."""
    subjects()
    atheris.Setup([*sys.argv, "-timeout=10", "-rss_limit_mb=1024", "-max_len=4096"], one_input)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
