"""The receiver as a whole, on the whole simulated platform."""

import asyncio
import json
import random
from pathlib import Path
from uuid import uuid4

import pytest

from fiksmelding.broker import ConsumerState
from fiksmelding.config import Settings
from fiksmelding.errors import FiksmeldingError, SettingsError
from fiksmelding.journal import State
from fiksmelding.receiver import FolderHandler, Receiver, Step
from fiksmelding.simulator import Simulator
from fiksmelding.simulator.pki import Authority
from support.receiving import receiving, with_receiver
from support.roads import privat_json

PRIVAT_V2 = "no.ks.fiks.bekymringsmelding.privat.v2"


async def test_whatever_arrives_the_good_report_behind_it_is_registered(
    fiks: Simulator, settings: Settings, tmp_path: Path
) -> None:
    sealed = await fiks.seal_for("bergen", {"bekymringsmelding.json": privat_json(), "bekymringsmelding.pdf": b"%PDF"})
    for_oslo = await fiks.seal_for("oslo", {"bekymringsmelding.json": privat_json()})
    no_report = await fiks.seal_for("bergen", {"bekymringsmelding.json": b"{}", "bekymringsmelding.pdf": b"%PDF"})
    for body in (b"", b"no envelope", sealed[:-100], sealed[:500] + b"\0" + sealed[501:], for_oslo):
        await fiks.submit_sealed(body, message_type=PRIVAT_V2)
    unstructured = await fiks.submit_sealed(no_report, message_type=PRIVAT_V2)
    await fiks.submit_sealed(sealed, message_type="no.ks.fiks.bekymringsmelding.privat.v9")
    fiks.put_on_queue("bergen", headers={}, body=sealed)
    fiks.put_on_queue("bergen", headers={"melding-id": "no uuid", "type": "\x00", "avsender-id": "?"}, body=b"\xff")
    good = await fiks.submit(privat_json("Et barn trenger hjelp."), message_type=PRIVAT_V2)

    async with receiving(settings, tmp_path / "reports") as work:
        await fiks.wait_for(good, "LEVERT", timeout=20)
        await fiks.wait_for(unstructured, "LEVERT", timeout=20)
        await work.until(Step.QUARANTINED, 8)
        await work.until(Step.RECEIPTED, 2)
        assert work.stored() == {good, unstructured}
        states = [entry.state for entry in await work.receiver.journal.entries()]
        assert states.count(State.QUARANTINED) == 8
        assert states.count(State.RECEIPTED) == 2
        assert await work.receiver.journal.first_altered_event() is None
        assert (await fiks.platform.broker.state(fiks.party("bergen").account.queue)).waiting == 0


async def test_reports_survive_connections_that_are_cut(fiks: Simulator, settings: Settings, tmp_path: Path) -> None:
    broker = settings.broker.model_copy(update={"reconnect_first_seconds": 0.05})
    async with receiving(settings.model_copy(update={"broker": broker}), tmp_path / "reports") as work:
        submitted = []
        for number in range(6):
            submitted.append(await fiks.submit(privat_json(f"Melding {number}"), message_type=PRIVAT_V2))
            if number % 2:
                await fiks.sever_connections()
        for report_id in submitted:
            report = await fiks.wait_for(report_id, "LEVERT", timeout=20)
            assert len(report.receipts) == 1
        assert work.stored() == set(submitted)


async def test_a_report_too_large_for_the_queue_comes_through_the_document_store(
    fiks: Simulator, settings: Settings, tmp_path: Path
) -> None:
    pdf = b"%PDF-1.7\n" + random.Random(7).randbytes(7_000_000)
    sealed = await fiks.seal_for("bergen", {"bekymringsmelding.json": privat_json(), "bekymringsmelding.pdf": pdf})
    async with receiving(settings, tmp_path / "reports") as work:
        report_id = await fiks.submit_sealed(sealed, message_type=PRIVAT_V2)
        await fiks.wait_for(report_id, "LEVERT", timeout=30)
        assert (work.folder / report_id / "bekymringsmelding.pdf").read_bytes() == pdf
        [entry] = await work.receiver.journal.entries()
        assert entry.arrival.dokumentlager_id is not None
        assert entry.size > len(pdf)


async def test_past_the_deadline_the_report_goes_by_letter(fiks: Simulator, settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "reports").write_text("a file where the folder should be")
    hurried = with_receiver(settings, deadline_hours=2 / 3600, retry_first_seconds=0.1)
    report_id = await fiks.submit(privat_json(), message_type=PRIVAT_V2)
    async with receiving(hurried, tmp_path / "reports") as work:
        report = await fiks.wait_for(report_id, "LEVERT", timeout=20)
        assert [change.tilstand for change in report.states][-2:] == ["SENDT_PRINT", "LEVERT"]
        assert "fristen" in (report.receipts[0].feilmelding or "")
        await work.until(Step.RECEIPTED)
    assert len(fiks.letters()) == 1


async def test_the_read_me_s_receiver_works_as_it_stands(
    fiks: Simulator, journal_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FIKSMELDING_JOURNAL_URL", journal_url)
    readme = (Path(__file__).parents[3] / "README.md").read_text("utf-8")
    example = readme.split("```python\n", 1)[1].split("```", 1)[0]
    lines = "".join(f"    {line}\n" for line in example.splitlines())
    monkeypatch.chdir(fiks.folder)
    fiks.write_settings("bergen").rename(fiks.folder / "fiksmelding.toml")

    class Case:
        number = "2026/17"

    class CaseSystem:
        created: list[object]

        def __init__(self) -> None:
            self.created = []

        async def create(self, message: object, *, pdf: bytes) -> Case:
            assert pdf.startswith(b"%PDF-")
            self.created.append(message)
            return Case()

        async def has(self, reference: str, report: object) -> bool:
            return reference == "2026/17" and len(self.created) == 1

    names: dict[str, object] = {"case_system": CaseSystem()}
    exec(compile(f"async def example():\n{lines}", "README.md", "exec"), names)  # noqa: S102 - our own page
    example_function = names["example"]
    assert callable(example_function)
    running = asyncio.create_task(example_function())
    try:
        report_id = await fiks.submit(privat_json(), message_type=PRIVAT_V2)
        await fiks.wait_for(report_id, "LEVERT", timeout=20)
    finally:
        running.cancel()
        await asyncio.wait([running])


async def test_a_receiver_is_used_inside_its_block_and_runs_once(
    fiks: Simulator, settings: Settings, tmp_path: Path
) -> None:
    unopened = Receiver(settings, FolderHandler(tmp_path))
    for use in (lambda: unopened.status, lambda: unopened.journal):
        with pytest.raises(FiksmeldingError, match="not open"):
            use()
    with pytest.raises(FiksmeldingError, match="not open"):
        await unopened.run()
    async with receiving(settings, tmp_path / "reports") as work:
        await work.receiver.until(ConsumerState.CONSUMING)
        with pytest.raises(FiksmeldingError, match="runs already"):
            await work.receiver.run()
    await work.receiver.aclose()


async def test_a_cancelled_receiver_ends_in_order(fiks: Simulator, settings: Settings, tmp_path: Path) -> None:
    async with Receiver(settings, FolderHandler(tmp_path / "reports")) as receiver:
        running = asyncio.create_task(receiver.run())
        await receiver.until(ConsumerState.CONSUMING)
        running.cancel()
        await asyncio.wait([running])
        assert running.cancelled()
        assert (await receiver.until(ConsumerState.CLOSED)).state is ConsumerState.CLOSED


@pytest.mark.parametrize(
    ("table", "change", "told"),
    [
        ("account", {"private_keys": (Path("nowhere.pem"),)}, "account.private_keys"),
        ("account", {"private_keys": (Path("password.txt"),)}, "password.txt: The private key cannot be loaded"),
        ("account", {"sign_certificate": Path("stranger.pem")}, "does not belong"),
        ("trust", {"roots": (Path("nowhere.pem"),)}, "trust.roots"),
    ],
)
async def test_a_key_file_that_is_wrong_is_named(  # noqa: PLR0917 - pytest passes by name
    fiks: Simulator, tmp_path: Path, authority: Authority, table: str, change: dict[str, object], told: str
) -> None:
    settings = fiks.settings_for("bergen")
    (tmp_path / "password.txt").write_text("no key at all")
    (tmp_path / "stranger.pem").write_bytes(authority.business("971032081", "En annen").certificate_pem)

    def placed(value: object) -> object:
        if isinstance(value, tuple):
            return tuple(tmp_path / part for part in value)
        assert isinstance(value, Path)
        return tmp_path / value

    changed = getattr(settings, table).model_copy(update={name: placed(value) for name, value in change.items()})
    with pytest.raises(SettingsError, match=told):
        async with Receiver(settings.model_copy(update={table: changed}), FolderHandler(tmp_path)):
            pass


async def test_a_resend_of_the_platform_is_answered_twice_and_stored_once(
    fiks: Simulator, settings: Settings, tmp_path: Path
) -> None:
    sealed = [
        await fiks.seal_for("bergen", {"bekymringsmelding.json": privat_json(), "bekymringsmelding.pdf": b"%PDF"})
        for _ in range(2)
    ]
    national = str(fiks.party("skole").account.id)
    own_id = str(uuid4())
    async with receiving(settings, tmp_path / "reports") as work:
        for envelope in sealed:
            headers = {
                "melding-id": str(uuid4()),
                "type": PRIVAT_V2,
                "avsender-id": national,
                "egendefinert-header.klientMeldingId": "the same on each resend",
                "egendefinert-header.bekymringsmelding-id": own_id,
            }
            fiks.put_on_queue("bergen", headers=headers, body=envelope)
        await work.until(Step.RECEIPTED, 2)
        assert work.stored() == {own_id}
        about = json.loads((work.folder / own_id / "report.json").read_bytes())
        assert about["id"] == own_id
