"""Downloads from the document store."""

from contextlib import aclosing
from uuid import uuid4

import pytest
from aiohttp import web

from fiksmelding.errors import NotFound, PlatformUnavailable
from fiksmelding.fiks import Documents, FiksSession
from support.platform import Handler, Platform, answer, error, hang_up

DOKUMENT = uuid4()
PIECE = b"x" * 50_000


def streamed(pieces: int, *, announced: int | None = None, cut: bool = False) -> Handler:
    """Send `pieces` pieces, announcing a length or none."""

    async def handler(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        if announced is None:
            response.enable_chunked_encoding()
        else:
            response.content_length = announced
        await response.prepare(request)
        for _ in range(pieces):
            await response.write(PIECE)
        if cut:
            return await hang_up(request)
        await response.write_eof()
        return response

    return handler


async def download(session: FiksSession, **limits: int) -> bytes:
    return b"".join([piece async for piece in Documents(session).download(DOKUMENT, **limits)])


@pytest.mark.parametrize("announced", [None, 40 * len(PIECE)])
async def test_a_document_comes_whole_and_in_small_pieces(
    announced: int | None, session: FiksSession, platform: Platform
) -> None:
    platform.then(streamed(40, announced=announced))
    sizes = [len(piece) async for piece in Documents(session).download(DOKUMENT)]
    assert sum(sizes) == 40 * len(PIECE)
    assert max(sizes) <= 65_536
    assert platform.seen[0].path == f"/dokumentlager/nedlasting/{DOKUMENT}"
    assert platform.seen[0].headers["IntegrasjonId"]
    assert platform.seen[0].headers["Accept"] == "*/*"


async def test_an_empty_document_is_empty(session: FiksSession, platform: Platform) -> None:
    platform.then(answer(200, body=b""))
    assert await download(session) == b""


@pytest.mark.parametrize("announced", [None, 1_000_000])
async def test_a_document_that_breaks_off_is_never_taken_for_whole(
    announced: int | None, session: FiksSession, platform: Platform
) -> None:
    platform.then(streamed(3, announced=announced, cut=True))
    with pytest.raises(PlatformUnavailable):
        await download(session)


async def test_a_document_that_is_gone_says_so(session: FiksSession, platform: Platform) -> None:
    platform.then(error(404))
    with pytest.raises(NotFound):
        await download(session)


async def test_opening_is_tried_again(session: FiksSession, platform: Platform) -> None:
    platform.then(error(503), hang_up, error(401, "access_token"), streamed(1))
    assert await download(session) == PIECE


@pytest.mark.parametrize("announced", [None, 4 * len(PIECE)])
async def test_a_document_over_the_limit_is_not_read_to_its_end(
    announced: int | None, session: FiksSession, platform: Platform
) -> None:
    platform.then(streamed(4, announced=announced))
    with pytest.raises(PlatformUnavailable, match="too large"):
        await download(session, limit=3 * len(PIECE))


async def test_one_may_stop_in_the_middle(session: FiksSession, platform: Platform) -> None:
    platform.then(streamed(40), streamed(1))
    async with aclosing(Documents(session).download(DOKUMENT)) as pieces:
        async for _ in pieces:
            break
    assert await download(session) == PIECE
