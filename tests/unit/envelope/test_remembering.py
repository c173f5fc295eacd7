"""What recurs in every envelope is read once, and what a stranger could fill memory with is not kept."""

import io
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from fiksmelding.envelope import Finding, Trust, open_envelope
from fiksmelding.envelope.algorithms import SHORT, remember_short
from fiksmelding.envelope.ber import OCTET_STRING, Element, decode, encode
from fiksmelding.envelope.certificates import LARGEST, usable_certificate
from fiksmelding.simulator.pki import Authority, Credential
from support.envelopes import REPORT, sealed


@pytest.mark.parametrize(("size", "readings"), [(3, 1), (SHORT + 1, 2)])
def test_only_short_elements_are_remembered(size: int, readings: int) -> None:
    seen: list[Element] = []

    @remember_short
    def read(element: Element) -> int:
        seen.append(element)
        return len(element.content)

    encoded = encode(OCTET_STRING, bytes(size))
    assert [read(decode(encoded)), read(decode(encoded))] == [size, size]
    assert len(seen) == readings


def test_a_certificate_is_parsed_once(sender_credential: Credential) -> None:
    der = sender_credential.certificate.public_bytes(Encoding.DER)
    known = usable_certificate(der)
    assert known is not None
    assert usable_certificate(bytes(bytearray(der))) is known
    assert usable_certificate(der + bytes(LARGEST)) is None


def test_a_known_signer_is_judged_anew_each_time(
    authority: Authority, sender_credential: Credential, recipient_credential: Credential
) -> None:
    envelope = sealed(REPORT, sender_credential, recipient_credential)
    certificate = sender_credential.certificate
    day = timedelta(days=1)
    rooted = Trust(roots=(authority.root.certificate,))
    cases = [
        (certificate.not_valid_before_utc + day, rooted, Finding.GOOD, Finding.GOOD),
        (certificate.not_valid_after_utc + day, rooted, Finding.BAD, Finding.BAD),
        (certificate.not_valid_before_utc + day, Trust(), Finding.GOOD, Finding.UNKNOWN),
    ]
    for moment, trust, validity, chain in cases:
        with open_envelope(
            io.BytesIO(envelope), keys=[recipient_credential.key], trust=trust, received_at=moment
        ) as content:
            verdict = content.signer.verdict
            assert (verdict.validity, verdict.chain) == (validity, chain)
