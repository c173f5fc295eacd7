"""RabbitMQ with one account's queue, and sealed reports to fill it with."""

import asyncio
import io
import json
import random
import ssl
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID, uuid4

import aio_pika
from yarl import URL

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from fiksmelding.envelope import Signer, encrypt
from fiksmelding.envelope.asice import write_container
from fiksmelding.messages import PrivatBekymringsmelding, parse_json, render_pdf
from fiksmelding.simulator import Keys
from fiksmelding.simulator.pki import Credential
from support import rabbitmq as node_of_tests

EXAMPLE = Path(__file__).parents[1] / "examples" / "privat-v2.json"
MELDING_TYPE = "no.ks.fiks.bekymringsmelding.privat.v2"
AVSENDER_ID = "4f6e21d8-3c7b-4b9c-9e0a-111111111111"
PASSWORD = "integration-password"
DIFFERENT = 20
"""How many different containers are signed. Each message is encrypted anew: the same bytes again would be a resend."""
AT_A_TIME = 200


@dataclass(frozen=True)
class Account:
    """Who receives.

    Attributes:
        konto_id: The account.
        integration_id: The user on the broker.
        recipient: Opens the reports.
        sender: Has sealed them.
        folder: Keys as files, and whatever a receiver wants to write.
        broker: The broker's address, with the administrator's login.
        api_port: Where the broker asks.
        roots: The file with the root certificate.
    """

    konto_id: UUID
    integration_id: UUID
    recipient: Credential
    sender: Credential
    folder: Path
    broker: URL
    api_port: int
    roots: Path

    @property
    def queue(self) -> str:
        """The account's queue."""
        return f"fiksio.konto.{self.konto_id}"


class Queue:
    """The account's queue, to be filled.

    Args:
        account: Whose it is.
        containers: Signed reports.
    """

    def __init__(self, account: Account, containers: Sequence[bytes]) -> None:
        self.account = account
        self._containers = containers
        self._tls = ssl.create_default_context(cafile=str(account.roots))

    def body(self, number: int) -> bytes:
        """A sealed report, unlike any other."""
        out = io.BytesIO()
        container = io.BytesIO(self._containers[number % len(self._containers)])
        encrypt(container, recipient=self.account.recipient.certificate, out=out)
        return out.getvalue()

    def fill(self, reports: int) -> list[str]:
        """Make the queue anew and put reports into it; returns their ids."""
        return [melding_id for melding_id, _ in asyncio.run(self._publish(reports, None))]

    def publish(self, reports: int, per_second: float) -> list[tuple[str, float]]:
        """Publish steadily; returns each id, and when it went out on the machine's monotonic clock."""
        return asyncio.run(self._publish(reports, per_second))

    async def _publish(self, reports: int, per_second: float | None) -> list[tuple[str, float]]:
        connection = await aio_pika.connect(self.account.broker, ssl_context=self._tls)
        async with connection:
            channel = await connection.channel()
            if per_second is None:
                await channel.queue_delete(self.account.queue)
            await channel.declare_queue(self.account.queue, durable=True, arguments={"x-queue-type": "quorum"})
            exchange = channel.default_exchange
            sent: list[tuple[str, float]] = []
            if per_second is not None:
                for number in range(reports):
                    message = self._message(number)
                    sent.append((str(message.message_id), time.monotonic()))
                    await exchange.publish(message, self.account.queue)
                    await asyncio.sleep(random.expovariate(per_second))
                return sent
            for start in range(0, reports, AT_A_TIME):
                messages = [self._message(number) for number in range(start, min(start + AT_A_TIME, reports))]
                await asyncio.gather(*(exchange.publish(one, self.account.queue) for one in messages))
                sent += [(str(one.message_id), time.monotonic()) for one in messages]
            return sent

    def _message(self, number: int) -> aio_pika.Message:
        melding_id = str(uuid4())
        headers: dict[str, aio_pika.abc.FieldValue] = {
            "melding-id": melding_id,
            "type": MELDING_TYPE,
            "avsender-id": AVSENDER_ID,
            "avsender-navn": "Nasjonal portal",
            "egendefinert-header.klientMeldingId": str(uuid4()),
            "bekymringsmelding-id": str(uuid4()),
            "bydel-ressurs-id": str(uuid4()),
        }
        return aio_pika.Message(self.body(number), headers=headers, message_id=melding_id, delivery_mode=2)


def containers(sender: Credential) -> Sequence[bytes]:
    """Different reports as the platform signs them: JSON and PDF."""
    signed = []
    content = json.loads(EXAMPLE.read_bytes())
    message = parse_json(EXAMPLE.read_bytes(), MELDING_TYPE)
    assert isinstance(message, PrivatBekymringsmelding)
    pdf = render_pdf(message, report_id=str(uuid4()))
    signer = Signer(sender.key, sender.certificate, sender.chain)
    for number in range(DIFFERENT):
        data = json.dumps({**content, "melding": f"Melding nummer {number}."}, ensure_ascii=False).encode()
        out = io.BytesIO()
        write_container({"bekymringsmelding.json": data, "bekymringsmelding.pdf": pdf}, signer=signer, out=out)
        signed.append(out.getvalue())
    return signed


@contextmanager
def queue(folder: Path) -> Iterator[Queue]:
    """A RabbitMQ node with the queue of a fresh account; it asks on the account's `api_port` who may read."""
    keys = Keys()
    recipient, sender = keys.business("964338531", "Bergen"), keys.business("971032146", "KS")
    (folder / "key.pem").write_bytes(recipient.key_pem)
    (folder / "certificate.pem").write_bytes(recipient.certificate_pem)
    with node_of_tests.rabbitmq(keys, folder) as node:
        address = URL(node.simulator["amqp_url"])
        account = Account(uuid4(), uuid4(), recipient, sender, folder, address, node.simulator["api_port"], node.roots)
        yield Queue(account, containers(sender))
