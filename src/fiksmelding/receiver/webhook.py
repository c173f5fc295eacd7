"""The webhook handler: each report is posted to a URL, signed; the answer says whether the case system has it."""

import json
from collections.abc import Sequence
from types import TracebackType
from typing import Self
from uuid import uuid4

from fiksmelding.clock import Clock
from fiksmelding.config import WebhookSettings
from fiksmelding.errors import Reject, SettingsError
from fiksmelding.receiver.folder import about
from fiksmelding.receiver.report import Registered, Report
from fiksmelding.webhooks import Webhook, WebhookFailed

LONGEST_REFERENCE = 200
LONGEST_REASON = 1000
DEFAULT_REASON = "Mottakerens fagsystem avviste meldingen."
REFERENCE_HEADER = "Fiksmelding-Reference"


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
        self._webhook = Webhook(
            settings.url,
            name="webhook",
            secret=settings.key(),
            ca_file=settings.ca_file,
            timeout_seconds=settings.timeout_seconds,
            clock=clock,
        )

    async def __aenter__(self) -> Self:
        """Make ready to connect.

        Raises:
            SettingsError: `webhook.ca_file` cannot be used.
        """
        await self._webhook.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._webhook.__aexit__(kind, error, trace)

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
        headers = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
        answer = await self._webhook.call("POST", key=report.id, body=body, headers=headers)
        if answer.status == 422:
            raise Reject(_text(answer.body, ("reason", "melding"), LONGEST_REASON) or DEFAULT_REASON)
        if not 200 <= answer.status < 300:
            raise WebhookFailed(f"The webhook answered {answer.status}.", message_id=report.id)
        told = answer.headers.get(REFERENCE_HEADER, "")
        reference = _bounded(told, LONGEST_REFERENCE) or _text(answer.body, ("reference",), LONGEST_REFERENCE)
        return Registered(reference=reference or report.id)

    async def confirm(self, reference: str, report: Report) -> bool:
        """Read back: GET `<url>/<report id>?reference=…`. 200 means that it is there, 404 and 410 that it is not.

        Raises:
            WebhookFailed: Any other answer, or none.
        """
        url = (self._webhook.url / report.id).update_query(reference=reference)
        status = (await self._webhook.call("GET", url, key=report.id, signed=[report.id.encode()])).status
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
