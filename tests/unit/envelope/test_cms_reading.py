"""Whatever a conforming sender writes is opened, and only by the right key."""

import io
from itertools import pairwise

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.asymmetric.padding import AsymmetricPadding
from hypothesis import given, settings
from hypothesis import strategies as st

from fiksmelding.envelope import Limits, Trust, decrypt, encrypt, open_envelope
from fiksmelding.envelope.ber import decode
from fiksmelding.envelope.cms import CHUNK, open_cms
from fiksmelding.envelope.encrypting import EncryptingWriter
from fiksmelding.errors import DecryptionFailed, EnvelopeError
from fiksmelding.simulator.pki import Authority, Credential
from support.cms_writer import ContentCipher, enveloped, indefinite, oaep, oid, tlv
from support.envelopes import REPORT, noise, opened, sealed

SHA256_OAEP = oaep(hashes.SHA256())
SHA1 = hashes.SHA1()  # noqa: S303  # senders may state it for OAEP, where it is sound
V15 = padding.PKCS1v15()
PLAIN = noise(5000)


@pytest.fixture(scope="session")
def other(authority: Authority) -> Credential:
    """A recipient we are not."""
    return authority.business("910258028", "En annen")


def decrypted(data: bytes, *credentials: Credential, allow_pkcs1: bool = True) -> bytes:
    keys = [one.key for one in credentials]
    return decrypt(io.BytesIO(data), keys=keys, allow_pkcs1=allow_pkcs1).read()


@pytest.mark.parametrize("cipher", ContentCipher)
@pytest.mark.parametrize("piece_size", [None, 1, 16, 1000])
def test_every_content_cipher_is_read_in_one_or_many_pieces(
    cipher: ContentCipher, piece_size: int | None, recipient_credential: Credential
) -> None:
    data = enveloped(PLAIN, [(recipient_credential.certificate, SHA256_OAEP)], cipher=cipher, piece_size=piece_size)
    assert decrypted(data, recipient_credential) == PLAIN


@pytest.mark.parametrize("mask", [SHA1, hashes.SHA256(), hashes.SHA512()], ids=lambda one: f"MGF1 {one.name}")
@pytest.mark.parametrize(
    "algorithm", [SHA1, hashes.SHA256(), hashes.SHA384(), hashes.SHA512()], ids=lambda one: one.name
)
def test_oaep_is_read_with_the_hashes_it_states(
    algorithm: hashes.HashAlgorithm, mask: hashes.HashAlgorithm, recipient_credential: Credential
) -> None:
    data = enveloped(PLAIN, [(recipient_credential.certificate, oaep(algorithm, mask))])
    assert decrypted(data, recipient_credential) == PLAIN


@pytest.mark.parametrize("scheme", [SHA256_OAEP, V15], ids=["OAEP", "v1.5"])
def test_a_recipient_named_by_key_identifier_is_found(
    scheme: AsymmetricPadding, recipient_credential: Credential, other: Credential
) -> None:
    recipients = [(other.certificate, scheme), (recipient_credential.certificate, scheme)]
    data = enveloped(PLAIN, recipients, by_key_identifier=True)
    assert decrypted(data, recipient_credential) == PLAIN


def test_nested_strings_of_pieces_are_read(recipient_credential: Credential) -> None:
    for piece_size in (7, 64, 3000):
        recipients = [(recipient_credential.certificate, SHA256_OAEP)]
        assert (
            decrypted(enveloped(PLAIN, recipients, piece_size=piece_size, nested=True), recipient_credential) == PLAIN
        )


def test_two_recipient_infos_for_one_certificate_as_dotnet_writes(recipient_credential: Credential) -> None:
    recipients = [(recipient_credential.certificate, V15), (recipient_credential.certificate, SHA256_OAEP)]
    data = enveloped(PLAIN, recipients)
    assert decrypted(data, recipient_credential) == PLAIN
    assert decrypted(data, recipient_credential, allow_pkcs1=False) == PLAIN


def test_pkcs1_is_read_unless_the_policy_refuses_it(
    sender_credential: Credential, recipient_credential: Credential
) -> None:
    container = decrypted(sealed(REPORT, sender_credential, recipient_credential), recipient_credential)
    data = enveloped(container, [(recipient_credential.certificate, V15)])
    assert opened(data, recipient_credential) == REPORT
    with (
        pytest.raises(DecryptionFailed),
        open_envelope(io.BytesIO(data), keys=[recipient_credential.key], trust=Trust(allow_pkcs1=False)),
    ):
        pass


def test_our_recipient_is_found_among_others_in_any_order(recipient_credential: Credential, other: Credential) -> None:
    for schemes in ((SHA256_OAEP, SHA256_OAEP), (V15, SHA256_OAEP), (SHA256_OAEP, V15)):
        ours, theirs = (recipient_credential.certificate, schemes[0]), (other.certificate, schemes[1])
        for recipients in ([ours, theirs], [theirs, ours]):
            assert decrypted(enveloped(PLAIN, recipients), recipient_credential) == PLAIN


def test_a_wrong_key_before_the_right_one_does_no_harm_even_with_pkcs1(
    sender_credential: Credential, recipient_credential: Credential, other: Credential
) -> None:
    """PKCS#1 v1.5 gives a random key where it is wrong: one time in 256 its padding looks right."""
    container = decrypted(sealed(REPORT, sender_credential, recipient_credential), recipient_credential)
    for _ in range(300):
        data = enveloped(container, [(recipient_credential.certificate, V15)])
        with open_envelope(io.BytesIO(data), keys=[other.key, recipient_credential.key]) as content:
            assert set(content.files) == set(REPORT)


def test_authenticated_attributes_are_authenticated(recipient_credential: Credential) -> None:
    attributes = tlv(0x30, oid("1.2.840.113549.1.9.3"), tlv(0x31, oid("1.2.840.113549.1.7.1")))
    recipients = [(recipient_credential.certificate, SHA256_OAEP)]
    for piece_size in (None, 100):
        data = enveloped(
            PLAIN, recipients, cipher=ContentCipher.AES_256_GCM, piece_size=piece_size, attributes=attributes
        )
        assert decrypted(data, recipient_credential) == PLAIN
        altered = data.replace(attributes, attributes[:-1] + bytes([attributes[-1] ^ 1]))
        with pytest.raises(DecryptionFailed):
            decrypted(altered, recipient_credential)


def test_an_altered_authenticated_envelope_gives_nothing_at_all(recipient_credential: Credential) -> None:
    recipients = [(recipient_credential.certificate, SHA256_OAEP)]
    data = bytearray(enveloped(PLAIN, recipients, cipher=ContentCipher.AES_128_GCM))
    data[-500] ^= 1
    with pytest.raises(DecryptionFailed):
        decrypt(io.BytesIO(data), keys=[recipient_credential.key])


def test_every_failed_decryption_says_the_same(
    sender_credential: Credential, recipient_credential: Credential, other: Credential
) -> None:
    container = decrypted(sealed(REPORT, sender_credential, recipient_credential), recipient_credential)
    good = enveloped(container, [(recipient_credential.certificate, SHA256_OAEP)])
    v15 = enveloped(container, [(recipient_credential.certificate, V15)])
    no_zip = enveloped(b"no container", [(recipient_credential.certificate, SHA256_OAEP)])
    bad_padding, bad_key = bytearray(good), bytearray(v15)
    bad_padding[-17] ^= 1
    bad_key[-len(container) - 200] ^= 1
    texts = set()
    for data, key in [
        (good, other.key),
        (v15, other.key),
        (no_zip, recipient_credential.key),
        (bytes(bad_padding), recipient_credential.key),
        (bytes(bad_key), recipient_credential.key),
    ]:
        with pytest.raises(DecryptionFailed) as failed, open_envelope(io.BytesIO(data), keys=[key]):
            pass
        texts.add((str(failed.value), failed.value.__cause__, failed.value.__context__))
    assert len(texts) == 1


class KeyService:
    """Stands for an HSM: does the RSA step and nothing else."""

    def __init__(self, key: rsa.RSAPrivateKey) -> None:
        self._key = key
        self.asked = 0

    def public_key(self) -> rsa.RSAPublicKey:
        return self._key.public_key()

    def decrypt(self, ciphertext: bytes, padding: AsymmetricPadding) -> bytes:
        self.asked += 1
        return self._key.decrypt(ciphertext, padding)


class UnreachableKeyService(KeyService):
    def decrypt(self, ciphertext: bytes, padding: AsymmetricPadding) -> bytes:
        raise ConnectionError


def test_a_key_service_can_do_the_rsa_step(sender_credential: Credential, recipient_credential: Credential) -> None:
    service = KeyService(recipient_credential.key)
    envelope = sealed(REPORT, sender_credential, recipient_credential)
    with open_envelope(io.BytesIO(envelope), keys=[service]) as content:
        assert set(content.files) == set(REPORT)
    assert service.asked == 1


def test_an_unreachable_key_service_does_not_look_like_a_bad_envelope(
    sender_credential: Credential, recipient_credential: Credential
) -> None:
    service = UnreachableKeyService(recipient_credential.key)
    envelope = sealed(REPORT, sender_credential, recipient_credential)
    with pytest.raises(ConnectionError), open_envelope(io.BytesIO(envelope), keys=[service]):
        pass


def test_too_many_recipients_are_refused(recipient_credential: Credential) -> None:
    data = enveloped(b"x", [(recipient_credential.certificate, SHA256_OAEP)] * 3)
    with pytest.raises(EnvelopeError, match="too many recipients"):
        decrypt(io.BytesIO(data), keys=[recipient_credential.key], limits=Limits(recipients=2))


def test_too_many_irregular_pieces_are_refused(recipient_credential: Credential) -> None:
    data = enveloped(PLAIN, [(recipient_credential.certificate, SHA256_OAEP)], piece_size=48, nested=True)
    with pytest.raises(EnvelopeError, match="irregular pieces"):
        decrypt(io.BytesIO(data), keys=[recipient_credential.key], limits=Limits(irregular_pieces=2))


def test_very_many_empty_pieces_are_refused(recipient_credential: Credential) -> None:
    data = enveloped(PLAIN, [(recipient_credential.certificate, SHA256_OAEP)], piece_size=16)
    start = data.index(b"\x04\x10", len(data) // 3)
    with pytest.raises(EnvelopeError, match="irregular pieces"):
        decrypt(
            io.BytesIO(data[:start] + b"\x04\x00" * 1000 + data[start:]),
            keys=[recipient_credential.key],
            limits=Limits(irregular_pieces=100),
        )


def test_pieces_that_keep_changing_size_do_not_make_reading_slow(recipient_credential: Credential) -> None:
    class Counting(io.BytesIO):
        total = 0

        def read(self, size: int | None = -1) -> bytes:
            data = super().read(size)
            Counting.total += len(data)
            return data

    whole = enveloped(noise(300_000), [(recipient_credential.certificate, SHA256_OAEP)])
    ciphertext = whole[-300_016:]
    cut, at, size = b"", 0, 1000
    while at < len(ciphertext):
        piece = ciphertext[at : at + size]
        cut += tlv(4, piece)
        at, size = at + size, 1999 - size
    source = Counting(_with_pieces(whole, ciphertext, cut))
    assert decrypt(source, keys=[recipient_credential.key]).read() == noise(300_000)
    assert Counting.total < 10 * len(whole)


def _with_pieces(whole: bytes, ciphertext: bytes, pieces: bytes) -> bytes:
    """A DER envelope rewritten with indefinite lengths around other pieces."""
    outer = decode(whole).children()
    kind, body = outer.take().raw, outer.take().children().take().children()
    version, recipients, info = body.take().raw, body.take().raw, body.take().children()
    head = info.take().raw + info.take().raw
    assert info.take().content == ciphertext
    encrypted = indefinite(0x30, head, indefinite(0xA0, pieces))
    return indefinite(0x30, kind, indefinite(0xA0, indefinite(0x30, version, recipients, encrypted)))


def test_too_large_a_header_is_refused(recipient_credential: Credential) -> None:
    data = enveloped(PLAIN, [(recipient_credential.certificate, SHA256_OAEP)])
    with pytest.raises(EnvelopeError, match="too large"):
        decrypt(io.BytesIO(data), keys=[recipient_credential.key], limits=Limits(cms_header=100))


@given(
    st.binary(max_size=3000),
    st.integers(1, 5000),
    st.integers(0, 3000),
    st.lists(st.integers(1, 3000), min_size=1, max_size=5),
)
@settings(max_examples=150, deadline=None)
def test_whatever_is_written_in_whatever_parts_and_pieces_is_read(
    plain: bytes, piece_size: int, definite_up_to: int, cuts: list[int]
) -> None:
    recipient = _recipient()
    out = io.BytesIO()
    with EncryptingWriter(out, recipient.certificate, definite_up_to=definite_up_to, piece_size=piece_size) as sink:
        edges = sorted({0, len(plain), *(cut for cut in cuts if cut < len(plain))})
        for start, end in pairwise(edges):
            sink.write(plain[start:end])
    out.seek(0)
    reader = decrypt(out, keys=[recipient.key])
    assert reader.read() == plain
    for position in cuts:
        reader.seek(position)
        assert reader.read(100) == plain[position : position + 100]


_made: list[Credential] = []


def _recipient() -> Credential:
    """Hypothesis takes no fixtures of smaller scope; a key made once serves."""
    if not _made:
        _made.append(Authority.new().business("964338531", "Mottaker"))
    return _made[0]


@given(st.binary(max_size=400), st.integers(1, 40), st.booleans())
@settings(max_examples=100, deadline=None)
def test_whatever_another_writes_in_whatever_pieces_is_read(plain: bytes, piece_size: int, nested: bool) -> None:
    recipient = _recipient()
    data = enveloped(plain, [(recipient.certificate, SHA256_OAEP)], piece_size=piece_size, nested=nested)
    assert decrypted(data, recipient) == plain


@pytest.mark.parametrize("size", [CHUNK - 17, CHUNK - 1, CHUNK, CHUNK + 1, CHUNK + 16, 2 * CHUNK])
def test_content_that_ends_about_a_chunks_end_is_read_from_either_end(
    recipient_credential: Credential, size: int
) -> None:
    plain, out = noise(size), io.BytesIO()
    encrypt(io.BytesIO(plain), recipient=recipient_credential.certificate, out=out)
    out.seek(0)
    reader = open_cms(out, keys=[recipient_credential.key], limits=Limits())
    assert reader.size == size
    for offset in (size, size - 1, size - 20, CHUNK - 30, 0):
        assert reader.read_at(offset, 40) == plain[offset : offset + 40]
    assert reader.read_at(0, size + 1) == plain


def test_a_source_that_shrinks_while_it_is_read_is_an_envelope_error(recipient_credential: Credential) -> None:
    out = io.BytesIO()
    encrypt(io.BytesIO(noise(3 * CHUNK)), recipient=recipient_credential.certificate, out=out)
    out.seek(0)
    reader = decrypt(out, keys=[recipient_credential.key])
    out.truncate(CHUNK)
    with pytest.raises(EnvelopeError, match="changed while it was read"):
        reader.read()


def test_an_envelope_may_stand_anywhere_in_its_source(recipient_credential: Credential) -> None:
    out = io.BytesIO(b"before")
    out.seek(6)
    encrypt(io.BytesIO(PLAIN), recipient=recipient_credential.certificate, out=out)
    out.seek(6)
    assert decrypt(out, keys=[recipient_credential.key]).read() == PLAIN
