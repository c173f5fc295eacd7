"""The keys and certificates of the simulated world, made when first asked for."""

from cryptography.hazmat.primitives.asymmetric import rsa

from fiksmelding.simulator.pki import KEY_BITS, Authority, Credential

__all__ = ["Keys"]


class Keys:
    """Makes each key once. Give the same to several simulators to save the time that making them takes.

    Args:
        authority: The certificate authority; a fresh one when None.
    """

    def __init__(self, authority: Authority | None = None) -> None:
        self._authority = authority
        self._businesses: dict[tuple[str, str], Credential] = {}
        self._servers: dict[tuple[str, ...], Credential] = {}
        self._token_key: rsa.RSAPrivateKey | None = None

    def __repr__(self) -> str:
        return "Keys()"

    @property
    def authority(self) -> Authority:
        """The certificate authority that everyone trusts."""
        if self._authority is None:
            self._authority = Authority.new()
        return self._authority

    def business(self, organisation: str, name: str) -> Credential:
        """The business certificate of an organisation, by its number and a name."""
        identity = (organisation, name)
        if identity not in self._businesses:
            self._businesses[identity] = self.authority.business(organisation, name)
        return self._businesses[identity]

    def server(self, *names: str) -> Credential:
        """A TLS certificate for host names and addresses."""
        if names not in self._servers:
            self._servers[names] = self.authority.server(*names)
        return self._servers[names]

    def token_key(self) -> rsa.RSAPrivateKey:
        """What signs access tokens."""
        if self._token_key is None:
            self._token_key = rsa.generate_private_key(public_exponent=65537, key_size=KEY_BITS)
        return self._token_key
