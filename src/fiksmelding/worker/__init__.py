"""Working through what is kept in the journal: claimed, walked, tried again later. Receiving and sending share it."""

from fiksmelding.worker.backoff import Backoff
from fiksmelding.worker.waiting import woken
from fiksmelding.worker.worker import Queue, Worker

__all__ = ["Backoff", "Queue", "Worker", "woken"]
