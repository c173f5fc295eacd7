"""Reports sealed and submitted per second beside KS's Java libraries: the same simulator, report and PDF, in turns.

Java looks up the keys, seals twice and hands in, one report after the other, as KS's own client for the API does. Ours
finds the receiver, fills in the report, seals twice, keeps both copies on disk and hands in; a PDF is given, for Java
makes none either. The goal (issue 7) is at least twice Java's rate.
"""

import asyncio
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cryptography.hazmat.primitives.serialization import BestAvailableEncryption
from cryptography.hazmat.primitives.serialization.pkcs12 import serialize_key_and_certificates

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from benchmarks.sending_reports import UNSETTLED, report, several_at_once
from fiksmelding import Sender, Settings
from fiksmelding.envelope import load_certificates, load_private_key
from fiksmelding.messages import render_pdf
from support.ks_client import ALIAS, PASSWORD, KsClient, ks_client, write_trust_store

ROUNDS = 5
REPORTS = 60
WARM_UP = 300
STATUS_WAITS = ("status_first_seconds", "status_longest_seconds")
COMMAND = [sys.executable, "-m", "fiksmelding", "simulator", "--dir"]


@contextmanager
def simulator(folder: Path) -> Iterator[Settings]:
    with subprocess.Popen([*COMMAND, str(folder)], stdout=subprocess.PIPE, text=True) as started:
        try:
            assert started.stdout is not None
            started.stdout.readline()
            settings = Settings.load(folder / "settings-skole.toml", {})
            patient = settings.sender.model_copy(
                update={"status_first_seconds": 3600.0, "status_longest_seconds": 3600.0}
            )
            yield settings.model_copy(update={"sender": patient})
        finally:
            started.terminate()


def write_properties(settings: Settings, folder: Path) -> Path:
    """What KS's libraries need, made of our own settings."""
    account, maskinporten = settings.account, settings.maskinporten
    assert account.sign_certificate is not None
    certificate, *chain = load_certificates(account.sign_certificate.read_bytes())
    key = load_private_key(account.private_keys[0].read_bytes())
    encryption = BestAvailableEncryption(PASSWORD.encode())
    store = folder / "skole.p12"
    store.write_bytes(serialize_key_and_certificates(ALIAS.encode(), key, certificate, chain, encryption))
    values = {
        "api.url": settings.platform.api_url,
        "issuer": maskinporten.issuer,
        "amqp.host": "localhost",
        "amqp.port": 1,
        "account.id": account.id,
        "integration.id": settings.integration.id,
        "integration.password": settings.integration.secret().get_secret_value(),
        "client.id": maskinporten.client_id,
        "organisation.id": account.organisation_id,
        "keystore": store,
        "keystore.password": PASSWORD,
        "keystore.alias": ALIAS,
    }
    path = folder / "skole.properties"
    path.write_text("".join(f"{name}={value}\n" for name, value in values.items()), "utf-8")
    return path


async def ours(sender: Sender, pdf: bytes, at_once: int) -> float:
    """Reports per second."""
    one, began = report(), time.perf_counter()
    await several_at_once(REPORTS, lambda _: sender.send(one, to="Bergen", pdf=pdf), at_once)
    while await sender.outbox.count(*UNSETTLED):
        await sender.change()
    return REPORTS / (time.perf_counter() - began)


async def compared(java: KsClient, settings: Settings, folder: Path) -> dict[str, list[float]]:
    """Reports per second of each way, in turns."""
    one = report()
    data, pdf = folder / "report.json", folder / "report.pdf"
    data.write_bytes(one.to_json())
    pdf.write_bytes(render_pdf(one))
    words = ("submit", write_properties(settings, folder), "offentlig", "4601", "01", data, pdf)
    await asyncio.to_thread(java.ask, *words, WARM_UP)
    found: dict[str, list[float]] = {"Java": [], "ours, one at a time": [], "ours, 8 at once": []}
    async with Sender(settings) as sender:
        await ours(sender, pdf.read_bytes(), 8)
        for _ in range(ROUNDS):
            began = time.perf_counter()
            await asyncio.to_thread(java.ask, *words, REPORTS)
            found["Java"].append(REPORTS / (time.perf_counter() - began))
            found["ours, one at a time"].append(await ours(sender, pdf.read_bytes(), 1))
            found["ours, 8 at once"].append(await ours(sender, pdf.read_bytes(), 8))
    return found


def main() -> None:
    with tempfile.TemporaryDirectory() as name, simulator(Path(name)) as settings:
        folder = Path(name)
        [root, *_] = load_certificates((folder / "roots.pem").read_bytes())
        with ks_client(write_trust_store(folder / "trust.p12", root)) as java:
            found = asyncio.run(compared(java, settings, folder))
    rates = {way: statistics.median(speeds) for way, speeds in found.items()}
    for way, rate in rates.items():
        print(f"{way}: {rate:.0f} reports per second, ratio to Java {rate / rates['Java']:.2f}")


if __name__ == "__main__":
    main()
