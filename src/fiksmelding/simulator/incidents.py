"""What goes wrong in the world, by name: each a few faults, to test a receiver against one after the other."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from fiksmelding.messages import MessageType
from fiksmelding.simulator.faults import HttpFault, MessageFault

__all__ = ["INCIDENTS", "Incident"]

REPORTS = "no.ks.fiks.bekymringsmelding."
MOTTATT = MessageType.MOTTATT.value
SEND = "/fiks-io/api/v1/send"
TOKENS = "/maskinporten/"


@dataclass(frozen=True, slots=True)
class Incident:
    """Something that goes wrong.

    Attributes:
        name: Its name.
        what: What happens.
        faults: The faults it is made of.
    """

    name: str
    what: str
    faults: tuple[HttpFault | MessageFault, ...]


def _message(effect: str, **other: object) -> MessageFault:
    return MessageFault.model_validate({"effect": effect, "message_type": REPORTS, **other})


_ALL = (
    Incident("tokens-fail", "Maskinporten is down for two calls.", (HttpFault(path=TOKENS, status=503, times=2),)),
    Incident(
        "token-expired", "The first token has expired when it is used.", (HttpFault(path=TOKENS, token_seconds=0),)
    ),
    Incident("send-fails", "Fiks IO is down for two calls.", (HttpFault(path=SEND, status=503, times=2),)),
    Incident(
        "slow-down", "Fiks IO asks to come back later.", (HttpFault(path=SEND, status=429, retry_after_seconds=1),)
    ),
    Incident(
        "send-reset", "The connection breaks as the receipt is sent.", (HttpFault(path=SEND, connection="reset"),)
    ),
    Incident(
        "answer-lost",
        "The receipt is taken, but the answer is lost: the receiver cannot know.",
        (HttpFault(path=SEND, connection="reset_after"),),
    ),
    Incident("answer-cut", "Half of the answer to the receipt comes.", (HttpFault(path=SEND, body="cut"),)),
    Incident("duplicated", "The report is delivered twice under one melding-id.", (_message("duplicate"),)),
    Incident("resent", "The report is delivered twice under two melding-ids.", (_message("resend"),)),
    Incident("connection-reset", "The AMQP connection breaks as the report arrives.", (_message("reset"),)),
    Incident("corrupted", "A byte of the envelope is changed on the way.", (_message("corrupt"),)),
    Incident("truncated", "Half of the envelope is missing.", (_message("truncate"),)),
    Incident("wrong-key", "The report is sealed for somebody else.", (_message("wrong_key"),)),
    Incident(
        "stranger-signer",
        "The report is signed by nobody one should believe.",
        (_message("stranger_signer"),),
    ),
    Incident(
        "expired-signer",
        "The report is signed with a certificate that has expired.",
        (_message("expired_signer"),),
    ),
    Incident("lost", "The report never arrives.", (_message("lose"),)),
    Incident(
        "receipt-lost",
        "The receipt never arrives.",
        (MessageFault(effect="lose", message_type=MOTTATT),),
    ),
)

INCIDENTS: Mapping[str, Incident] = MappingProxyType({incident.name: incident for incident in _ALL})
"""Every incident by its name."""
