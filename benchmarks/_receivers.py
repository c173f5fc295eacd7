"""Receivers to measure, each a process of its own: ours, and the consumer on KS's Java client.

`python -m benchmarks._receivers SETTINGS FOLDER` is ours: a handler that writes the report's files and nothing else, as
the other one does.
"""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509

from benchmarks._queue import PASSWORD, Account
from fiksmelding import Receiver, Registered, Report, Settings
from support import ks_client

PREFETCH = 10
TICKS = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100


@dataclass(frozen=True)
class Running:
    """A receiver at work.

    Attributes:
        process: Its process.
    """

    process: "subprocess.Popen[bytes]"

    def processor_seconds(self) -> float:
        """The processor time it has used, all its threads together (Linux)."""
        words = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(words[11]) + int(words[12])) / TICKS

    def memory(self) -> int:
        """The memory it uses now, in bytes (Linux)."""
        words = Path(f"/proc/{self.process.pid}/statm").read_text().split()
        return int(words[1]) * os.sysconf("SC_PAGE_SIZE")


def write_settings(account: Account, api_url: str, journal_url: str, *, concurrency: int = 4) -> Path:
    """Settings of ours; returns the file."""
    file = account.folder / "settings.toml"
    file.write_text(
        f"""
[account]
id = "{account.konto_id}"
private_keys = ["key.pem"]
sign_certificate = "certificate.pem"

[integration]
id = "{account.integration_id}"
password = "{PASSWORD}"

[maskinporten]
issuer = "{api_url}/"
client_id = "benchmark"
private_key = "key.pem"
certificate = "certificate.pem"

[platform]
api_url = "{api_url}"

[broker]
host = "127.0.0.1"
port = {account.broker.port}
ca_file = "roots.pem"
prefetch = {PREFETCH}

[journal]
url = "{journal_url}"

[receiver]
concurrency = {concurrency}

[trust]
roots = ["roots.pem"]
""",
        "utf-8",
    )
    return file


def ours(settings: Path, folder: Path) -> Sequence[str]:
    """The command of our receiver."""
    return [sys.executable, "-m", "benchmarks._receivers", str(settings), str(folder)]


def java(account: Account, api_url: str, folder: Path) -> Sequence[str]:
    """The command of the consumer on KS's Java client (interop/java/client, `Consumer`)."""
    root = x509.load_pem_x509_certificate(account.roots.read_bytes())
    trust_store = ks_client.write_trust_store(account.folder / "trust.p12", root)
    values = {
        "api.url": api_url,
        "issuer": f"{api_url}/",
        "amqp.host": account.broker.host,
        "amqp.port": account.broker.port,
        "account.id": account.konto_id,
        "integration.id": account.integration_id,
        "integration.password": PASSWORD,
        "client.id": "benchmark",
        "organisation.id": account.konto_id,
    }
    settings = ks_client.write_properties(account.folder / "java.properties", account.recipient, values)
    return [*ks_client.java_command(trust_store, "Consumer"), str(settings), str(folder), "1000000", "1000000"]


@contextmanager
def running(command: Sequence[str]) -> Iterator[Running]:
    """Run a receiver until the end of the block."""
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, cwd=Path(__file__).parents[1]) as process:
        try:
            yield Running(process)
        finally:
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(30)
            process.kill()


async def receive(settings: Path, folder: Path) -> None:
    def write(report: Report, json: bytes | None, pdf: bytes | None) -> None:
        (folder / f"{report.id}.json").write_bytes(json or b"")
        (folder / f"{report.id}.pdf").write_bytes(pdf or b"")

    async def register(report: Report) -> Registered:
        await asyncio.to_thread(write, report, await report.json(), await report.pdf())
        return Registered(reference=report.id)

    async with Receiver(Settings.load(settings), register) as receiver:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, receiver.stop)
        await receiver.run()


if __name__ == "__main__":
    asyncio.run(receive(Path(sys.argv[1]), Path(sys.argv[2])))
