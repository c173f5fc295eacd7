"""Object identifiers and algorithm identifiers, between their encoded form and `cryptography`'s objects."""

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import NamedTuple, TypeVar

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from fiksmelding.envelope.ber import (
    NULL,
    OCTET_STRING,
    SEQUENCE,
    BerError,
    Element,
    decode,
    encode,
    encode_oid,
    encode_sequence,
)

DATA = "1.2.840.113549.1.7.1"
SIGNED_DATA = "1.2.840.113549.1.7.2"
ENVELOPED_DATA = "1.2.840.113549.1.7.3"
AUTH_ENVELOPED_DATA = "1.2.840.113549.1.9.16.1.23"

RSA_PKCS1 = "1.2.840.113549.1.1.1"
RSA_OAEP = "1.2.840.113549.1.1.7"
RSA_PSS = "1.2.840.113549.1.1.10"
MGF1 = "1.2.840.113549.1.1.8"
P_SPECIFIED = "1.2.840.113549.1.1.9"

SHA1 = "1.3.14.3.2.26"
SHA256 = "2.16.840.1.101.3.4.2.1"
SHA384 = "2.16.840.1.101.3.4.2.2"
SHA512 = "2.16.840.1.101.3.4.2.3"

AES_256_CBC = "2.16.840.1.101.3.4.1.42"
CBC_KEY_SIZES = {"2.16.840.1.101.3.4.1.2": 16, "2.16.840.1.101.3.4.1.22": 24, AES_256_CBC: 32}
GCM_KEY_SIZES = {"2.16.840.1.101.3.4.1.6": 16, "2.16.840.1.101.3.4.1.26": 24, "2.16.840.1.101.3.4.1.46": 32}
"""Bytes of key for each content encryption algorithm (RFC 3565, RFC 5084)."""

HASHES: dict[str, type[hashes.HashAlgorithm]] = {
    SHA1: hashes.SHA1,
    SHA256: hashes.SHA256,
    SHA384: hashes.SHA384,
    SHA512: hashes.SHA512,
}

DEFAULT_HASH = hashes.SHA1()  # noqa: S303  # the default of RFC 8017 where none is stated

SHA256_IDENTIFIER = encode_sequence(encode_oid(SHA256), encode(NULL))
MGF1_SHA256_IDENTIFIER = encode_sequence(encode_oid(MGF1), SHA256_IDENTIFIER)
OAEP_SHA256_IDENTIFIER = encode_sequence(
    encode_oid(RSA_OAEP), encode_sequence(encode(0xA0, SHA256_IDENTIFIER), encode(0xA1, MGF1_SHA256_IDENTIFIER))
)
"""RSAES-OAEP with SHA-256 and MGF1-SHA-256 and an empty label: what we write (contract section 8)."""


Read = TypeVar("Read")

SHORT = 256
"""Bytes of encoding up to which a reading is remembered, so that strangers cannot fill memory with them."""


def remember_short(read: Callable[[Element], Read]) -> Callable[[Element], Read]:
    """Remember the last readings of short elements: the same few algorithms occur in every envelope.

    Only for readings that depend on nothing but the element, and whose result nobody changes.
    """
    remembered = lru_cache(maxsize=64)(read)

    @wraps(read)
    def recall(element: Element) -> Read:
        return remembered(element) if len(element.raw) <= SHORT else read(element)

    return recall


class AlgorithmIdentifier(NamedTuple):
    """An algorithm and its parameters (None when absent)."""

    oid: str
    parameters: Element | None


@remember_short
def algorithm_of(element: Element) -> AlgorithmIdentifier:
    """Take an AlgorithmIdentifier apart.

    Raises:
        BerError: It is none.
    """
    if element.tag != SEQUENCE:
        raise BerError("an algorithm identifier is expected")
    children = element.children()
    oid = children.take().oid()
    rest = children.rest()
    return AlgorithmIdentifier(oid, rest[0] if rest else None)


def hash_of(oid: str) -> hashes.HashAlgorithm:
    """The hash that an object identifier names.

    Raises:
        BerError: We do not know it.
    """
    if oid not in HASHES:
        raise BerError("an unknown hash algorithm")
    return HASHES[oid]()


def _hash_parameter(tagged: Element | None) -> hashes.HashAlgorithm:
    """A hash in an explicit tag; SHA-1 when absent (RFC 8017, A.2.1 and A.2.3)."""
    if tagged is None:
        return DEFAULT_HASH
    return hash_of(algorithm_of(decode(tagged.content)).oid)


def _mgf1_hash(tagged: Element | None) -> hashes.HashAlgorithm:
    if tagged is None:
        return DEFAULT_HASH
    mask = algorithm_of(decode(tagged.content))
    if mask.oid != MGF1 or mask.parameters is None:
        raise BerError("an unknown mask generation function")
    return hash_of(algorithm_of(mask.parameters).oid)


def oaep_padding(parameters: Element | None) -> padding.OAEP:
    """RSAES-OAEP as the parameters say it (RFC 8017, A.2.1).

    Raises:
        BerError: They are malformed or name what we do not know.
    """
    children = decode(encode_sequence()).children() if parameters is None else parameters.children()
    algorithm = _hash_parameter(children.optional(0xA0))
    mask = _mgf1_hash(children.optional(0xA1))
    label = None
    source = children.optional(0xA2)
    if source is not None:
        specified = algorithm_of(decode(source.content))
        if specified.oid != P_SPECIFIED or specified.parameters is None or specified.parameters.tag != OCTET_STRING:
            raise BerError("an unknown source of the OAEP label")
        label = specified.parameters.content or None
    return padding.OAEP(mgf=padding.MGF1(mask), algorithm=algorithm, label=label)


def pss_padding(parameters: Element | None) -> tuple[padding.PSS, hashes.HashAlgorithm]:
    """RSASSA-PSS and its hash as the parameters say it (RFC 8017, A.2.3).

    Raises:
        BerError: They are malformed or name what we do not know.
    """
    if parameters is None:
        raise BerError("RSASSA-PSS without its parameters")
    children = parameters.children()
    algorithm = _hash_parameter(children.optional(0xA0))
    mask = _mgf1_hash(children.optional(0xA1))
    tagged_salt = children.optional(0xA2)
    salt_length = 20 if tagged_salt is None else decode(tagged_salt.content).integer()
    trailer = children.optional(0xA3)
    if not 0 <= salt_length <= 1024 or (trailer is not None and decode(trailer.content).integer() != 1):
        raise BerError("strange RSASSA-PSS parameters")
    return padding.PSS(mgf=padding.MGF1(mask), salt_length=salt_length), algorithm
