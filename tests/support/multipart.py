"""What a multipart request held."""

import email
import email.policy
from dataclasses import dataclass

from support.platform import Seen


@dataclass(frozen=True)
class Part:
    """One part: its media type, content and file name."""

    media_type: str
    content: bytes
    filename: str | None


def parts(seen: Seen) -> dict[str, Part]:
    """The parts of a request by name."""
    raw = b"Content-Type: " + seen.headers["Content-Type"].encode() + b"\r\n\r\n" + seen.body
    message = email.message_from_bytes(raw, policy=email.policy.HTTP)
    return {
        str(part.get_param("name", header="content-disposition")): Part(
            part.get_content_type(), bytes(part.get_payload(decode=True)), part.get_filename()
        )
        for part in message.iter_parts()
    }
