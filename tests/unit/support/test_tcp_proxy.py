"""The proxy does what it is told, when it is told, and nothing else."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from support.tcp_proxy import Side, TcpProxy

A_WHILE = 0.05


@dataclass
class Echo:
    """A server that answers each byte with itself, and remembers how connections ended."""

    port: int = 0
    heard: asyncio.Queue[bytes] = field(default_factory=asyncio.Queue)
    endings: asyncio.Queue[str] = field(default_factory=asyncio.Queue)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        ending = "finished"
        try:
            while piece := await reader.read(65_536):
                self.heard.put_nowait(piece)
                writer.write(piece)
                await writer.drain()
        except ConnectionError:
            ending = "reset"
        self.endings.put_nowait(ending)
        writer.close()


@asynccontextmanager
async def echoing() -> AsyncIterator[Echo]:
    echo = Echo()
    server = await asyncio.start_server(echo.serve, "127.0.0.1")
    async with server:
        echo.port = server.sockets[0].getsockname()[1]
        yield echo


@dataclass
class Client:
    """A connection to a proxy."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def say(self, text: bytes) -> None:
        self.writer.write(text)
        await self.writer.drain()

    async def hear(self, count: int) -> bytes:
        return await asyncio.wait_for(self.reader.readexactly(count), 5)

    async def end(self) -> bytes:
        """What comes until the end; raises ConnectionResetError when it is no proper one."""
        return await asyncio.wait_for(self.reader.read(), 5)

    async def hears_nothing(self) -> bool:
        try:
            await asyncio.wait_for(self.reader.readexactly(1), A_WHILE)
        except TimeoutError:
            return True
        return False


@asynccontextmanager
async def connected(proxy: TcpProxy) -> AsyncIterator[Client]:
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    try:
        yield Client(reader, writer)
    finally:
        writer.close()


@pytest.fixture
async def echo() -> AsyncIterator[Echo]:
    async with echoing() as running:
        yield running


@pytest.fixture
async def proxy(echo: Echo) -> AsyncIterator[TcpProxy]:
    async with TcpProxy("127.0.0.1", echo.port) as running:
        yield running


@pytest.fixture
async def client(proxy: TcpProxy) -> AsyncIterator[Client]:
    async with connected(proxy) as made:
        await made.say(b"hello")
        assert await made.hear(5) == b"hello"
        yield made


async def test_bytes_pass_both_ways_and_ends_are_passed_on(proxy: TcpProxy, echo: Echo, client: Client) -> None:
    big = bytes(range(256)) * 4000
    await asyncio.gather(client.say(big), asyncio.wait_for(client.hear(len(big)), 10))
    client.writer.write_eof()
    assert await client.end() == b""
    assert await echo.endings.get() == "finished"
    await proxy.until(lambda count: count == 0)
    assert proxy.accepted == 1


@pytest.mark.parametrize("politely", [True, False])
async def test_a_cut_reaches_both_sides(proxy: TcpProxy, echo: Echo, client: Client, politely: bool) -> None:
    proxy.cut(politely=politely)
    if politely:
        assert await client.end() == b""
    else:
        with pytest.raises(ConnectionResetError):
            await client.end()
    assert await asyncio.wait_for(echo.endings.get(), 5) == ("finished" if politely else "reset")
    async with connected(proxy) as another:
        await another.say(b"again")
        assert await another.hear(5) == b"again"


async def test_what_is_held_arrives_when_the_way_is_open_again(proxy: TcpProxy, client: Client) -> None:
    proxy.hold()
    await client.say(b"held")
    async with connected(proxy) as another:
        await another.say(b"new")
        assert await client.hears_nothing()
        assert await another.hears_nothing()
        assert proxy.open == 1
        proxy.pass_on()
        assert await client.hear(4) == b"held"
        assert await another.hear(3) == b"new"


async def test_a_held_connection_does_not_tell_that_the_other_side_has_gone(
    proxy: TcpProxy, echo: Echo, client: Client
) -> None:
    proxy.hold()
    client.writer.transport.abort()
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(echo.endings.get(), A_WHILE)
    proxy.pass_on()
    assert await asyncio.wait_for(echo.endings.get(), 5)


async def test_a_stranded_connection_stays_silent_for_good_and_new_ones_pass(proxy: TcpProxy, client: Client) -> None:
    proxy.strand()
    await client.say(b"lost")
    proxy.pass_on()
    assert await client.hears_nothing()
    async with connected(proxy) as another:
        await another.say(b"new")
        assert await another.hear(3) == b"new"


async def test_a_half_closed_connection_still_carries_the_other_direction(
    proxy: TcpProxy, echo: Echo, client: Client
) -> None:
    await echo.heard.get()
    proxy.half_close(Side.CLIENT)
    assert await client.end() == b""
    await client.say(b"still")
    assert await asyncio.wait_for(echo.heard.get(), 5) == b"still"
    assert proxy.open == 1


async def test_the_server_can_be_the_one_that_is_told_the_end(proxy: TcpProxy, echo: Echo, client: Client) -> None:
    proxy.half_close(Side.SERVER)
    assert await asyncio.wait_for(echo.endings.get(), 5) == "finished"
    assert await client.end() == b""


async def test_a_delay_makes_every_piece_late(proxy: TcpProxy, client: Client) -> None:
    loop = asyncio.get_running_loop()
    proxy.delay(A_WHILE)
    before = loop.time()
    await client.say(b"late")
    assert await client.hear(4) == b"late"
    assert loop.time() - before >= 2 * A_WHILE - 0.01
    proxy.pass_on()


async def test_refused_connections_are_reset_and_open_ones_go_on(proxy: TcpProxy, client: Client) -> None:
    proxy.refuse()
    async with connected(proxy) as another:
        with pytest.raises(ConnectionResetError):
            await another.end()
    await client.say(b"still")
    assert await client.hear(5) == b"still"


async def test_a_connection_is_cut_after_exactly_so_many_bytes(proxy: TcpProxy) -> None:
    proxy.cut_after(7)
    async with connected(proxy) as client:
        await client.say(b"0123456789")
        assert await client.hear(7) == b"0123456"
        with pytest.raises(ConnectionResetError):
            await client.end()


async def test_a_server_that_is_away_looks_like_one_that_resets(echo: Echo) -> None:
    async with echoing() as gone:
        port = gone.port
    async with TcpProxy("127.0.0.1", port) as proxy, connected(proxy) as client:
        with pytest.raises(ConnectionResetError):
            await client.end()


async def test_its_end_is_the_end_of_every_connection(echo: Echo) -> None:
    async with TcpProxy("127.0.0.1", echo.port) as proxy:
        reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
        await proxy.until(lambda count: count == 1)
    with pytest.raises(ConnectionResetError):
        await asyncio.wait_for(reader.read(), 5)
    writer.close()
    assert await asyncio.wait_for(echo.endings.get(), 5) == "reset"
