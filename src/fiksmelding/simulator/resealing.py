"""Envelopes sealed as they should not be: for a stranger, or signed with a certificate that nobody should believe."""

import io
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Literal
from uuid import UUID

from cryptography import x509

from fiksmelding.envelope import Signer, decrypt, encrypt, open_envelope, seal
from fiksmelding.errors import EnvelopeError
from fiksmelding.simulator.keys import Keys
from fiksmelding.simulator.pki import Authority, Credential

__all__ = ["Resealing", "Whose", "Wrong"]

Wrong = Literal["wrong_key", "expired_signer", "stranger_signer"]
Whose = Literal["own", "expired", "stranger"]
EXPIRED_AGO = timedelta(days=30)
NUMBER, NAME = "310971030", "KS Bekymringsmelding (test)"


class Resealing:
    """Opens envelopes with the accounts' own keys, which a simulator has, and seals them again.

    Args:
        keys: Whose authority everyone trusts.
        credential_of: The key and certificate of an account; None when there is no such account.
    """

    def __init__(self, keys: Keys, credential_of: Callable[[UUID], Credential | None]) -> None:
        self._keys = keys
        self._credential_of = credential_of

    @cached_property
    def stranger(self) -> Credential:
        """A certificate with the national service's name, from an authority that nobody knows."""
        return Authority.new().business(NUMBER, NAME)

    @cached_property
    def expired(self) -> Credential:
        """A certificate of the national service that was valid until a month ago."""
        now = datetime.now(UTC).replace(microsecond=0)
        started, ended = now - 24 * EXPIRED_AGO, now - EXPIRED_AGO
        return self._keys.authority.business(NUMBER, NAME, not_before=started, not_after=ended)

    def instead_of(self, certificate: x509.Certificate, whose: Whose) -> x509.Certificate:
        """The certificate itself, or one that nobody should seal for."""
        match whose:
            case "own":
                return certificate
            case "expired":
                return self.expired.certificate
            case "stranger":
                return self.stranger.certificate

    def reseal(self, body: bytes, recipient: UUID, how: Wrong) -> bytes:
        """The envelope sealed wrongly; as it was when it cannot be opened, or is not here.

        Args:
            body: The envelope.
            recipient: The account it is sealed for.
            how: `wrong_key` seals what is in it for a stranger; the others sign it anew, for the same recipient.
        """
        own = self._credential_of(recipient)
        if own is None or not body:
            return body
        try:
            if how == "wrong_key":
                return _encrypted_for(self.stranger.certificate, body, own)
            return _signed_by(self.expired if how == "expired_signer" else self.stranger, body, own)
        except EnvelopeError:
            return body


def _encrypted_for(stranger: x509.Certificate, body: bytes, own: Credential) -> bytes:
    resealed = io.BytesIO()
    with decrypt(io.BytesIO(body), keys=[own.key]) as content:
        encrypt(content, recipient=stranger, out=resealed)
    return resealed.getvalue()


def _signed_by(signer: Credential, body: bytes, own: Credential) -> bytes:
    resealed = io.BytesIO()
    with open_envelope(io.BytesIO(body), keys=[own.key]) as envelope:
        files = {name: file.read() for name, file in envelope.files.items()}
    seal(files, signer=Signer(signer.key, signer.certificate, signer.chain), recipient=own.certificate, out=resealed)
    return resealed.getvalue()
