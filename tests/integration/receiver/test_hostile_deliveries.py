"""Deliveries that nobody should send: each is kept, none stops the others, and what is a report is registered."""

import random
from pathlib import Path
from uuid import uuid4

from fiksmelding.config import Settings
from fiksmelding.journal import State
from fiksmelding.receiver import Step
from fiksmelding.simulator import Simulator
from support.receiving import receiving
from support.roads import privat_json

PRIVAT_V2 = "no.ks.fiks.bekymringsmelding.privat.v2"
NOISE = random.Random(3).randbytes(33_000).hex()  # 64 KB that no database can make small


async def put(fiks: Simulator, body: bytes, **headers: str) -> None:
    """A delivery with sensible headers, but for those given."""
    sensible = {"melding-id": str(uuid4()), "type": PRIVAT_V2, "avsender-id": str(fiks.party("skole").account.id)}
    given = sensible | {name.replace("_", "-"): value for name, value in headers.items()}
    fiks.put_on_queue("bergen", headers=given, body=body)


async def sealed(fiks: Simulator, text: str, pdf: bytes = b"%PDF") -> bytes:
    return await fiks.seal_for("bergen", {"bekymringsmelding.json": privat_json(text), "bekymringsmelding.pdf": pdf})


async def test_headers_and_bodies_of_every_kind(fiks: Simulator, settings: Settings, tmp_path: Path) -> None:
    async with receiving(settings, tmp_path / "reports") as work:
        await put(fiks, await sealed(fiks, "1"), bekymringsmelding_id="7", klientMeldingId="", egen="\x00\u202e")
        await put(fiks, await sealed(fiks, "2"), bekymringsmelding_id=NOISE)
        await put(fiks, await sealed(fiks, "8"), klientMeldingId=NOISE)
        await put(fiks, await sealed(fiks, "3"), stor=NOISE, klientKorrelasjonsId="[]")
        await put(fiks, await sealed(fiks, "4", random.Random(1).randbytes(4_900_000)))
        await put(fiks, await sealed(fiks, "5"), type="", melding_id="7", avsender_id="{}")
        await put(fiks, await sealed(fiks, "6"), type=NOISE)
        await put(fiks, b"", type=PRIVAT_V2)
        await put(fiks, b"", dokumentlager_id=str(uuid4()))
        await put(fiks, b"", dokumentlager_id=NOISE)
        await put(fiks, await sealed(fiks, "7"))
        await work.until(Step.RECEIPTED, 6)
        await work.until(Step.QUARANTINED, 5)
        entries = await work.receiver.journal.entries()
        assert [entry.state for entry in entries].count(State.RECEIPTED) == 6
        assert len(entries) == 11
        assert len(work.stored()) == 6
        assert await work.receiver.journal.first_altered_event() is None
