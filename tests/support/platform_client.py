"""A client of the platform that shares nothing with `fiksmelding.fiks`: raw HTTP, JWTs made by hand, pika."""

import asyncio
import base64
import io
import json
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import aiohttp
import pika
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding

from fiksmelding.simulator import Simulator
from fiksmelding.simulator.pki import Credential
from fiksmelding.simulator.world import Party

GRANT_TYPE = "urn:ietf:params:oauth:grant-type:jwt-bearer"


def encode(data: bytes) -> str:
    """Base64url without padding (RFC 7515, 2)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def x5c(credential: Credential) -> list[str]:
    """The certificates as the header parameter `x5c` wants them."""
    chain = (credential.certificate, *credential.chain)
    return [base64.b64encode(one.public_bytes(Encoding.DER)).decode() for one in chain]


def sign(header: Mapping[str, object], claims: Mapping[str, object], key: rsa.RSAPrivateKey) -> str:
    """A JWT signed with RS256, whatever the header says."""
    signed = f"{encode(json.dumps(header).encode())}.{encode(json.dumps(claims).encode())}"
    return f"{signed}.{encode(key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256()))}"


def assertion(
    party: Party,
    issuer: str,
    *,
    header: Mapping[str, object] | None = None,
    claims: Mapping[str, object] | None = None,
    without: frozenset[str] = frozenset(),
    key: rsa.RSAPrivateKey | None = None,
) -> str:
    """An assertion as it should be, but for what is asked to be otherwise."""
    now = int(time.time())
    all_claims: dict[str, object] = {
        "aud": issuer,
        "iss": party.client.id,
        "scope": "ks:fiks",
        "iat": now,
        "exp": now + 120,
        "jti": str(uuid4()),
        **(claims or {}),
    }
    full_header = {"alg": "RS256", "x5c": x5c(party.credential), **(header or {})}
    return sign(
        {name: value for name, value in full_header.items() if name not in without},
        {name: value for name, value in all_claims.items() if name not in without},
        key or party.credential.key,
    )


@dataclass(frozen=True)
class Received:
    """A delivery, as pika gave it."""

    headers: Mapping[str, str]
    body: bytes
    expiration: str | None
    redelivered: bool
    routing_key: str


@dataclass
class PlatformClient:
    """Speaks to a simulator as one party. Use it with `async with`."""

    fiks: Simulator
    account: str = "bergen"
    http: aiohttp.ClientSession = field(init=False)

    async def __aenter__(self) -> Self:
        self.http = aiohttp.ClientSession(self.fiks.api_url)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.http.close()

    @property
    def party(self) -> Party:
        return self.fiks.party(self.account)

    async def ask_token(self, assertion_text: str, grant_type: str = GRANT_TYPE) -> tuple[int, dict[str, object]]:
        form = {"grant_type": grant_type, "assertion": assertion_text}
        async with self.http.post(f"{self.fiks.issuer}token", data=form) as response:
            return response.status, await response.json()

    async def token(self, **changes: object) -> str:
        """A fresh access token."""
        status, answer = await self.ask_token(assertion(self.party, self.fiks.issuer, claims=changes))
        assert status == 200, answer
        return str(answer["access_token"])

    async def headers(self, **changes: str) -> dict[str, str]:
        """The three headers every call carries."""
        return {
            "Authorization": f"Bearer {await self.token()}",
            "IntegrasjonId": str(self.party.integration.id),
            "IntegrasjonPassord": self.party.integration.password.get_secret_value(),
            **changes,
        }

    async def get(self, path: str, **changes: str) -> tuple[int, dict[str, object]]:
        async with self.http.get(path, headers=await self.headers(**changes)) as response:
            return response.status, await response.json()

    async def get_bytes(self, path: str, *, headers: Mapping[str, str] | None = None) -> tuple[int, bytes]:
        async with self.http.get(path, headers={**await self.headers(), **(headers or {})}) as response:
            return response.status, await response.read()

    async def send(
        self, metadata: Mapping[str, object] | str, body: bytes | None = None
    ) -> tuple[int, dict[str, object]]:
        form = aiohttp.FormData()
        data = metadata if isinstance(metadata, str) else json.dumps(metadata)
        form.add_field("metadata", data, content_type="application/json")
        if body is not None:
            form.add_field("data", io.BytesIO(body), content_type="application/octet-stream", filename="data.bin")
        async with self.http.post("/fiks-io/api/v1/send", data=form, headers=await self.headers()) as response:
            return response.status, await response.json()

    async def answer(
        self, to: Received, message_type: str, body: bytes | None = None, **changes: object
    ) -> tuple[int, dict[str, object]]:
        """Send a receipt for a delivery."""
        return await self.send(
            {
                "avsenderKontoId": str(self.party.account.id),
                "mottakerKontoId": to.headers["avsender-id"],
                "meldingType": message_type,
                "svarPaMelding": to.headers["melding-id"],
                "headere": {"klientMeldingId": str(uuid4())},
                **changes,
            },
            body,
        )

    async def password(self) -> str:
        """What AMQP wants as password."""
        return f"{self.party.integration.password.get_secret_value()} {await self.token()}"

    async def receive(self, *, ack: bool = True, account_id: UUID | None = None) -> Received:
        """The next message on the account's queue, by pika over TLS."""
        queue = f"fiksio.konto.{account_id or self.party.account.id}"
        return await asyncio.to_thread(self.receive_now, queue, await self.password(), ack=ack)

    def connect(self, password: str) -> pika.BlockingConnection:
        """A connection by pika, for use in a thread."""
        return pika.BlockingConnection(
            pika.ConnectionParameters(
                host="127.0.0.1",
                port=urlsplit(self.fiks.amqp_url).port,
                credentials=pika.PlainCredentials(str(self.party.integration.id), password),
                ssl_options=pika.SSLOptions(ssl.create_default_context(cafile=str(self.roots())), "127.0.0.1"),
                blocked_connection_timeout=10,
                socket_timeout=10,
            )
        )

    def roots(self) -> Path:
        return self.fiks.write_settings(self.account).parent / "roots.pem"

    def receive_now(self, queue: str, password: str, *, ack: bool) -> Received:
        connection = self.connect(password)
        try:
            channel = connection.channel()
            channel.basic_qos(prefetch_count=1)
            for method, properties, body in channel.consume(queue, inactivity_timeout=timedelta(seconds=10).seconds):
                assert method is not None, "nothing came within 10 seconds"
                received = Received(
                    dict(properties.headers), body, properties.expiration, method.redelivered, method.routing_key
                )
                if ack:
                    channel.basic_ack(method.delivery_tag)
                    channel.cancel()
                return received
        finally:
            connection.close()
        raise AssertionError("the broker ended the consuming")
