"""What a simulator has in its folder survives its end, however it ends."""

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from fiksmelding.errors import SettingsError
from fiksmelding.messages import MessageType
from fiksmelding.simulator import ControlClient, Keys, MessageFault, Simulator, Verdict
from fiksmelding.simulator.queues import QueuedMessage
from fiksmelding.simulator.state import State
from support.documents import example
from support.envelopes import noise
from support.platform_client import PlatformClient, assertion


async def submit(fiks: Simulator) -> str:
    return await fiks.submit(example(MessageType.PRIVAT_V2), message_type=MessageType.PRIVAT_V2)


@asynccontextmanager
async def killed_afterwards(folder: Path) -> AsyncIterator[ControlClient]:
    """The command in a process of its own, killed on the spot at the end."""
    command = (sys.executable, "-m", "fiksmelding", "simulator", "--dir", str(folder))
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    try:
        assert process.stdout is not None
        assert (await asyncio.wait_for(process.stdout.readline(), 60)).startswith(b"ready:")
        async with ControlClient(folder) as control:
            yield control
    finally:
        process.send_signal(signal.SIGKILL)
        await process.wait()


async def test_a_report_goes_on_where_it_was(keys: Keys, tmp_path: Path) -> None:
    async with Simulator(folder=tmp_path, keys=keys) as fiks:
        report_id = await submit(fiks)
        before = fiks.report(report_id)
    async with Simulator(folder=tmp_path, keys=keys) as fiks, PlatformClient(fiks) as bergen:
        assert fiks.report(report_id) == before
        received = await bergen.receive()
        assert received.headers["bekymringsmelding-id"] == report_id
        await bergen.answer(received, MessageType.MOTTATT)
        await fiks.wait_for(report_id, "LEVERT")
    async with Simulator(folder=tmp_path, keys=keys) as fiks:
        assert fiks.report(report_id).tilstand == "LEVERT"
        assert [receipt.verdict for receipt in fiks.receipts(report_id)] == [Verdict.BELIEVED]
        assert [str(taken.melding_id) for taken in fiks.taken()] == [fiks.receipts(report_id)[0].melding_id]
        assert fiks.platform.national.holds_copy(report_id)
        fiks.clock.advance(timedelta(days=14))
        fiks.platform.agenda.do_due()
    async with Simulator(folder=tmp_path, keys=keys) as fiks:
        assert not fiks.platform.national.holds_copy(report_id)


async def test_deadlines_letters_and_the_clock_go_on(keys: Keys, tmp_path: Path) -> None:
    async with Simulator(folder=tmp_path, keys=keys) as fiks:
        fiks.faults.add(MessageFault(effect="lose"))
        report_id = await submit(fiks)
        fiks.clock.advance(timedelta(days=1))
        was = fiks.clock.now()
    async with Simulator(folder=tmp_path, keys=keys) as fiks:
        assert fiks.clock.now() >= was
        fiks.clock.advance(timedelta(days=6))
        await fiks.wait_for(report_id, "LEVERT")
        [letter] = fiks.letters()
    async with Simulator(folder=tmp_path, keys=keys) as fiks:
        assert fiks.letters() == (letter,)
        assert letter.path.read_bytes().startswith(b"%PDF-")


async def test_tokens_assertions_and_addresses_hold_and_no_assertion_can_be_used_twice(tmp_path: Path) -> None:
    async with Simulator(folder=tmp_path) as fiks, PlatformClient(fiks) as bergen:
        once, token = assertion(bergen.party, fiks.issuer), await bergen.token()
        assert (await bergen.ask_token(once))[0] == 200
        addresses = (fiks.api_url, fiks.amqp_url, fiks.control_url)
    async with Simulator(folder=tmp_path) as fiks, PlatformClient(fiks) as bergen:
        assert (fiks.api_url, fiks.amqp_url, fiks.control_url) == addresses
        headers = await bergen.headers(Authorization=f"Bearer {token}")
        account = f"/fiks-io/katalog/api/v1/kontoer/{bergen.party.account.id}"
        async with bergen.http.get(account, headers=headers) as response:
            assert response.status == 200
        status, answer = await bergen.ask_token(once)
        assert (status, "used before" in str(answer)) == (400, True)


async def test_an_attempt_is_lost_by_a_restart_but_no_message(keys: Keys, tmp_path: Path) -> None:
    queue = ""
    for run in range(3):
        async with Simulator(folder=tmp_path, keys=keys) as fiks, PlatformClient(fiks) as bergen:
            queue = bergen.party.account.queue
            if run == 0:
                report_id = await submit(fiks)
            received = await bergen.receive(ack=False)
            assert received.redelivered == (run > 0)
    async with Simulator(folder=tmp_path, keys=keys) as fiks:
        # Three attempts ended without acknowledgement.
        await fiks.wait_for(report_id, "LEVERT")
        assert fiks.receipts(report_id)[0].message_type == MessageType.SERVERFEIL
        assert fiks.platform.broker.depth(queue) == 0  # type: ignore[union-attr]


async def test_odd_headers_come_again_as_they_were(keys: Keys, tmp_path: Path) -> None:
    odd: dict[str, object] = {"melding-id": bytearray(b"\xff"), "type": 7, "svar-til": None, "æ": ["x", {"y": True}]}
    async with Simulator(folder=tmp_path, keys=keys) as fiks:
        message = QueuedMessage({}, b"body")
        message.headers.update(odd)  # type: ignore[arg-type]
        fiks.platform.exchange.deliver(fiks.party("bergen").account, message)
    async with Simulator(folder=tmp_path, keys=keys) as fiks, PlatformClient(fiks) as bergen:
        received = await bergen.receive()

    assert (received.headers, received.body) == (odd, b"body")


async def test_a_large_body_is_still_there(keys: Keys, tmp_path: Path) -> None:
    body = noise(6 * 1024 * 1024)
    async with Simulator(folder=tmp_path, keys=keys) as fiks, PlatformClient(fiks) as bergen:
        own = str(bergen.party.account.id)
        _, sent = await bergen.send({"avsenderKontoId": own, "mottakerKontoId": own, "meldingType": "t"}, body)
    async with Simulator(folder=tmp_path, keys=keys) as fiks, PlatformClient(fiks) as bergen:
        assert await bergen.get_bytes(f"/dokumentlager/nedlasting/{sent['dokumentlagerId']}") == (200, body)
        fiks.clock.advance(timedelta(days=9))
        assert (await bergen.get(f"/dokumentlager/nedlasting/{sent['dokumentlagerId']}"))[0] == 404
        assert list((tmp_path / "dokumentlager").iterdir()) == []


async def test_what_was_accepted_is_there_after_a_kill(tmp_path: Path) -> None:
    reports = []
    async with killed_afterwards(tmp_path) as control:
        for _ in range(3):
            data = example(MessageType.PRIVAT_V2)
            reports.append(await control.submit(data, message_type=MessageType.PRIVAT_V2))
        await control.advance(timedelta(hours=1))

    async with Simulator(folder=tmp_path) as fiks, PlatformClient(fiks) as bergen:
        assert [report.id for report in fiks.reports()] == reports
        assert fiks.clock.offset == timedelta(hours=1)
        for report_id in reports:
            received = await bergen.receive()
            assert received.headers["bekymringsmelding-id"] == report_id
            await bergen.answer(received, MessageType.MOTTATT)
            await fiks.wait_for(report_id, "LEVERT")


async def test_fresh_starts_anew_with_the_same_keys(tmp_path: Path) -> None:
    async with Simulator(folder=tmp_path) as fiks:
        await submit(fiks)
        password = fiks.party("bergen").integration.password
    async with Simulator(folder=tmp_path, fresh=True) as fiks:
        assert fiks.reports() == ()
        assert fiks.platform.broker.depth(fiks.party("bergen").account.queue) == 0  # type: ignore[union-attr]
        assert fiks.party("bergen").integration.password == password


async def test_a_folder_is_used_by_one_simulator_at_a_time(keys: Keys, tmp_path: Path) -> None:
    async with Simulator(folder=tmp_path, keys=keys):
        with pytest.raises(SettingsError, match="Another simulator"):
            await Simulator(folder=tmp_path, keys=keys).__aenter__()


async def test_a_state_that_cannot_be_read_is_told_with_what_to_do(keys: Keys, tmp_path: Path) -> None:
    (tmp_path / "state.db").write_bytes(b"no database" * 1000)
    with pytest.raises(SettingsError, match="--fresh"):
        await Simulator(folder=tmp_path, keys=keys).__aenter__()
    async with Simulator(folder=tmp_path, keys=keys, fresh=True) as fiks:
        assert fiks.reports() == ()


@pytest.mark.parametrize("moment", ["accepted", "handed over", "being printed"])
async def test_a_report_that_was_killed_between_two_steps_takes_the_next(
    keys: Keys, tmp_path: Path, moment: str
) -> None:
    async with Simulator(folder=tmp_path, keys=keys) as fiks:
        report_id = await submit(fiks)
    with State(tmp_path / "state.db") as state:
        [report] = state.all("report")
        for message in state.all("message"):
            state.remove("message", message.id)
        if moment == "accepted":
            state.put("report", report.id, _cut_to(report.data, ["AKSEPTERT"]))
        elif moment == "being printed":
            states = ["AKSEPTERT", "SENDT_FAGSYSTEM", "AVVIST_FAGSYSTEM", "SENDT_PRINT"]
            state.put("report", report.id, _cut_to(report.data, states))

    async with Simulator(folder=tmp_path, keys=keys) as fiks, PlatformClient(fiks) as bergen:
        if moment == "accepted":
            await bergen.answer(await bergen.receive(), MessageType.MOTTATT)
        elif moment == "handed over":
            fiks.clock.advance(timedelta(days=7))
        report_now = await fiks.wait_for(report_id, "LEVERT")

    assert bool(report_now.receipts) == (moment == "accepted")


def _cut_to(data: str, states: list[str]) -> str:
    report = json.loads(data)
    moment = report["states"][0][1]
    return json.dumps(report | {"states": [[state, moment, ""] for state in states], "melding_ids": []})
