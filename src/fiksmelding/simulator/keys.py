"""The keys, certificates and passwords of the simulated world, made when first asked for."""

import secrets
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from pydantic import SecretStr

from fiksmelding.errors import SettingsError
from fiksmelding.simulator.files import write_private
from fiksmelding.simulator.pki import Authority, Credential

__all__ = ["Keys"]

TOKENS = "tokens"


class Keys:
    """Makes each key once. Give the same to several simulators to save the time that making them takes.

    Args:
        authority: The certificate authority; a fresh one when None.
        folder: Where they are kept for the next run, so that what was sealed in this one can be opened in that; None to
            keep nothing.
    """

    def __init__(self, authority: Authority | None = None, *, folder: Path | None = None) -> None:
        self._authority = authority
        self._folder = folder
        self._businesses: dict[str, Credential] = {}
        self._servers: dict[tuple[str, ...], Credential] = {}
        self._passwords: dict[str, SecretStr] = {}
        self._token_key: rsa.RSAPrivateKey | None = None

    def __repr__(self) -> str:
        return "Keys()"

    @property
    def authority(self) -> Authority:
        """The certificate authority that everyone trusts.

        Raises:
            SettingsError: A file in the folder is damaged.
        """
        if self._authority is None:
            root, issuing = self._kept("root"), self._kept("issuing")
            self._authority = Authority(root, issuing) if root and issuing else self._new_authority()
        return self._authority

    def business(self, organisation: str, name: str) -> Credential:
        """The business certificate of an organisation, by its number and a name.

        Raises:
            SettingsError: A file in the folder is damaged.
        """
        if organisation not in self._businesses:
            kept = self._kept(organisation)
            if kept is None or kept.chain != (self.authority.issuing.certificate,):
                kept = self.authority.business(organisation, name)
                self._keep(organisation, kept)
            self._businesses[organisation] = kept
        return self._businesses[organisation]

    def password(self, name: str) -> SecretStr:
        """The password of an integration.

        Raises:
            SettingsError: A file in the folder is damaged.
        """
        if name not in self._passwords:
            kept = self._read(f"{name}.password")
            password = secrets.token_urlsafe(32).encode() if kept is None else kept
            if kept is None:
                self._write(f"{name}.password", password)
            self._passwords[name] = SecretStr(password.decode())
        return self._passwords[name]

    def server(self, *names: str) -> Credential:
        """A TLS certificate for host names and addresses; not kept, for nobody pins it."""
        if names not in self._servers:
            self._servers[names] = self.authority.server(*names)
        return self._servers[names]

    def token_key(self) -> rsa.RSAPrivateKey:
        """What signs access tokens.

        Raises:
            SettingsError: A file in the folder is damaged.
        """
        if self._token_key is None:
            # In a certificate, as all the others: it is kept and read alike.
            self._token_key = self._kept_or(TOKENS, lambda: self.authority.server(TOKENS)).key
        return self._token_key

    def _kept_or(self, name: str, make: Callable[[], Credential]) -> Credential:
        kept = self._kept(name)
        if kept is None:
            kept = make()
            self._keep(name, kept)
        return kept

    def _new_authority(self) -> Authority:
        made = Authority.new()
        self._keep("root", made.root)
        self._keep("issuing", made.issuing)
        return made

    def _kept(self, name: str) -> Credential | None:
        data = self._read(f"{name}.pem")
        if data is None:
            return None
        try:
            key = load_pem_private_key(data, None)
            certificate, *chain = x509.load_pem_x509_certificates(data)
        except (TypeError, ValueError) as error:
            raise self._damaged(name) from error
        if not isinstance(key, rsa.RSAPrivateKey) or certificate.public_key() != key.public_key():
            raise self._damaged(name)
        # Certificates are dated by the machine's clock, like those that `pki` makes.
        expired = certificate.not_valid_after_utc <= datetime.now(UTC)
        return None if expired else Credential(key, certificate, tuple(chain))

    def _keep(self, name: str, credential: Credential) -> None:
        self._write(f"{name}.pem", credential.key_pem + credential.certificate_pem)

    def _read(self, name: str) -> bytes | None:
        if self._folder is None:
            return None
        path = self._folder / name
        return path.read_bytes() if path.exists() else None

    def _write(self, name: str, data: bytes) -> None:
        if self._folder is not None:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            write_private(self._folder / name, data)

    def _damaged(self, name: str) -> SettingsError:
        return SettingsError(f"{self._folder}/{name}.pem is damaged.", advice="Delete its folder to start anew.")
