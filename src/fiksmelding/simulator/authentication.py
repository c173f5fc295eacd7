"""Who calls: token, integration and password, checked alike for HTTP and AMQP (contract section 3)."""

import hmac
from dataclasses import dataclass
from uuid import UUID

from fiksmelding.simulator.accounts import Integration, Register, queue_of
from fiksmelding.simulator.refusals import Refusal
from fiksmelding.simulator.tokens import Tokens

__all__ = ["Authentication", "QueueLogin"]

BEARER = "bearer "


@dataclass(frozen=True, slots=True)
class QueueLogin:
    """What a logged-in AMQP client may do.

    Attributes:
        integration: Who it is.
    """

    integration: Integration

    def may_read(self, queue: str) -> bool:
        """Whether it may consume from a queue: only from those of accounts it has rights on."""
        return any(queue == queue_of(account) for account in self.integration.accounts)


class Authentication:
    """Checks callers against the register.

    Args:
        register: Where integrations are looked up.
        tokens: Who checks access tokens.
    """

    def __init__(self, register: Register, tokens: Tokens) -> None:
        self._register = register
        self._tokens = tokens

    def caller(self, *, authorization: str, integration_id: str, password: str) -> Integration:
        """The integration behind an HTTP call.

        Args:
            authorization: The header `Authorization`; empty when absent.
            integration_id: The header `IntegrasjonId`; empty when absent.
            password: The header `IntegrasjonPassord`; empty when absent.

        Raises:
            Refusal: 401, for the token first and then for the integration.
        """
        if authorization[: len(BEARER)].lower() != BEARER:
            raise Refusal.token()
        return self._check(token=authorization[len(BEARER) :].strip(), integration_id=integration_id, password=password)

    def login(self, user: str, password: str) -> QueueLogin:
        """The login behind an AMQP connection: password, one space and a fresh token in the password.

        Raises:
            Refusal: 401, for whatever is wrong.
        """
        own, _, token = password.rpartition(" ")
        return QueueLogin(self._check(token=token, integration_id=user, password=own))

    def rights(self, user: str) -> QueueLogin | None:
        """What an integration may do once it is logged in; None when there is no such integration."""
        try:
            integration = self._register.integrations.get(UUID(user))
        except ValueError:
            return None
        return None if integration is None else QueueLogin(integration)

    def _check(self, *, token: str, integration_id: str, password: str) -> Integration:
        found = self._tokens.check(token)
        try:
            known_id = UUID(integration_id)
        except ValueError:
            raise Refusal.integration(None) from None
        integration = self._register.integrations.get(known_id)
        if integration is None:
            raise Refusal.integration(known_id)
        # A header may hold bytes that are no UTF-8, which arrive as surrogates.
        given = password.encode(errors="surrogateescape")
        right = hmac.compare_digest(given, integration.password.get_secret_value().encode())
        if not right or found.consumer != integration.organisation:
            raise Refusal.integration(known_id)
        return integration
