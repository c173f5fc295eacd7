"""Messages of any protocol between two accounts, on the simulated platform."""

import asyncio
import io
from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID

import pytest

from fiksmelding import FiksIO, Message
from fiksmelding.errors import ContainerInvalid, FiksmeldingError, NotFound, RequestRefused
from fiksmelding.fiks import Outbound, SentMessage
from fiksmelding.simulator import Simulator
from support.envelopes import noise

KIND = "no.ks.fiks.annen.protokoll.v1"


def account(fiks: Simulator, name: str) -> UUID:
    return fiks.party(name).account.id


@pytest.fixture
def arrived() -> asyncio.Queue[Message]:
    return asyncio.Queue()


@pytest.fixture
async def oslo(fiks: Simulator) -> AsyncIterator[FiksIO]:
    async with FiksIO(fiks.settings_for("oslo")) as opened:
        yield opened


@pytest.fixture
async def bergen(fiks: Simulator) -> AsyncIterator[FiksIO]:
    """Answers whatever comes with what it held, twice."""

    async def answer(message: Message) -> None:
        async with message.open() as envelope:
            content = envelope.files["melding.txt"].read()
        for number in (1, 2):
            await opened.send(
                f"{KIND}.svar",
                to=UUID(message.sender),
                files={"svar.txt": content + str(number).encode()},
                answer_to=message.melding_id,
                expect_answer=False,
            )

    async with FiksIO(fiks.settings_for("bergen"), on_message=answer) as opened:
        yield opened


async def test_what_is_sent_is_answered_and_the_answers_are_awaited(
    fiks: Simulator, oslo: FiksIO, bergen: FiksIO
) -> None:
    sent = [
        await oslo.send(KIND, to=account(fiks, "bergen"), files={"melding.txt": text}, ttl=timedelta(hours=1))
        for text in (b"en ", b"to ")
    ]
    for one, text in zip(reversed(sent), (b"to ", b"en "), strict=True):
        for number in (b"1", b"2"):
            answer = await one.answer(timeout=20)
            assert (answer.message_type, answer.answers, answer.undelivered) == (f"{KIND}.svar", one.melding_id, False)
            async with answer.open() as envelope:
                assert envelope.files["svar.txt"].read() == text + number
                assert envelope.signer.organisation_number == fiks.party("bergen").account.organisation.number
            await answer.acknowledge()
            await answer.acknowledge()
    with pytest.raises(TimeoutError):
        await sent[0].answer(timeout=0.01)


async def test_a_large_message_goes_through_the_document_store_in_pieces(
    fiks: Simulator, oslo: FiksIO, arrived: asyncio.Queue[Message]
) -> None:
    content = noise(12 * 1024 * 1024)

    async def read(message: Message) -> None:
        async with message.open() as envelope:
            assert await asyncio.to_thread(envelope.files["stor.bin"].read) == content
        arrived.put_nowait(message)

    async with FiksIO(fiks.settings_for("bergen"), on_message=read):
        await oslo.send(KIND, to=account(fiks, "bergen"), files={"stor.bin": io.BytesIO(content)}, expect_answer=False)
        async with asyncio.timeout(30):
            message = await arrived.get()
    assert message.delivery.metadata.dokumentlager_id is not None


async def test_that_nobody_fetched_it_is_an_answer_too(fiks: Simulator, oslo: FiksIO) -> None:
    sent = await oslo.send(KIND, to=account(fiks, "tromso"), ttl=timedelta(seconds=1))
    fiks.clock.advance(timedelta(seconds=2))
    answer = await sent.answer(timeout=20)
    assert answer.undelivered
    assert not answer.has_body
    with pytest.raises(ContainerInvalid, match="no body"):
        async with answer.open():
            pass
    await answer.acknowledge()


async def test_an_answer_that_was_not_acknowledged_comes_again(
    fiks: Simulator, bergen: FiksIO, arrived: asyncio.Queue[Message]
) -> None:
    async with FiksIO(fiks.settings_for("oslo")) as oslo:
        sent = await oslo.send(KIND, to=account(fiks, "bergen"), files={"melding.txt": b"x"})
        answer = await sent.answer(timeout=20)

    async def keep(message: Message) -> None:
        arrived.put_nowait(message)

    async with FiksIO(fiks.settings_for("oslo"), on_message=keep), asyncio.timeout(20):
        again = [await arrived.get(), await arrived.get()]
    assert answer.melding_id in {message.melding_id for message in again}


async def test_an_answer_may_be_here_before_the_platform_s_word_that_it_took_the_message(
    fiks: Simulator, oslo: FiksIO, bergen: FiksIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    send, held = Outbound.send, asyncio.Event()
    take = oslo._answers_of

    async def slow(outbound: Outbound, **message: object) -> SentMessage:
        taken = await send(outbound, **message)  # type: ignore[arg-type]
        if message["melding_type"] == KIND:
            async with asyncio.timeout(20):
                await held.wait()
        return taken

    async def seen(message: Message) -> asyncio.Queue[Message] | None:
        held.set()
        return await take(message)

    monkeypatch.setattr(Outbound, "send", slow)
    monkeypatch.setattr(oslo, "_answers_of", seen)
    sent = await oslo.send(KIND, to=account(fiks, "bergen"), files={"melding.txt": b"x"})
    assert (await sent.answer(timeout=20)).answers == sent.melding_id


async def test_what_cannot_be_sent_is_an_error(fiks: Simulator, oslo: FiksIO) -> None:
    with pytest.raises(NotFound):
        await oslo.send(KIND, to=UUID(int=1), files={"a": b"b"})
    with pytest.raises(RequestRefused):
        await oslo.send(KIND, to=account(fiks, "bergen"), ttl=timedelta(0))
    sent = await oslo.send(KIND, to=account(fiks, "bergen"), expect_answer=False)
    with pytest.raises(FiksmeldingError, match="expect_answer"):
        await sent.answer()
    with pytest.raises(FiksmeldingError, match="not open"):
        await FiksIO(fiks.settings_for("oslo")).send(KIND, to=account(fiks, "bergen"))
