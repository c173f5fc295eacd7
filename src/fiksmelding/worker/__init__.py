"""Working through what is kept in the journal: claimed, walked, tried again later. Receiving and sending share it."""

from fiksmelding.worker.backoff import Backoff
from fiksmelding.worker.right_clock import CLOCKS_DIFFER_SECONDS, LONGEST_LEASE, watch_clock
from fiksmelding.worker.worker import Queue, Worker

__all__ = ["CLOCKS_DIFFER_SECONDS", "LONGEST_LEASE", "Backoff", "Queue", "Worker", "watch_clock"]
