"""What is sealed can be opened, and only as it was sealed."""

import io
import zipfile
from datetime import UTC, datetime

import pytest

from fiksmelding.envelope import (
    ContainerProblem,
    ContainerRefused,
    Finding,
    Trust,
    decrypt,
    encrypt,
    open_container,
    open_envelope,
    seal,
)
from fiksmelding.errors import DecryptionFailed, EnvelopeError, SignatureInvalid
from fiksmelding.simulator.pki import Authority, Credential
from support.envelopes import REPORT, noise, opened, sealed, signer


def test_what_is_sealed_comes_out_again(sender_credential: Credential, recipient_credential: Credential) -> None:
    assert opened(sealed(REPORT, sender_credential, recipient_credential), recipient_credential) == REPORT


def test_the_signer_is_told(
    authority: Authority, sender_credential: Credential, recipient_credential: Credential
) -> None:
    envelope = io.BytesIO(sealed(REPORT, sender_credential, recipient_credential))
    trust = Trust(roots=(authority.root.certificate,), policy="require_chain")
    with open_envelope(
        envelope, keys=[recipient_credential.key], trust=trust, received_at=datetime.now(UTC)
    ) as content:
        assert content.signer.certificate == sender_credential.certificate
        assert content.signer.organisation_number == "974760673"
        assert content.signer.name == "Bergen skole (test)"
        assert content.signer.verdict.trusted


def test_an_unknown_signer_is_flagged_or_refused_as_the_policy_says(
    sender_credential: Credential, recipient_credential: Credential
) -> None:
    envelope = sealed(REPORT, sender_credential, recipient_credential)
    stranger = Authority.new().root.certificate
    now = datetime.now(UTC)
    flag = Trust(roots=(stranger,))
    with open_envelope(io.BytesIO(envelope), keys=[recipient_credential.key], trust=flag, received_at=now) as content:
        assert content.signer.verdict.chain is Finding.BAD
        assert not content.signer.verdict.trusted
    require = Trust(roots=(stranger,), policy="require_chain")
    with (
        pytest.raises(SignatureInvalid, match="leads to no trusted root"),
        open_envelope(io.BytesIO(envelope), keys=[recipient_credential.key], trust=require, received_at=now),
    ):
        pass


def test_any_of_several_keys_opens(
    authority: Authority, sender_credential: Credential, recipient_credential: Credential
) -> None:
    earlier = authority.business("964338531", "Bergen kommune (tidligere)")
    envelope = io.BytesIO(sealed(REPORT, sender_credential, recipient_credential))
    with open_envelope(envelope, keys=[earlier.key, recipient_credential.key]) as content:
        assert set(content.files) == set(REPORT)


def test_another_key_does_not_open(sender_credential: Credential, recipient_credential: Credential) -> None:
    envelope = sealed(REPORT, sender_credential, recipient_credential)
    with pytest.raises(DecryptionFailed):
        opened(envelope, sender_credential)


@pytest.mark.parametrize("body", [b"", b"hello", b"\x30\x80", b"PK\x03\x04", b"\x30\x84\xff\xff\xff\xff", bytes(100)])
def test_a_body_that_is_no_envelope_is_refused(body: bytes, recipient_credential: Credential) -> None:
    with pytest.raises(EnvelopeError):
        opened(body, recipient_credential)


def test_a_truncated_envelope_is_refused_wherever_it_is_cut(
    sender_credential: Credential, recipient_credential: Credential
) -> None:
    envelope = sealed({"a.txt": b"a" * 100}, sender_credential, recipient_credential)
    for size in range(0, len(envelope), 7):
        with pytest.raises(EnvelopeError):
            opened(envelope[:size], recipient_credential)


def test_a_file_is_read_in_parts_of_any_size(sender_credential: Credential, recipient_credential: Credential) -> None:
    large = noise(5_000_000)
    out = io.BytesIO()
    seal(
        {"large.bin": io.BytesIO(large)},
        signer=signer(sender_credential),
        recipient=recipient_credential.certificate,
        out=out,
    )
    assert out.getvalue().startswith(b"\x30\x80"), "large content is written as BER, in pieces"
    out.seek(0)
    with open_envelope(out, keys=[recipient_credential.key]) as content:
        file = content.files["large.bin"]
        assert file.size == len(large)
        with file.open() as reader:
            assert reader.read(10) == large[:10]
            assert reader.read(1_000_000) == large[10:1_000_010]
            assert reader.read() == large[1_000_010:]
        assert file.read() == large


def test_a_file_shows_its_name_and_size_but_not_its_content(
    sender_credential: Credential, recipient_credential: Credential
) -> None:
    envelope = sealed({"a.txt": b"about a child"}, sender_credential, recipient_credential)
    with open_envelope(io.BytesIO(envelope), keys=[recipient_credential.key]) as content:
        assert "a.txt" in repr(content)
        assert "child" not in repr(content)


def test_content_can_be_encrypted_without_a_container(recipient_credential: Credential) -> None:
    for size in (0, 1, 15, 16, 17, 3_000_000):
        plain = bytes(size)
        out = io.BytesIO()
        encrypt(io.BytesIO(plain), recipient=recipient_credential.certificate, out=out)
        out.seek(0)
        assert decrypt(out, keys=[recipient_credential.key]).read() == plain


def test_decrypted_content_can_be_sought(recipient_credential: Credential) -> None:
    plain = bytes(range(256)) * 8000
    out = io.BytesIO()
    encrypt(io.BytesIO(plain), recipient=recipient_credential.certificate, out=out)
    out.seek(0)
    reader = decrypt(out, keys=[recipient_credential.key])
    for position in (1_500_003, 0, 262_143, 5, len(plain) - 3):
        reader.seek(position)
        assert reader.read(40) == plain[position : position + 40]


def test_the_container_has_the_form_that_the_peers_read(
    sender_credential: Credential, recipient_credential: Credential
) -> None:
    envelope = io.BytesIO(sealed(REPORT, sender_credential, recipient_credential))
    with zipfile.ZipFile(decrypt(envelope, keys=[recipient_credential.key])) as archive:
        first = archive.infolist()[0]
        assert (first.filename, first.compress_type, first.flag_bits, first.extra) == ("mimetype", 0, 0, b"")
        assert archive.read("mimetype") == b"application/vnd.etsi.asic-e+zip"
        assert archive.comment == b"mimetype=application/vnd.etsi.asic-e+zip"
        names = archive.namelist()
        assert names[1:4] == [*REPORT, "META-INF/asicmanifest.xml"]
        assert names[4].startswith("META-INF/signature-")
        assert names[4].endswith(".p7s")
        assert archive.testzip() is None


def test_a_bare_container_can_be_opened(sender_credential: Credential, recipient_credential: Credential) -> None:
    envelope = io.BytesIO(sealed(REPORT, sender_credential, recipient_credential))
    container = decrypt(envelope, keys=[recipient_credential.key]).read()
    with open_container(io.BytesIO(container)) as content:
        assert {name: file.read() for name, file in content.files.items()} == REPORT


@pytest.mark.parametrize("name", ["", "../a", "/a", "a\\b", "c:a", "a/", "META-INF/x", "mimetype", "a\x00", "a//b"])
def test_a_dangerous_name_is_not_sealed(
    name: str, sender_credential: Credential, recipient_credential: Credential
) -> None:
    with pytest.raises(ContainerRefused) as refused:
        sealed({name: b""}, sender_credential, recipient_credential)
    assert refused.value.problem is ContainerProblem.BAD_NAME
