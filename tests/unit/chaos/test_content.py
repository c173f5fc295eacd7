"""A report stays the same report when a sender fills in what senders fill in, and when nothing else changes."""

import json

from chaos.content import content_of

from fiksmelding.messages import MessageType
from support.documents import example

REPORT = json.loads(example(MessageType.PRIVAT_V2))


def content(**changes: object) -> str:
    return content_of(json.dumps(REPORT | changes).encode())


def test_what_a_sender_fills_in_makes_no_difference_and_what_the_reporter_wrote_does() -> None:
    filled = content(sendingstidspunkt="2030-01-01T00:00:00", leveringskanal="x", bydelsnummer="07", bydelsnavn="y")
    assert filled == content()
    assert content(melding="another") != content() != content(kommunenummer="0301")
