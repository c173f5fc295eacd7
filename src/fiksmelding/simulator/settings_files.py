"""Settings for a party's own programs: keys, password and TOML as files, so that nothing has to be typed."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from fiksmelding.simulator.files import write_private
from fiksmelding.simulator.world import Party

__all__ = ["Addresses", "write_settings"]


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the simulator is reached.

    Attributes:
        api_url: Base of the HTTP API.
        issuer: The token issuer's URL.
        amqp_host: The broker's host.
        amqp_port: Its port.
        amqp_roots: The PEM file its certificate chains to; None for the simulator's own roots.
    """

    api_url: str
    issuer: str
    amqp_host: str
    amqp_port: int
    amqp_roots: Path | None = None


def write_settings(folder: Path, party: Party, roots_pem: bytes, addresses: Addresses) -> Path:
    """Write all a party needs into `folder`, in the format of `fiksmelding.config`.

    Paths in the TOML file are relative to it. Private files can be read by their owner alone.

    Returns:
        The TOML file, `settings-<name>.toml`.
    """
    own = folder / party.name
    own.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_private(own / "private-key.pem", party.credential.key_pem)
    write_private(own / "password.txt", party.integration.password.get_secret_value().encode())
    (own / "certificate.pem").write_bytes(party.credential.certificate_pem)
    (folder / "roots.pem").write_bytes(roots_pem)
    key, certificate = f"{party.name}/private-key.pem", f"{party.name}/certificate.pem"
    tables: dict[str, dict[str, object]] = {
        "account": {
            "id": str(party.account.id),
            "private_keys": [key],
            "sign_certificate": certificate,
            "organisation_id": str(party.account.organisation.id),
        },
        "integration": {"id": str(party.integration.id), "password_file": f"{party.name}/password.txt"},
        "maskinporten": {
            "issuer": addresses.issuer,
            "client_id": party.client.id,
            "private_key": key,
            "certificate": certificate,
        },
        "platform": {"api_url": addresses.api_url},
        "broker": {
            "host": addresses.amqp_host,
            "port": addresses.amqp_port,
            "ca_file": str(addresses.amqp_roots.absolute()) if addresses.amqp_roots else "roots.pem",
        },
        "journal": {"url": f"sqlite:///{party.name}/journal.db"},
        "trust": {"roots": ["roots.pem"]},
    }
    path = folder / f"settings-{party.name}.toml"
    path.write_text(_toml(tables), "utf-8")
    return path


def _toml(tables: Mapping[str, Mapping[str, object]]) -> str:
    # A JSON text, number or list of texts is TOML as it stands.
    return "\n".join(
        f"[{table}]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in values.items())
        for table, values in tables.items()
    )
