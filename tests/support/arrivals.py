"""Deliveries to keep, with sensible headers."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

from fiksmelding.journal import Arrival

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
KONTO = "5f2f2b2a-6a4b-4f0e-9f57-3a4e8a2b7c01"
OTHER_KONTO = "8d1c4f6e-2b7a-4c3d-8e9f-0a1b2c3d4e05"
SENDER = "0e6a3f6e-0d84-4f5a-8c58-6d0a1b2c3d04"


def arrival(
    *,
    melding_id: str | None = None,
    melding_type: str | None = "no.ks.fiks.bekymringsmelding.privat.v2",
    avsender_id: str | None = SENDER,
    klient_melding_id: str | None = None,
    bekymringsmelding_id: str | None = None,
    dokumentlager_id: str | None = None,
    konto_id: str = KONTO,
    received_at: datetime = NOON,
) -> Arrival:
    """A delivery; ids not given are fresh."""
    return Arrival(
        konto_id=konto_id,
        melding_id=melding_id or str(uuid4()),
        melding_type=melding_type,
        avsender_id=avsender_id,
        klient_melding_id=klient_melding_id,
        bekymringsmelding_id=bekymringsmelding_id,
        dokumentlager_id=dokumentlager_id,
        received_at=received_at,
        deadline_at=received_at + timedelta(hours=24),
    )
