"""What RabbitMQ's HTTP authentication plugin asks: who may log in, and who may do what."""

import hmac
import secrets
from collections.abc import Mapping
from uuid import uuid4

from fiksmelding.simulator.authentication import Authentication
from fiksmelding.simulator.refusals import Refusal

__all__ = ["Questions"]

VIRTUAL_HOST = "/"


class Questions:
    """Answers as the embedded broker decides: a login by integration and token, and then reading one's own queues.

    Attributes:
        probe: Name and password by which the simulator finds out whether RabbitMQ asks it at all.

    Args:
        authentication: Who checks integrations and tokens.
    """

    def __init__(self, authentication: Authentication) -> None:
        self._authentication = authentication
        self._open = False
        self.probe = (f"fiksmelding-{uuid4()}", secrets.token_urlsafe(32))

    def open(self) -> None:
        """Let clients in: until now, nobody but the probe may log in."""
        self._open = True

    def allows(self, question: str, fields: Mapping[str, str]) -> bool:
        """Whether a question (`user`, `vhost`, `resource`, `topic`) is answered by `allow`."""
        user = fields.get("username", "")
        match question:
            case "user":
                return self._may_log_in(user, fields.get("password", ""))
            case "vhost":
                return fields.get("vhost") == VIRTUAL_HOST and self._is_known(user)
            case "resource":
                wanted = (fields.get("resource"), fields.get("permission"), fields.get("vhost"))
                return wanted == ("queue", "read", VIRTUAL_HOST) and self._may_read(user, fields.get("name", ""))
            case _:
                return False

    def _may_log_in(self, user: str, password: str) -> bool:
        if user == self.probe[0]:
            return hmac.compare_digest(password.encode(), self.probe[1].encode())
        if not self._open:
            return False
        try:
            self._authentication.login(user, password)
        except Refusal:
            return False
        return True

    def _is_known(self, user: str) -> bool:
        return user == self.probe[0] or self._authentication.rights(user) is not None

    def _may_read(self, user: str, queue: str) -> bool:
        rights = self._authentication.rights(user)
        return rights is not None and rights.may_read(queue)
