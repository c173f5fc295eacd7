"""KS's own Java client beside the tests (interop/java/client): unmodified, told what to do."""

import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self
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
from support.tools import run, tool

PROJECT = Path(__file__).parents[2] / "interop" / "java" / "client"
PACKAGE = "no.fiksmelding.interop.client"
PASSWORD = "password"
ALIAS = "business"


class KsClientFailed(Exception):
    """KS's client answered with an error."""


class KsClient:
    """A Java process with KS's client.

    Args:
        trust_store: Whom its TLS believes.
    """

    def __init__(self, trust_store: Path) -> None:
        self._trust_store = trust_store

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            java_command(self._trust_store, "Client"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            encoding="utf-8",
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            self._process.communicate(timeout=30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()

    def ask(self, *words: object) -> object:
        """Give a command, and return its answer."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write("\t".join(str(word) for word in words) + "\n")
        self._process.stdin.flush()
        answer, _, rest = self._process.stdout.readline().strip().partition(" ")
        if answer != "ok":
            raise KsClientFailed(rest or "the Java process ended")
        return json.loads(rest)

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
    """How a program of the project is started; `build` comes before."""
    class_path = os.pathsep.join([str(PROJECT / "target" / "classes"), str(PROJECT / "target" / "lib" / "*")])
    trust = {"trustStore": trust_store, "trustStorePassword": PASSWORD, "trustStoreType": "PKCS12"}
    properties = [f"-Djavax.net.ssl.{name}={value}" for name, value in trust.items()]
    return [tool("java"), "-Xmx1g", *properties, "-cp", class_path, f"{PACKAGE}.{main}"]


def build() -> None:
    """Compile the project and fetch KS's libraries, where that is not done yet."""
    tool("java")
    run("mvn", "-q", "-B", "-f", PROJECT, "package")


@contextmanager
def ks_client(trust_store: Path) -> Iterator[KsClient]:
    """Build and start KS's client."""
    build()
    with KsClient(trust_store) as client:
        yield client


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
