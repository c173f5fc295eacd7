"""The ASiC manifest: which files a signature covers, and their digests (ETSI TS 102 918, 6.2.2; EN 319 162-1, A.4)."""

import base64
import binascii
import mimetypes
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import unquote

from lxml import etree

from fiksmelding.envelope.problems import ContainerProblem, ContainerRefused

__all__ = ["DIGESTS", "Manifest", "Reference", "parse_manifest", "parse_xml_safely", "write_manifest"]

ASIC = "http://uri.etsi.org/2918/v1.2.1#"
"""What .NET writes and every peer reads."""

ASIC_SPELLINGS = (ASIC, "http://uri.etsi.org/02918/v1.2.1#", "http://uri.etsi.org/02918/v1.1.1#")
"""What is read: Java writes the second (measured with fiks-io-asice-handler 2.2.8), older writers the third."""

XMLDSIG = "http://www.w3.org/2000/09/xmldsig#"
SIGNATURE_TYPE = "application/x-pkcs7-signature"

SHA256_URI = "http://www.w3.org/2001/04/xmlenc#sha256"
DIGESTS = {
    SHA256_URI: "sha256",
    "http://www.w3.org/2000/09/xmldsig#sha256": "sha256",
    "http://www.w3.org/2001/04/xmldsig-more#sha384": "sha384",
    "http://www.w3.org/2001/04/xmlenc#sha512": "sha512",
    "http://www.w3.org/2000/09/xmldsig#sha1": "sha1",
}
"""Digest algorithm URIs and what `hashlib` calls them; the second is what old containers say."""


@dataclass(frozen=True, slots=True)
class Reference:
    """A file that is signed for.

    Attributes:
        uri: Its name, as the manifest spells it.
        algorithm: The digest's name for `hashlib`.
        digest: The digest.
    """

    uri: str
    algorithm: str
    digest: bytes

    def names(self) -> tuple[str, ...]:
        """What the file may be called: as it stands, as the peers write it, or percent-decoded, as ETSI says."""
        return (self.uri, unquote(self.uri))


@dataclass(frozen=True, slots=True)
class Manifest:
    """What an ASiC manifest says.

    Attributes:
        signature: Name of the signature's file.
        references: The files it covers.
    """

    signature: str
    references: tuple[Reference, ...]


def _tag(namespace: str, name: str) -> str:
    return f"{{{namespace}}}{name}"


DIGEST_METHOD = _tag(XMLDSIG, "DigestMethod")
DIGEST_VALUE = _tag(XMLDSIG, "DigestValue")


def write_manifest(signature: str, digests: Iterable[tuple[str, bytes]]) -> bytes:
    """Write a manifest.

    Args:
        signature: Name of the signature's file.
        digests: Name and SHA-256 of each file.
    """
    root = etree.Element(_tag(ASIC, "ASiCManifest"), nsmap={"asic": ASIC, "ds": XMLDSIG})
    etree.SubElement(root, _tag(ASIC, "SigReference"), URI=signature, MimeType=SIGNATURE_TYPE)
    for name, digest in digests:
        mime_type = mimetypes.guess_type(name, strict=True)[0] or "application/octet-stream"
        reference = etree.SubElement(root, _tag(ASIC, "DataObjectReference"), URI=name, MimeType=mime_type)
        etree.SubElement(reference, DIGEST_METHOD, Algorithm=SHA256_URI)
        etree.SubElement(reference, DIGEST_VALUE).text = base64.b64encode(digest).decode()
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8", standalone=True)


def _malformed(what: str) -> ContainerRefused:
    return ContainerRefused(ContainerProblem.MALFORMED_MANIFEST, f"The container's manifest is malformed: {what}.")


def parse_xml_safely(data: bytes) -> etree._Element:
    """Parse XML that a stranger wrote: no entities, no document type, nothing fetched.

    Raises:
        ContainerRefused: It is not well-formed, or tries one of these.
    """
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise _malformed("it is not well-formed XML") from error
    if root.getroottree().docinfo.internalDTD is not None:
        raise ContainerRefused(
            ContainerProblem.ENTITY_IN_MANIFEST, "The container's manifest declares a document type, which it must not."
        )
    return root


def parse_manifest(data: bytes) -> Manifest:
    """Read a manifest.

    Raises:
        ContainerRefused: It is malformed.
    """
    root = parse_xml_safely(data)
    namespace = next((one for one in ASIC_SPELLINGS if root.tag == _tag(one, "ASiCManifest")), None)
    if namespace is None:
        raise _malformed("it is no ASiCManifest")
    signatures = list(root.iterchildren(_tag(namespace, "SigReference")))
    if len(signatures) != 1:
        raise _malformed("it must name one signature")
    references = tuple(_reference(one) for one in root.iterchildren(_tag(namespace, "DataObjectReference")))
    return Manifest(_attribute(signatures[0], "URI"), references)


def _attribute(element: etree._Element, name: str) -> str:
    value = element.get(name)
    if not value:
        raise _malformed(f"{name} is missing")
    return value


def _reference(element: etree._Element) -> Reference:
    method = next(element.iterchildren(DIGEST_METHOD), None)
    value = next(element.iterchildren(DIGEST_VALUE), None)
    if method is None or value is None:
        raise _malformed("a digest is missing")
    algorithm = DIGESTS.get(_attribute(method, "Algorithm"))
    if algorithm is None:
        raise _malformed("a digest algorithm is not known")
    return Reference(_attribute(element, "URI"), algorithm, decode_base64(value.text or ""))


def decode_base64(text: str) -> bytes:
    """Decode base64 with white space in it, and with nothing else.

    Raises:
        ContainerRefused: It is not base64.
    """
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise _malformed("a value is not base64") from error
