"""Whose signature it is, and whether to believe it: chain, validity, key usage, revocation; and the policy on that."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from itertools import pairwise
from typing import Literal, NamedTuple

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID
from cryptography.x509.verification import Criticality, ExtensionPolicy, PolicyBuilder, Store, VerificationError

from fiksmelding.envelope.signature import VerifiedSignature
from fiksmelding.errors import SignatureInvalid

__all__ = ["Finding", "SignerInfo", "Trust", "Verdict", "organisation_number"]

ORGANISATION_NUMBER = re.compile(r"[0-9]{9}")
NTRNO = re.compile(r"NTRNO-([0-9]{9})")


class Finding(StrEnum):
    """What a check came to."""

    GOOD = "good"
    BAD = "bad"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What is known about a signer.

    Attributes:
        chain: Whether the certificate leads to a configured root; unknown without roots.
        validity: Whether it was valid when the envelope was received; unknown when that time is not given.
        key_usage: Whether it may be used for signing; good when it does not say (RFC 5280, 4.2.1.3).
        revocation: Whether it was revoked by then; unknown without a current CRL of its issuer.
        reasons: What is bad, in words.
    """

    chain: Finding
    validity: Finding
    key_usage: Finding
    revocation: Finding
    reasons: tuple[str, ...] = ()

    @property
    def trusted(self) -> bool:
        """Whether the chain and the validity are good and nothing is bad."""
        return self.chain == self.validity == Finding.GOOD and Finding.BAD not in (self.key_usage, self.revocation)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignerInfo:
    """Who signed.

    Attributes:
        certificate: The signer's certificate.
        organisation_number: Nine digits out of the certificate's subject; None when it holds none, or several.
        name: The subject's organisation name, else its common name.
        verdict: What is known about the certificate.
        digest: Hash that the signature rests on, as `hashlib` calls it; "sha1" is weak.
        signed_at: When the signer says to have signed, aware; None when that is not said.
    """

    certificate: x509.Certificate
    organisation_number: str | None
    name: str
    verdict: Verdict
    digest: str
    signed_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """What to believe. An altered container is never handed on, whatever stands here.

    Attributes:
        roots: Certificates that a signer's chain may end in.
        policy: `flag` hands on with the verdict; `require_chain` refuses a signer who is not trusted;
            `require_organisation` refuses also one whose organisation number is not among `organisations`.
        organisations: Organisation numbers, nine digits each.
        intermediates: Issuing certificates for signers who do not send theirs.
        crls: Revocation lists.
        sha1: Where SHA-1 is acceptable: nowhere, in the signature over the manifest, or in digests of files too. The
            default is what KS's own Java client needs: it signs with SHA-1 still (fiks-io-asice-handler 2.2.8), over a
            manifest with SHA-256 digests, where collisions would have to be found among digests.
        allow_pkcs1: Whether a content key padded with PKCS#1 v1.5 is acceptable; .NET senders write one first.
    """

    roots: tuple[x509.Certificate, ...] = ()
    policy: Literal["flag", "require_chain", "require_organisation"] = "flag"
    organisations: frozenset[str] = frozenset()
    intermediates: tuple[x509.Certificate, ...] = ()
    crls: tuple[x509.CertificateRevocationList, ...] = ()
    sha1: Literal["refuse", "signature", "accept"] = "signature"
    allow_pkcs1: bool = True

    def judge(self, signature: VerifiedSignature, received_at: datetime | None) -> SignerInfo:
        """Say who signed, and refuse whom the policy refuses.

        Args:
            signature: A signature that is right.
            received_at: When the envelope was received, aware. A policy other than `flag` needs it.

        Raises:
            SignatureInvalid: The policy refuses the signer.
        """
        stated = _stated(signature.certificate)
        signer = SignerInfo(
            certificate=signature.certificate,
            organisation_number=stated.organisation_number,
            name=stated.name,
            verdict=self._verdict(signature, received_at),
            digest=signature.digest,
            signed_at=signature.signed_at,
        )
        if self.policy != "flag" and not signer.verdict.trusted:
            reasons = "; ".join(signer.verdict.reasons) or "it cannot be judged without roots and time of receipt"
            raise SignatureInvalid(f"The signer is not trusted: {reasons}.")
        if self.policy == "require_organisation" and signer.organisation_number not in self.organisations:
            raise SignatureInvalid("The signer is not one of the organisations that are accepted.")
        return signer

    def _verdict(self, signature: VerifiedSignature, received_at: datetime | None) -> Verdict:
        certificate = signature.certificate
        # Without a time of receipt the chain is judged at the certificate's own first day.
        moment = received_at or certificate.not_valid_before_utc
        chain = self._chain(certificate, (*signature.others, *self.intermediates), moment)
        findings = {
            "chain": Finding.UNKNOWN if not self.roots else _good(bool(chain)),
            "validity": Finding.UNKNOWN if received_at is None else _good(_is_valid(certificate, received_at)),
            "key_usage": _good(_stated(certificate).may_sign),
            "revocation": self._revocation(chain, moment),
        }
        reasons = {
            "chain": "the certificate leads to no trusted root",
            "validity": "the certificate was not valid when the envelope was received",
            "key_usage": "the certificate is not for signing",
            "revocation": "the certificate was revoked",
        }
        bad = tuple(reasons[name] for name, finding in findings.items() if finding is Finding.BAD)
        return Verdict(**findings, reasons=bad)

    def _chain(
        self, certificate: x509.Certificate, others: Sequence[x509.Certificate], moment: datetime
    ) -> list[x509.Certificate]:
        """The chain from the certificate to a root, or nothing."""
        if not self.roots:
            return []
        # The profiles of web servers are not those of business certificates: names and extended usage do not matter.
        authorities = ExtensionPolicy.permit_all().require_present(x509.BasicConstraints, Criticality.AGNOSTIC, None)
        verifier = (
            PolicyBuilder()
            .store(Store(list(self.roots)))
            .time(moment.replace(tzinfo=None))
            .extension_policies(ca_policy=authorities, ee_policy=ExtensionPolicy.permit_all())
            .build_client_verifier()
        )
        try:
            return list(verifier.verify(certificate, list(others)).chain)
        except (VerificationError, UnsupportedAlgorithm, ValueError):
            return []

    def _revocation(self, chain: Sequence[x509.Certificate], moment: datetime) -> Finding:
        """Whether any certificate below the root was revoked; unknown without the list of the signer's issuer."""
        findings = [self._is_revoked(one, issuer, moment) for one, issuer in pairwise(chain)]
        if Finding.BAD in findings:
            return Finding.BAD
        return findings[0] if findings else Finding.UNKNOWN

    def _is_revoked(self, certificate: x509.Certificate, issuer: x509.Certificate, moment: datetime) -> Finding:
        finding = Finding.UNKNOWN
        for crl in self.crls:
            if crl.issuer != issuer.subject or not _is_signed_by(crl, issuer):
                continue
            entry = crl.get_revoked_certificate_by_serial_number(certificate.serial_number)
            if entry is not None and entry.revocation_date_utc <= moment:
                return Finding.BAD
            # A list that has run out still tells who was revoked, but not who was not.
            if crl.next_update_utc is None or moment <= crl.next_update_utc:
                finding = Finding.GOOD
        return finding


def _is_signed_by(crl: x509.CertificateRevocationList, issuer: x509.Certificate) -> bool:
    key = issuer.public_key()
    if not isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey):
        return False
    try:
        return crl.is_signature_valid(key)
    except (TypeError, ValueError, UnsupportedAlgorithm):
        return False


def _good(condition: bool) -> Finding:
    return Finding.GOOD if condition else Finding.BAD


def _is_valid(certificate: x509.Certificate, moment: datetime) -> bool:
    return certificate.not_valid_before_utc <= moment <= certificate.not_valid_after_utc


class _Stated(NamedTuple):
    """What a certificate says, whenever it is asked."""

    organisation_number: str | None
    name: str
    may_sign: bool


@lru_cache(maxsize=64)
def _stated(certificate: x509.Certificate) -> _Stated:
    subject = certificate.subject
    return _Stated(organisation_number(subject), _display_name(subject), _may_sign(certificate))


def _may_sign(certificate: x509.Certificate) -> bool:
    try:
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return True
    return usage.digital_signature or usage.content_commitment


def organisation_number(subject: x509.Name) -> str | None:
    """The organisation number in a certificate's subject.

    Buypass and Commfides put it in `serialNumber` and, with the prefix `NTRNO-` (ETSI EN 319 412-1, 5.1.4), in
    `organizationIdentifier`. Where the two differ, there is none.
    """
    stated = [_text(one) for one in subject.get_attributes_for_oid(NameOID.ORGANIZATION_IDENTIFIER)]
    serials = [_text(one) for one in subject.get_attributes_for_oid(NameOID.SERIAL_NUMBER)]
    numbers = {match[1] for match in map(NTRNO.fullmatch, stated) if match}
    numbers |= {serial for serial in serials if ORGANISATION_NUMBER.fullmatch(serial)}
    return numbers.pop() if len(numbers) == 1 else None


def _display_name(subject: x509.Name) -> str:
    for oid in (NameOID.ORGANIZATION_NAME, NameOID.COMMON_NAME):
        for attribute in subject.get_attributes_for_oid(oid):
            return _text(attribute)
    return ""


def _text(attribute: x509.NameAttribute[str | bytes]) -> str:
    return attribute.value if isinstance(attribute.value, str) else attribute.value.decode("utf-8", errors="replace")
