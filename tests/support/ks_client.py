"""KS's own Java client beside the tests (interop/java/client): unmodified, told what to do."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption
from cryptography.hazmat.primitives.serialization.pkcs12 import (
    PKCS12Certificate,
    serialize_java_truststore,
    serialize_key_and_certificates,
)

from fiksmelding.simulator import Simulator
from fiksmelding.simulator.pki import Credential
from support import java_process
from support.java_process import JavaProcess

PROJECT = Path(__file__).parents[2] / "interop" / "java" / "client"
PACKAGE = "no.fiksmelding.interop.client"
PASSWORD = "password"
ALIAS = "business"


class KsClient:
    """KS's client, running.

    Args:
        process: The program.
    """

    def __init__(self, process: JavaProcess) -> None:
        self._process = process

    def ask(self, *words: object) -> object:
        """Give a command, and return its answer."""
        return json.loads(self._process.ask(*words))

    def tell(self, *words: object) -> str:
        """Give a command that is answered with a text."""
        answer = self.ask(*words)
        assert isinstance(answer, str)
        return answer

    def next(self, *zip_file: Path, seconds: int = 20) -> dict[str, object]:
        """The next delivery; what it holds goes to `zip_file`."""
        answer = self.ask("next", seconds, *zip_file)
        assert isinstance(answer, dict)
        return answer


def java_command(trust_store: Path, main: str) -> list[str]:
    """How a program of the project is started, which believes whom `trust_store` names; `build` comes before."""
    trust = {"trustStore": trust_store, "trustStorePassword": PASSWORD, "trustStoreType": "PKCS12"}
    options = [f"-Djavax.net.ssl.{name}={value}" for name, value in trust.items()]
    return java_process.java_command(PROJECT, f"{PACKAGE}.{main}", *options)


def build() -> None:
    """Compile the project and fetch KS's libraries, where that is not done yet."""
    java_process.build(PROJECT)


@contextmanager
def ks_client(trust_store: Path) -> Iterator[KsClient]:
    """Build and start KS's client."""
    build()
    with JavaProcess(java_command(trust_store, "Client")) as process:
        yield KsClient(process)


def write_trust_store(path: Path, root: x509.Certificate) -> Path:
    """A PKCS#12 store by which Java believes whoever chains to a root."""
    entries = [PKCS12Certificate(root, b"root")]
    path.write_bytes(serialize_java_truststore(entries, BestAvailableEncryption(PASSWORD.encode())))
    return path


def write_settings(fiks: Simulator, account: str, folder: Path) -> Path:
    """The properties and the key store by which KS's client acts as an account."""
    party = fiks.party(account)
    amqp = urlsplit(fiks.amqp_url)
    values = {
        "api.url": fiks.api_url,
        "issuer": fiks.issuer,
        "amqp.host": amqp.hostname,
        "amqp.port": amqp.port,
        "account.id": party.account.id,
        "integration.id": party.integration.id,
        "integration.password": party.integration.password.get_secret_value(),
        "client.id": party.client.id,
        "organisation.id": party.account.organisation.id,
    }
    return write_properties(folder / f"{account}.properties", party.credential, values)


def write_properties(path: Path, credential: Credential, values: Mapping[str, object]) -> Path:
    """Values as properties, and beside them the key store with a credential, which they name."""
    key_store = path.with_suffix(".p12")
    encryption = BestAvailableEncryption(PASSWORD.encode())
    key_store.write_bytes(
        serialize_key_and_certificates(
            ALIAS.encode(), credential.key, credential.certificate, credential.chain, encryption
        )
    )
    named = {**values, "keystore": key_store, "keystore.password": PASSWORD, "keystore.alias": ALIAS}
    path.write_text("".join(f"{name}={value}\n" for name, value in named.items()), "utf-8")
    return path
