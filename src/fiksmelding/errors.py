"""Every error the library raises, in one tree, sorted by what the caller should do about it.

```
FiksmeldingError
├── SettingsError            correct the settings, then start again
├── InvalidMessage           the content is not what its message type says: hand it on unstructured, or reject it
├── NotSendable              a report cannot be sent as asked: nothing was kept, and its sender has to act
│   ├── UnknownReceiver      no such municipality or district
│   ├── NotJoined            the municipality takes no reports over this service: send it another way
│   ├── KeyUnusable          a key that the report would be sealed for may not be used
│   └── ReportTooLarge       more than the platform takes in one submission
├── EnvelopeError            the envelope cannot be opened or believed: keep it sealed, let a person decide
│   ├── DecryptionFailed     no configured key opens it (or it was altered: the two must look alike)
│   ├── SignatureInvalid     a digest or the signature does not match what it covers
│   └── ContainerInvalid     the container is malformed or hostile
├── PlatformError            Fiks answered with an error, or did not answer
│   ├── PlatformUnavailable  network, 429 or 5xx: the same call may succeed later
│   ├── AccessRefused        401 or 403: wrong token, password, organisation or right
│   ├── NotFound             404: no such account, key, document or report
│   └── RequestRefused       any other 4xx: the call itself is wrong and must not be repeated
├── BrokerError              the queue
│   ├── BrokerUnavailable    not connected: reconnecting goes on by itself
│   └── BrokerAccessRefused  the broker refused user name, password, token or queue
├── JournalError             the journal
│   └── JournalUnavailable   it cannot be read or written now: nothing is acknowledged until it can
└── Reject                   raised by a handler: this report is refused for good
```

No error text holds a token, a password, a key, or anything a report says. Identifiers, sizes and states only.
"""

from collections.abc import Sequence
from dataclasses import dataclass

__all__ = [
    "AccessRefused",
    "BrokerAccessRefused",
    "BrokerError",
    "BrokerUnavailable",
    "ContainerInvalid",
    "DecryptionFailed",
    "EnvelopeError",
    "FiksmeldingError",
    "InvalidMessage",
    "JournalError",
    "JournalUnavailable",
    "KeyUnusable",
    "NotFound",
    "NotJoined",
    "NotSendable",
    "PlatformError",
    "PlatformUnavailable",
    "Problem",
    "Reject",
    "ReportTooLarge",
    "RequestRefused",
    "SettingsError",
    "SignatureInvalid",
    "UnknownReceiver",
]


class FiksmeldingError(Exception):
    """The root of every error this library raises on purpose.

    Attributes:
        text: What happened, in a sentence, without the rest.
        message_id: The message concerned (`melding-id` or the report's own id), when one is.
        advice: What to do about it, in a sentence; empty when the text already says so.
    """

    def __init__(self, text: str, *, message_id: str | None = None, advice: str = "") -> None:
        super().__init__(text)
        self.text = text
        self.message_id = message_id
        self.advice = advice

    def __str__(self) -> str:
        parts = [self.text]
        if self.message_id:
            parts.append(f"(message {self.message_id})")
        if self.advice:
            parts.append(self.advice)
        return " ".join(parts)


class SettingsError(FiksmeldingError):
    """The settings are missing, unknown or contradict each other."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong in a message.

    Attributes:
        path: Where, as a JSON pointer (RFC 6901); "" is the whole document.
        reason: What is wrong, without the value itself: values are personal data.
    """

    path: str
    reason: str


class InvalidMessage(FiksmeldingError):
    """The content is not a valid message of its type.

    Attributes:
        problems: All that is wrong, in document order. Never holds a value from the message.
    """

    def __init__(self, problems: Sequence[Problem], *, message_id: str | None = None) -> None:
        self.problems = tuple(problems)
        listed = "; ".join(f"{problem.path or '/'}: {problem.reason}" for problem in self.problems[:5])
        more = f"; and {len(self.problems) - 5} more" if len(self.problems) > 5 else ""
        super().__init__(f"The message is not valid: {listed}{more}.", message_id=message_id)


class NotSendable(FiksmeldingError):
    """A report cannot be sent as it was asked for. Nothing of it was kept: its sender has to act."""


class UnknownReceiver(NotSendable):
    """There is no such municipality or district, or not the one that the report names."""


class NotJoined(NotSendable):
    """The municipality has not joined the service: the report has to reach it another way."""


class KeyUnusable(NotSendable):
    """A key that the report would be sealed for is expired, revoked, unfit or not the one that was pinned."""


class ReportTooLarge(NotSendable):
    """The sealed report is larger than the platform takes in one submission."""


class EnvelopeError(FiksmeldingError):
    """The envelope cannot be opened or believed. Nothing of its content has been handed on."""


class DecryptionFailed(EnvelopeError):
    """No configured private key opens the envelope.

    One text for every cause, whichever step failed: telling a wrong key from a wrong padding would let a sender
    recover plaintext by asking often (RFC 3218).
    """

    def __init__(self, *, message_id: str | None = None) -> None:
        super().__init__(
            "The envelope cannot be decrypted with any configured key.",
            message_id=message_id,
            advice="Check that the account's private key is configured, earlier ones included; "
            "if it is, the envelope was damaged or sealed for someone else.",
        )


class SignatureInvalid(EnvelopeError):
    """A digest or the signature in the container does not match what it covers."""


class ContainerInvalid(EnvelopeError):
    """The container (ASiC-E, its zip or its manifest) is malformed, incomplete or hostile."""


class PlatformError(FiksmeldingError):
    """Fiks answered with an error, or gave no usable answer.

    Attributes:
        status: The HTTP status, or None when there was no answer.
        error_id: `errorId` of the platform's error JSON: what KS support asks for.
        path: The path that was called, without query or host.
    """

    def __init__(
        self,
        text: str,
        *,
        status: int | None = None,
        error_id: str | None = None,
        path: str = "",
        message_id: str | None = None,
        advice: str = "",
    ) -> None:
        self.status = status
        self.error_id = error_id
        self.path = path
        shown = f"{text} [errorId {error_id}]" if error_id else text
        super().__init__(shown, message_id=message_id, advice=advice)


class PlatformUnavailable(PlatformError):
    """No answer, 429 or 5xx: the same call may succeed later."""


class AccessRefused(PlatformError):
    """401 or 403: the token, the integration's password, the organisation or the right is wrong."""


class NotFound(PlatformError):
    """404: there is no such account, key, document or report."""


class RequestRefused(PlatformError):
    """Another 4xx: the platform will never take this call as it stands."""


class BrokerError(FiksmeldingError):
    """Something is wrong between us and the queue."""


class BrokerUnavailable(BrokerError):
    """There is no working connection now. What was not acknowledged is delivered again."""


class BrokerAccessRefused(BrokerError):
    """The broker refused the user name, the password, the token or the queue."""


class JournalError(FiksmeldingError):
    """Something is wrong with the journal."""


class JournalUnavailable(JournalError):
    """The journal cannot be read or written now (disk full, locked, gone). Nothing is acknowledged until it can."""


class Reject(FiksmeldingError):
    """Raised by a handler to refuse a report for good.

    The sender gets `feilet` with the reason, and the platform sends the report by letter.

    Args:
        reason: Why, in plain Norwegian for the one who reads the receipt. Put no personal data in it.
    """

    def __init__(self, reason: str, *, message_id: str | None = None) -> None:
        self.reason = reason
        super().__init__(reason, message_id=message_id)
