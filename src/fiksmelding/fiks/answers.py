"""What the platform answered, and which of our errors an unhappy answer is (contract section 3)."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TypeVar

from pydantic import TypeAdapter, ValidationError

from fiksmelding.errors import AccessRefused, NotFound, PlatformError, PlatformUnavailable, RequestRefused

Content = TypeVar("Content")

TOKEN_COMPLAINT = "access_token"  # noqa: S105  a word in the platform's message, no secret
SHORT_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,99}")


class TokenRefused(AccessRefused):
    """401 because of the access token: a fresh one may be taken."""


class NotConnected(PlatformUnavailable):
    """There was no connection to send the call over: it cannot have been done."""


class TryLater(PlatformUnavailable):
    """429 or 5xx with `Retry-After`.

    Attributes:
        retry_after: Seconds the platform asks us to wait.
    """

    def __init__(self, text: str, *, retry_after: float, status: int, error_id: str | None, path: str) -> None:
        self.retry_after = retry_after
        super().__init__(text, status=status, error_id=error_id, path=path)


@dataclass(frozen=True, slots=True)
class Answer:
    """A 2xx answer, read to its end.

    Attributes:
        status: The HTTP status.
        path: The path that was called, without query or host.
        body: The answer's bytes.
    """

    status: int
    path: str
    body: bytes = field(repr=False)

    def read_as(self, kind: type[Content] | TypeAdapter[Content]) -> Content:
        """Parse the JSON body.

        Args:
            kind: A model, or an adapter for dataclasses and tuples of them.

        Raises:
            PlatformUnavailable: The body is not what the contract says. Names the fields, never their values.
        """
        try:
            return (kind if isinstance(kind, TypeAdapter) else TypeAdapter(kind)).validate_json(self.body)
        except ValidationError as error:
            fields = {".".join(str(part) for part in mistake["loc"]) or "the body" for mistake in error.errors()}
            raise PlatformUnavailable(
                f"Fiks answered {self.status} to {self.path}, but not as agreed: {', '.join(sorted(fields))}.",
                status=self.status,
                path=self.path,
            ) from None


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer that is not 2xx.

    Attributes:
        method: The HTTP method of the call.
        path: The path that was called, without query or host.
        status: The HTTP status.
        headers: The answer's headers; names in any case.
        body: The first bytes of the answer, enough for the error JSON.
        now: When it came: aware, UTC. `Retry-After` may be a date.
    """

    method: str
    path: str
    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    now: datetime

    @property
    def called(self) -> str:
        """The start of every error text: who answered what to which call."""
        return f"Fiks answered {self.status} to {self.method} {self.path}"

    def member(self, name: str) -> str:
        """A text member of the error JSON; "" when there is none, or no JSON."""
        try:
            parsed = json.loads(self.body)
        except (ValueError, RecursionError):
            return ""
        value = parsed.get(name) if isinstance(parsed, dict) else None
        return value if isinstance(value, str) else ""

    def code(self, name: str) -> str | None:
        """A member that is a short code. Anything else may be personal data and is left out."""
        value = self.member(name)
        return value if SHORT_CODE.fullmatch(value) else None

    def retry_after(self) -> float | None:
        """Seconds the platform asks us to wait (RFC 9110, 10.2.3), or None."""
        value = self.headers.get("Retry-After", "").strip()
        if value.isascii() and value.isdigit():
            return float(value[:9])
        try:
            moment = parsedate_to_datetime(value)
        except ValueError:
            return None
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        return max(0.0, (moment - self.now).total_seconds())


def platform_error(refusal: Refusal) -> PlatformError:
    """The error for an answer of the Fiks API. Its text holds status, path and `errorId`, nothing else of the body."""
    status, path, error_id = refusal.status, refusal.path, refusal.code("errorId")
    if status == 429 or status >= 500:
        return unavailable(refusal, error_id=error_id)
    if status == 401 and TOKEN_COMPLAINT in refusal.member("message").lower():
        return TokenRefused(
            f"{refusal.called}: the access token was not accepted.",
            status=status,
            error_id=error_id,
            path=path,
            advice="Check that maskinporten.issuer belongs to the same environment as platform.api_url.",
        )
    if status == 401:
        return AccessRefused(
            f"{refusal.called}: the integration was not recognised.",
            status=status,
            error_id=error_id,
            path=path,
            advice="Check integration.id, its password, and that the token's organisation is the one it belongs to.",
        )
    if status == 403:
        return AccessRefused(
            f"{refusal.called}: the integration lacks the right.",
            status=status,
            error_id=error_id,
            path=path,
            advice="Grant it the right to the account or resource in Fiks Forvaltning.",
        )
    if status == 404:
        return NotFound(f"{refusal.called}: there is no such thing.", status=status, error_id=error_id, path=path)
    advice = "Check platform.api_url: it must be the API itself." if status < 400 else ""
    return RequestRefused(
        f"{refusal.called}: the call is not accepted as it stands.",
        status=status,
        error_id=error_id,
        path=path,
        advice=advice,
    )


def unavailable(refusal: Refusal, *, error_id: str | None = None) -> PlatformUnavailable:
    """The error for 429 and 5xx."""
    retry_after = refusal.retry_after()
    text = f"{refusal.called}: it cannot take the call now."
    if retry_after is not None:
        return TryLater(text, retry_after=retry_after, status=refusal.status, error_id=error_id, path=refusal.path)
    return PlatformUnavailable(text, status=refusal.status, error_id=error_id, path=refusal.path)
