"""HOW it is sealed: an ASiC-E container inside CMS EnvelopedData (contract section 8). Pure and streaming.

Everything here is synchronous and takes time: asynchronous callers use a thread. The only exceptions that bad input
raises are `fiksmelding.errors.EnvelopeError` and its subclasses.
"""

from fiksmelding.envelope.api import (
    OpenedEnvelope,
    decrypt,
    encrypt,
    open_container,
    open_envelope,
    seal,
)
from fiksmelding.envelope.asice import EnvelopeFile
from fiksmelding.envelope.keys import DecryptionKey, load_certificates, load_private_key, load_revocation_list
from fiksmelding.envelope.limits import Limits
from fiksmelding.envelope.problems import ContainerProblem, ContainerRefused
from fiksmelding.envelope.signature import Signer
from fiksmelding.envelope.trust import Finding, SignerInfo, Trust, Verdict, organisation_number

__all__ = [
    "ContainerProblem",
    "ContainerRefused",
    "DecryptionKey",
    "EnvelopeFile",
    "Finding",
    "Limits",
    "OpenedEnvelope",
    "Signer",
    "SignerInfo",
    "Trust",
    "Verdict",
    "decrypt",
    "encrypt",
    "load_certificates",
    "load_private_key",
    "load_revocation_list",
    "open_container",
    "open_envelope",
    "organisation_number",
    "seal",
]
