"""The programs on the pages, run as they stand against the simulator.

What a page takes for granted (a case system, a report, a key) stands in `names`.
"""

import ast
import asyncio
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from fiksmelding import FiksIO, Message, Period, Receiver, Registered, Report
from fiksmelding.envelope import load_certificates
from fiksmelding.messages import MessageType
from fiksmelding.simulator import Simulator
from support.documentation import Block, Page, pages
from support.documents import example
from support.receiving import receiving

PRIVAT, OFFENTLIG = MessageType.PRIVAT_V2, MessageType.OFFENTLIG_V2
ELSEWHERE = {
    "README.md": "tests/integration/receiver/test_receiver_on_the_simulator.py",
    "docs/testing.md": "tests/acceptance/test_pytest_plugin.py",
    "docs/tutorial-first-report.md": "test_tutorial.py",
}
"""Pages whose programs are run by other tests."""


def program(page: str, number: int = 0) -> Block:
    """A program on a page, by its place among those of its page."""
    return [block for block in Page(page).blocks if block.language == "python"][number]


async def run(block: Block, names: dict[str, object]) -> dict[str, object]:
    """Run a program that may await at its top level; returns what it has defined."""
    tree = compile(block.code, str(block), "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    code: object = eval(tree, names)  # noqa: S307 - our own page
    if inspect.isawaitable(code):
        await code
    return names


def coroutine_function(names: dict[str, object], name: str) -> Callable[..., Awaitable[object]]:
    found = names[name]
    assert callable(found)
    return found


@asynccontextmanager
async def meanwhile(work: Awaitable[object]) -> AsyncIterator[None]:
    running = asyncio.ensure_future(work)
    try:
        yield
    finally:
        running.cancel()
        await asyncio.wait([running])


class CaseSystem:
    """The one that the pages speak of."""

    def __init__(self) -> None:
        self.keys: list[str] = []

    async def create(self, message: object, *, key: str) -> SimpleNamespace:
        assert message is not None
        self.keys.append(key)
        return SimpleNamespace(number=f"2026/{len(self.keys)}")

    async def registered_since(self, start: datetime) -> AsyncIterator[SimpleNamespace]:
        assert start.tzinfo is not None
        for number in range(len(self.keys)):
            yield SimpleNamespace(number=f"2026/{number + 1}")


@pytest.fixture
def folder(fiks: Simulator, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the reader is: with `fiksmelding.toml`, and `fiks/` as the simulator leaves it."""
    fiks.write_settings("bergen")
    (fiks.folder / "fiksmelding.toml").write_bytes((fiks.folder / "settings-bergen.toml").read_bytes())
    (fiks.folder / "fiks").symlink_to(fiks.folder)
    monkeypatch.chdir(fiks.folder)
    return fiks.folder


async def delivered(fiks: Simulator) -> str:
    report_id = await fiks.submit(example(PRIVAT), message_type=PRIVAT)
    await fiks.wait_for(report_id, "LEVERT", timeout=30)
    return report_id


def test_every_program_is_run_somewhere() -> None:
    with_programs = {page.name for page in pages() if any(block.language == "python" for block in page.blocks)}
    here = Path(__file__).read_text("utf-8")
    assert {page for page in with_programs - ELSEWHERE.keys() if f'program("{page}"' not in here} == set()


async def test_the_vendors_case_system_registers_and_is_asked_whether_it_has(fiks: Simulator, folder: Path) -> None:
    names = await run(program("docs/vendors.md"), {})
    async with meanwhile(coroutine_function(names, "main")()):
        await delivered(fiks)
    assert (folder / "cases.db").exists()
    report = SimpleNamespace(id="another")
    assert await coroutine_function(names, "has")("case-1", report) is False


async def test_the_handler_on_the_page_about_receiving_registers(fiks: Simulator, folder: Path) -> None:
    case_system = CaseSystem()
    names = await run(program("docs/road.md"), {"case_system": case_system})
    handler = names["register"]
    assert callable(handler)
    async with receiving(fiks.settings_for("bergen"), folder / "reports", handler=handler):
        await delivered(fiks)
    assert len(case_system.keys) == 1


async def test_what_the_page_about_sending_sends_arrives(
    fiks: Simulator, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FIKSMELDING_SENDER_STATUS_FIRST_SECONDS", "0.05")
    (folder / "fiksmelding.toml").write_bytes(fiks.write_settings("skole").read_bytes())
    shown: list[object] = []
    case = SimpleNamespace(number="17", show=lambda *told: shown.append(told[-1]))
    names = {"data": example(OFFENTLIG), "tell_the_office": print, "case": case}
    async with receiving(fiks.settings_for("bergen"), folder / "reports"):
        await run(program("docs/sending.md"), names)
    assert "LEVERT" in shown


async def test_the_dialogue_on_the_page_about_fiks_io_is_answered(fiks: Simulator, folder: Path) -> None:
    oslo = fiks.party("oslo").account
    fiks.platform.world.register.add(replace(oslo, protocols=frozenset({"no.ks.fiks.arkiv.v1"})))

    async def answer(message: Message) -> None:
        await archive.send(
            "no.ks.fiks.arkiv.v1.mottatt", to=UUID(message.sender), answer_to=message.melding_id, expect_answer=False
        )

    block = program("docs/fiks-io.md")
    here = replace(block, code=block.code.replace("964338531", oslo.organisation.number))
    async with FiksIO(fiks.settings_for("oslo"), on_message=answer) as archive:
        names = await run(here, {"data": b"<arkivmelding/>"})
    assert names["answer"].message_type == "no.ks.fiks.arkiv.v1.mottatt"  # type: ignore[attr-defined]


async def test_what_the_page_about_the_envelope_seals_it_opens(fiks: Simulator, folder: Path) -> None:
    key = load_pem_private_key((folder / "bergen/private-key.pem").read_bytes(), None)
    certificate, *_ = load_certificates((folder / "bergen/certificate.pem").read_bytes())
    roots = load_certificates((folder / "roots.pem").read_bytes())
    names: dict[str, object] = {"key": key, "certificate": certificate, "theirs": certificate, "roots": roots}
    await run(program("docs/envelope.md"), names | {"data": example(PRIVAT), "now": datetime.now(UTC)})
    assert (folder / "envelope").stat().st_size > 0


async def test_the_page_about_the_schema_loses_nothing() -> None:
    names = await run(program("docs/schema.md"), {"data": example(OFFENTLIG)})
    assert b"offentligBekymringsmelding" in names["xml"]  # type: ignore[operator]


async def test_the_page_about_the_simulator_shows_a_letter(capsys: pytest.CaptureFixture[str]) -> None:
    names = await run(program("docs/simulator.md"), {})
    await coroutine_function(names, "main")(example(PRIVAT))
    assert "SENDT_PRINT" in capsys.readouterr().out


async def test_the_doctor_examines(fiks: Simulator, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = await run(program("docs/doctor.md"), {})
    await coroutine_function(names, "main")()
    assert "nobody-listening" in capsys.readouterr().out


async def test_statistics_are_counted(fiks: Simulator, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async with receiving(fiks.settings_for("bergen"), folder / "reports"):
        await delivered(fiks)
    names = await run(program("docs/statistics.md"), {})
    await coroutine_function(names, "main")()
    assert "'count': None" in capsys.readouterr().out  # a single report is not shown


async def test_the_page_about_monitoring_asks_which_reports_were_opened(fiks: Simulator) -> None:
    async def opened_among(references: list[str]) -> list[str]:
        return references[:1]

    async def register(report: Report) -> Registered:
        raise AssertionError

    case_system = SimpleNamespace(opened_among=opened_among)
    given = {"case_system": case_system, "settings": fiks.settings_for("bergen"), "register": register}
    names = await run(program("docs/monitoring.md"), given)
    assert await coroutine_function(names, "opened")(["2026/1", "2026/2"]) == ["2026/1"]
    assert isinstance(names["receiver"], Receiver)


async def test_the_comparison_finds_what_the_case_system_has_lost(
    fiks: Simulator, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    case_system = CaseSystem()

    async def register(report: Report) -> Registered:
        return Registered((await case_system.create(report.message, key=report.id)).number)

    async with receiving(fiks.settings_for("bergen"), folder / "reports", handler=register):
        await delivered(fiks)
        await delivered(fiks)
    case_system.keys.pop()
    names = await run(program("docs/reconciliation.md"), {"case_system": case_system, "now": datetime.now(UTC)})
    await run(program("docs/reconciliation.md", 1), names)
    missing = [line for line in capsys.readouterr().out.splitlines() if line.startswith("not_in_case_system")]
    assert len(missing) == 1


async def test_what_the_page_about_recovery_asks_for_is_handed_over_again(fiks: Simulator, folder: Path) -> None:
    handed: list[bool] = []

    async def register(report: Report) -> Registered:
        handed.append(report.repeat)
        return Registered(reference=report.id)

    async with receiving(fiks.settings_for("bergen"), folder / "reports", handler=register):
        await delivered(fiks)

    async def has(reference: str, report: Report) -> bool:
        return reference == report.id

    period = Period.last_days(2, datetime.now(UTC))
    names = {"period": period, "register": register, "case_system": SimpleNamespace(has=has)}
    await run(program("docs/recovery.md"), names)
    assert handed == [False, True]
