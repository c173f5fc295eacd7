"""How the simulated platform says no: an HTTP status and the text the real one gives (contract section 3)."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Self
from uuid import UUID

from fiksmelding.errors import FiksmeldingError

__all__ = ["OAuthRefusal", "Refusal"]


class Refusal(FiksmeldingError):
    """A call is refused. Becomes the platform's error JSON, or an AMQP reply.

    Attributes:
        status: The HTTP status.
        message: The text, as the caller sees it.
        headers: HTTP headers of the answer.
    """

    def __init__(self, status: HTTPStatus, message: str, *, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.headers = dict(headers or {})

    @classmethod
    def token(cls) -> Self:
        """401: the access token is missing, malformed, expired, or not for Fiks."""
        return cls(HTTPStatus.UNAUTHORIZED, "Klarte ikke å validere access_token")

    @classmethod
    def integration(cls, integration_id: UUID | None) -> Self:
        """401: no such integration, wrong password, or the token's organisation is not the authorised one."""
        shown = integration_id or "(mangler)"
        return cls(HTTPStatus.UNAUTHORIZED, f"Autentisering feilet for integrasjon med id {shown}")

    @classmethod
    def right(cls, integration_id: UUID, resource: str) -> Self:
        """403: the integration lacks the right on the resource."""
        return cls(HTTPStatus.FORBIDDEN, f"Integrasjon med id {integration_id} mangler tilgang til {resource}")

    @classmethod
    def bad_request(cls, message: str) -> Self:
        """400: the call itself is wrong."""
        return cls(HTTPStatus.BAD_REQUEST, message)

    @classmethod
    def not_found(cls, message: str) -> Self:
        """404."""
        return cls(HTTPStatus.NOT_FOUND, message)


class OAuthRefusal(FiksmeldingError):
    """The token endpoint refuses (RFC 6749, 5.2), in Maskinporten's words.

    Attributes:
        error: The OAuth error code.
        description: Why.
        code: Maskinporten's own number for the case, as in `error_uri`; None where it has none.
    """

    def __init__(self, error: str, description: str, *, code: str | None = None) -> None:
        super().__init__(description)
        self.error = error
        self.description = description
        self.code = code
