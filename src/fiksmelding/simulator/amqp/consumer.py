"""A consumer: what `basic.consume` makes."""

from collections.abc import Callable

from fiksmelding.simulator.queues import Lease

__all__ = ["Consumer", "Window"]


class Window:
    """How many deliveries may be unacknowledged at a time.

    Attributes:
        limit: The prefetch count; 0 is no limit.
        used: How many are unacknowledged now.
    """

    __slots__ = ("limit", "used")

    def __init__(self, limit: int = 0) -> None:
        self.limit = limit
        self.used = 0

    @property
    def open(self) -> bool:
        """Whether one more may be sent."""
        return self.limit == 0 or self.used < self.limit


class Consumer:
    """One subscription of a channel to a queue.

    Attributes:
        tag: The consumer tag, unique on its channel.
        queue: The queue's name.
        no_ack: Whether a delivery counts as acknowledged when it is sent.
        windows: The prefetch limits it is under: its own and its channel's.
    """

    def __init__(
        self,
        tag: str,
        queue: str,
        *,
        no_ack: bool,
        windows: tuple[Window, ...],
        writable: Callable[[], bool],
        deliver: Callable[["Consumer", Lease], None],
    ) -> None:
        self.tag = tag
        self.queue = queue
        self.no_ack = no_ack
        self.windows = windows
        self._writable = writable
        self._deliver = deliver

    def ready(self) -> bool:
        """Whether one more message can be sent to it now."""
        return self._writable() and (self.no_ack or all(window.open for window in self.windows))

    def deliver(self, lease: Lease) -> None:
        """Send it a message."""
        self._deliver(self, lease)
