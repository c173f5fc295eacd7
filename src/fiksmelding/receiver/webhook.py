"""The webhook handler: each report is posted to a URL, signed; the answer says whether the case system has it."""

import hashlib
import hmac
import ipaddress
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Self
from uuid import uuid4

import aiohttp
from yarl import URL

from fiksmelding.clock import Clock, SystemClock
from fiksmelding.config import WebhookSettings
from fiksmelding.errors import FiksmeldingError, Reject, SettingsError
from fiksmelding.receiver.folder import about
from fiksmelding.receiver.report import Registered, Report
from fiksmelding.tls import client_context

LARGEST_ANSWER = 65_536
"""How much of an answer is read, in bytes."""
LONGEST_REFERENCE = 200
LONGEST_REASON = 1000
LEAST_SECRET = 16
DEFAULT_REASON = "Mottakerens fagsystem avviste meldingen."
REFERENCE_HEADER = "Fiksmelding-Reference"
PIECE = 65_536


class WebhookFailed(FiksmeldingError):
    """The webhook gave no answer that decides; the report is tried again."""


class WebhookHandler:
    """Posts each report to a URL. See docs/webhook.md for what the other side gets and answers.

    ```python
    async with WebhookHandler(settings.webhook) as handler, Receiver(settings, handler) as receiver:
        await receiver.run()
    ```

    Args:
        settings: Where to, the secret, TLS and time limit.
        clock: Where the time in the signature is read.

    Raises:
        SettingsError: There is no URL, it is not HTTPS (other than to this machine), or the secret is too short.
    """

    def __init__(self, settings: WebhookSettings, *, clock: Clock | None = None) -> None:
        if settings.url is None:
            raise SettingsError("There is no webhook to post to: set webhook.url.")
        self._settings = settings
        self._clock = clock or SystemClock()
        self._url = _safe_url(settings.url)
        self._secret = settings.key().get_secret_value().encode()
        if len(self._secret) < LEAST_SECRET:
            raise SettingsError(f"The webhook's secret must have {LEAST_SECRET} bytes at least.")
        self._stack = AsyncExitStack()
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        """Make ready to connect.

        Raises:
            SettingsError: `webhook.ca_file` cannot be used.
        """
        secure = client_context(self._settings.ca_file) if self._url.scheme == "https" else True
        session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=secure),
            timeout=aiohttp.ClientTimeout(total=self._settings.timeout_seconds),
            cookie_jar=aiohttp.DummyCookieJar(),
        )
        self._session = await self._stack.enter_async_context(session)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._session = None
        await self._stack.aclose()

    async def __call__(self, report: Report) -> Registered:
        """Post a report.

        Returns:
            What a 2xx says: the reference of the header `Fiksmelding-Reference` or of the JSON member `reference`, else
            the report's id.

        Raises:
            Reject: The answer was 422.
            WebhookFailed: Any other answer, or none.
        """
        boundary = uuid4().hex
        body = _body(boundary, await self._parts(report))
        headers = {
            **self._signed(report.id, body),
            "Content-Type": f"multipart/form-data; boundary={boundary}",
            "Content-Length": str(sum(map(len, body))),
        }
        status, answer_headers, answer = await self._call("POST", self._url, headers, body)
        if status == 422:
            raise Reject(_text(answer, ("reason", "melding"), LONGEST_REASON) or DEFAULT_REASON)
        if not 200 <= status < 300:
            raise WebhookFailed(f"The webhook answered {status}.", message_id=report.id)
        told = answer_headers.get(REFERENCE_HEADER, "")
        reference = _bounded(told, LONGEST_REFERENCE) or _text(answer, ("reference",), LONGEST_REFERENCE)
        return Registered(reference=reference or report.id)

    async def confirm(self, reference: str, report: Report) -> bool:
        """Read back: GET `<url>/<report id>?reference=…`. 200 means that it is there, 404 and 410 that it is not.

        Raises:
            WebhookFailed: Any other answer, or none.
        """
        url = (self._url / report.id).update_query(reference=reference)
        status, _, _ = await self._call("GET", url, self._signed(report.id, [report.id.encode()]), [])
        if status == 200:
            return True
        if status in {404, 410}:
            return False
        raise WebhookFailed(f"The webhook answered {status} to the read-back.", message_id=report.id)

    async def _parts(self, report: Report) -> Sequence[tuple[str, str, str, bytes]]:
        """Name, file name, type and content of each part."""
        parts = [("metadata", "metadata.json", "application/json", _metadata(report))]
        content = await report.json()
        if self._settings.format == "xml" and report.message is not None:
            xml = report.message.to_xml()
            parts.append(("bekymringsmelding", "bekymringsmelding.xml", "application/xml", xml))
        elif content is not None:
            parts.append(("bekymringsmelding", "bekymringsmelding.json", "application/json", content))
        pdf = await report.pdf()
        if pdf is not None:
            parts.append(("pdf", "bekymringsmelding.pdf", "application/pdf", pdf))
        return parts

    def _signed(self, report_id: str, body: Sequence[bytes]) -> dict[str, str]:
        """The headers that say when and by whom it was sent, so that a copy of it is of no use to anyone."""
        timestamp = str(int(self._clock.now().timestamp()))
        mac = hmac.new(self._secret, f"{timestamp}.".encode(), hashlib.sha256)
        for piece in body:
            mac.update(piece)
        return {
            "Idempotency-Key": report_id,
            "Fiksmelding-Timestamp": timestamp,
            "Fiksmelding-Signature": f"v1={mac.hexdigest()}",
        }

    async def _call(
        self, method: str, url: URL, headers: Mapping[str, str], body: Sequence[bytes]
    ) -> tuple[int, Mapping[str, str], bytes]:
        if self._session is None:
            raise FiksmeldingError("The webhook handler is not open.", advice="Use it inside `async with`.")
        data = _pieces(body) if body else None
        try:
            async with self._session.request(
                method, url, headers=headers, data=data, allow_redirects=False
            ) as response:
                return response.status, response.headers, await _beginning(response.content)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise WebhookFailed(f"The webhook gave no answer: {error.__class__.__name__}.") from error


def _safe_url(url: str) -> URL:
    parsed = URL(url)
    if parsed.scheme == "https" and parsed.host:
        return parsed
    if parsed.scheme == "http" and parsed.host and _is_this_machine(parsed.host):
        return parsed
    raise SettingsError("webhook.url must be https; only a webhook on this machine may go without.")


def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _metadata(report: Report) -> bytes:
    facts = about(report) | {
        "deadline_at": report.deadline_at.isoformat(),
        "attempt": report.attempt,
        "repeat": report.repeat,
    }
    return json.dumps(facts, ensure_ascii=False).encode()


def _body(boundary: str, parts: Sequence[tuple[str, str, str, bytes]]) -> list[bytes]:
    """The body as pieces: what is large is in it by reference, not as a copy (RFC 7578)."""
    pieces: list[bytes] = []
    for name, file_name, content_type, content in parts:
        head = (
            f"--{boundary}\r\n"
            f'Content-Disposition: form-data; name="{name}"; filename="{file_name}"\r\n'
            f"Content-Type: {content_type}\r\n\r\n"
        )
        pieces += [head.encode(), content, b"\r\n"]
    return [*pieces, f"--{boundary}--\r\n".encode()]


async def _pieces(body: Sequence[bytes]) -> AsyncIterator[memoryview]:
    for part in body:
        whole = memoryview(part)
        for start in range(0, len(whole), PIECE):
            yield whole[start : start + PIECE]


async def _beginning(content: aiohttp.StreamReader) -> bytes:
    """What an answer says, as far as anybody could want to know."""
    answer = bytearray()
    async for piece in content.iter_any():
        answer += piece
        if len(answer) >= LARGEST_ANSWER:
            break
    return bytes(answer[:LARGEST_ANSWER])


def _text(answer: bytes, members: Sequence[str], longest: int) -> str | None:
    """The first of some members of a JSON object that holds a text."""
    try:
        told = json.loads(answer)
    except (ValueError, RecursionError):
        return None
    if not isinstance(told, dict):
        return None
    return next((found for name in members if (found := _bounded(told.get(name), longest))), None)


def _bounded(value: object, longest: int) -> str | None:
    """A text on one line, without control characters, and not too long; None when there is none."""
    if not isinstance(value, str):
        return None
    plain = "".join(character for character in " ".join(value.split()) if character.isprintable())
    return plain[:longest].strip() or None
