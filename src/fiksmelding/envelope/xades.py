"""XAdES signatures in ASiC-E containers (ETSI EN 319 132-1): verified by signxml, with files streamed through.

KS Fiks writes CAdES; XAdES containers occur in the sector, from Digdir's and the Estonian family of libraries.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from urllib.parse import unquote, unquote_plus

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree
from signxml.algorithms import (
    CanonicalizationMethod,
    DigestAlgorithm,
    SignatureMethod,
    digest_algorithm_implementations,
)
from signxml.verifier import VerifyResult
from signxml.xades.xades import XAdESSignatureConfiguration, XAdESVerifier, XAdESVerifyResult

from fiksmelding.envelope.certificates import usable_certificate
from fiksmelding.envelope.manifest import decode_base64, parse_xml_safely
from fiksmelding.envelope.signature import VerifiedSignature
from fiksmelding.errors import EnvelopeError, SignatureInvalid

__all__ = ["verify_xades"]

DS = "{http://www.w3.org/2000/09/xmldsig#}"
XADES = "{http://uri.etsi.org/01903/v1.3.2#}"
MAX_PARSED = 256 * 1024 * 1024
"""Bytes of XML that signxml may parse: it does so once for each reference."""

MAX_CERTIFICATES = 16

SIGNATURE_METHODS = frozenset(
    SignatureMethod[name]
    for size in ("SHA1", "SHA256", "SHA384", "SHA512")
    for name in (f"RSA_{size}", f"{size}_RSA_MGF1", f"ECDSA_{size}")
)
DIGEST_ALGORITHMS = frozenset(
    {DigestAlgorithm.SHA1, DigestAlgorithm.SHA256, DigestAlgorithm.SHA384, DigestAlgorithm.SHA512}
)

Parts = Callable[[], Iterator[bytes]]
Resolve = Callable[[tuple[str, ...]], Parts]


class _Streamed(bytes):
    """Stands for a file's content where signxml expects it whole."""

    parts: Parts


class _StreamingVerifier(XAdESVerifier):
    """signxml's verifier, but a file is hashed part by part, and default namespaces are canonicalized right.

    Should signxml ever stop asking these two methods, signatures are refused that are right, never the other way round.
    """

    def _c14n(
        self,
        nodes: etree._Element,
        algorithm: CanonicalizationMethod,
        inclusive_ns_prefixes: list[str] | None = None,
    ) -> bytes:
        # lxml writes xmlns="" where it should not when it canonicalizes below the root (XML-Security/signxml#275).
        alone = parse_xml_safely(etree.tostring(nodes, with_tail=False))
        canonical: bytes = super()._c14n(alone, algorithm=algorithm, inclusive_ns_prefixes=inclusive_ns_prefixes)
        return canonical

    def _get_digest(self, data: bytes, algorithm: DigestAlgorithm) -> bytes:
        digest = hashes.Hash(digest_algorithm_implementations[algorithm]())
        for part in data.parts() if isinstance(data, _Streamed) else [data]:
            digest.update(part)
        return digest.finalize()


def verify_xades(data: bytes, resolve: Resolve, *, sha1_signature: bool, sha1_digests: bool) -> VerifiedSignature:
    """Verify the signature of a `signatures.xml` and the digests of every file it names.

    Args:
        data: The XML.
        resolve: Gives the content of the file that has one of these names, and so learns what is covered.
        sha1_signature: Whether the signature may rest on SHA-1.
        sha1_digests: Whether digests may be SHA-1.

    Raises:
        SignatureInvalid: It is not right, or cannot be judged.
        ContainerInvalid: It is not well-formed XML, or uses what a signature must not.
    """
    root = parse_xml_safely(data)
    signatures = list(root.iter(f"{DS}Signature"))
    if len(signatures) != 1:
        raise SignatureInvalid("The signature file must hold one signature.")
    _check_references(signatures[0], len(data))
    certificates = _certificates(signatures[0])
    certificate = _leaf(certificates)
    configuration = XAdESSignatureConfiguration(
        signature_methods=frozenset(one for one in SIGNATURE_METHODS if sha1_signature or "SHA1" not in one.name),
        digest_algorithms=frozenset(one for one in DIGEST_ALGORITHMS if sha1_digests or one != DigestAlgorithm.SHA1),
        expect_references=True,
        # Validity at the time of receipt is judged with the rest of the trust, not here.
        verification_time=certificate.not_valid_before_utc,
    )

    def content(uri: str) -> _Streamed:
        streamed = _Streamed()
        streamed.parts = resolve((uri, unquote(uri), unquote_plus(uri)))
        return streamed

    try:
        results = _StreamingVerifier().verify(
            etree.tostring(root), x509_cert=certificate, uri_resolver=content, expect_config=configuration
        )
    except EnvelopeError:
        raise
    # On hostile XML signxml raises whatever its parts raise (TypeError, KeyError, lxml's and its own errors).
    except Exception as error:
        raise SignatureInvalid("The XAdES signature is not right, or is of a kind that is not accepted.") from error
    others = tuple(one for one in certificates if one != certificate)
    return VerifiedSignature(certificate, others, _signing_time(results), _digest_name(signatures[0]))


def _check_references(signature: etree._Element, size: int) -> None:
    """A file is signed as it is: whatever transforms it would let a signature cover something else."""
    references = signature.findall(f"{DS}SignedInfo/{DS}Reference")
    if len(references) * size > MAX_PARSED:
        raise SignatureInvalid("The signature names too many files.")
    for reference in references:
        uri = reference.get("URI", "")
        if not uri or (not uri.startswith("#") and reference.find(f"{DS}Transforms") is not None):
            raise SignatureInvalid("The signature covers something else than files as they are.")


def _certificates(signature: etree._Element) -> list[x509.Certificate]:
    elements = signature.findall(f"{DS}KeyInfo/{DS}X509Data/{DS}X509Certificate")
    if not 1 <= len(elements) <= MAX_CERTIFICATES:
        raise SignatureInvalid("The signature does not bring its signer's certificate.")
    loaded = [usable_certificate(decode_base64(element.text or "")) for element in elements]
    certificates = [one.certificate for one in loaded if one is not None]
    if not certificates:
        raise SignatureInvalid("The certificates of the signature are malformed.")
    return certificates


def _leaf(certificates: list[x509.Certificate]) -> x509.Certificate:
    """The certificate that issued none of the others."""
    for one in certificates:
        der = one.public_bytes(Encoding.DER)
        if not any(one.subject == other.issuer for other in certificates if other.public_bytes(Encoding.DER) != der):
            return one
    return certificates[0]


def _signing_time(results: Sequence[VerifyResult]) -> datetime | None:
    for result in results:
        if isinstance(result, XAdESVerifyResult):
            text = result.signed_properties.findtext(f"{XADES}SigningTime") or ""
            try:
                moment = datetime.fromisoformat(text.strip())
            except ValueError:
                return None
            return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return None


def _digest_name(signature: etree._Element) -> str:
    method = signature.find(f"{DS}SignedInfo/{DS}SignatureMethod")
    name = SignatureMethod(method.get("Algorithm")).name if method is not None else ""
    return next((one for one in ("sha1", "sha256", "sha384", "sha512") if one in name.lower().replace("_", "")), "")
