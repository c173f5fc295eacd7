"""A writer of XAdES containers, after the XML that Digdir's Java library writes."""

import base64
import hashlib
import io
import zipfile
from collections.abc import Mapping
from urllib.parse import quote

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree

from fiksmelding.simulator.pki import Credential

DS = "http://www.w3.org/2000/09/xmldsig#"
XADES = "http://uri.etsi.org/01903/v1.3.2#"
C14N = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
SHA256 = "http://www.w3.org/2001/04/xmlenc#sha256"


def base64_text(data: bytes) -> str:
    """Base64 as text."""
    return base64.b64encode(data).decode()


def canonical(xml: str) -> bytes:
    """Canonical XML of a document."""
    return etree.tostring(etree.fromstring(xml), method="c14n")


def digest(data: bytes) -> str:
    """DigestMethod and DigestValue."""
    value = base64_text(hashlib.sha256(data).digest())
    return f'<DigestMethod xmlns="{DS}" Algorithm="{SHA256}"/><DigestValue xmlns="{DS}">{value}</DigestValue>'


def fingerprint(certificate: x509.Certificate) -> str:
    """DigestMethod and DigestValue of a certificate."""
    return digest(certificate.public_bytes(Encoding.DER))


def signatures_xml(files: Mapping[str, bytes], credential: Credential, *, reference: str = "") -> bytes:
    """META-INF/signatures.xml.

    Args:
        files: What it covers.
        credential: Who signs.
        reference: XML to put in each file's Reference, as hostile senders would.
    """
    serial = credential.certificate.serial_number
    properties = (
        f'<SignedProperties xmlns="{XADES}" Id="properties"><SignedSignatureProperties>'
        "<SigningTime>2026-11-01T12:00:00Z</SigningTime><SigningCertificate><Cert>"
        f"<CertDigest>{fingerprint(credential.certificate)}</CertDigest>"
        f'<IssuerSerial><X509IssuerName xmlns="{DS}">{credential.certificate.issuer.rfc4514_string()}</X509IssuerName>'
        f'<X509SerialNumber xmlns="{DS}">{serial}</X509SerialNumber></IssuerSerial>'
        "</Cert></SigningCertificate></SignedSignatureProperties></SignedProperties>"
    )
    references = "".join(
        f'<Reference URI="{quote(name)}">{reference}{digest(content)}</Reference>' for name, content in files.items()
    )
    info = (
        f'<SignedInfo xmlns="{DS}"><CanonicalizationMethod Algorithm="{C14N}"/>'
        f'<SignatureMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"/>{references}'
        f'<Reference Type="http://uri.etsi.org/01903#SignedProperties" URI="#properties"><Transforms>'
        f'<Transform Algorithm="{C14N}"/></Transforms>{digest(canonical(properties))}</Reference></SignedInfo>'
    )
    value = base64_text(credential.key.sign(canonical(info), padding.PKCS1v15(), hashes.SHA256()))
    certificates = "".join(
        f"<X509Certificate>{base64_text(one.public_bytes(Encoding.DER))}</X509Certificate>"
        for one in (credential.certificate, *credential.chain)
    )
    return (
        f'<XAdESSignatures xmlns="http://uri.etsi.org/02918/v1.2.1#"><Signature xmlns="{DS}" Id="signature">{info}'
        f"<SignatureValue>{value}</SignatureValue><KeyInfo><X509Data>{certificates}</X509Data></KeyInfo>"
        f'<Object><QualifyingProperties xmlns="{XADES}" Target="#signature">{properties}</QualifyingProperties>'
        "</Object></Signature></XAdESSignatures>"
    ).encode()


def xades_container(files: Mapping[str, bytes], signatures: bytes) -> bytes:
    """A container around files and a signatures.xml."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("mimetype", "application/vnd.etsi.asic-e+zip")
        for name, content in files.items():
            archive.writestr(name, content)
        archive.writestr("META-INF/signatures.xml", signatures)
    return out.getvalue()
