"""Messages of any protocol over Fiks IO: sealed, sent, and their answers awaited."""

from fiksmelding.fiks_io.fiks_io import Dialogue, FiksIO
from fiksmelding.fiks_io.message import Message

__all__ = ["Dialogue", "FiksIO", "Message"]
