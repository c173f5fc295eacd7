"""A consumer of `Queues` without a network."""

from dataclasses import dataclass, field

from fiksmelding.simulator.queues import Lease


@dataclass(eq=False)
class Hand:
    """Takes up to `room` messages at a time and keeps them until the test settles them."""

    room: int = 1_000
    leases: list[Lease] = field(default_factory=list)
    seen: list[str] = field(default_factory=list)

    def ready(self) -> bool:
        return len(self.leases) < self.room

    def deliver(self, lease: Lease) -> None:
        self.leases.append(lease)
        self.seen.append(lease.message.headers["melding-id"])
