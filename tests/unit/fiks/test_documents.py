"""Downloads from the document store: whole and in small pieces, gone on with after a break, never mistaken."""

import random
import re
from collections.abc import Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from uuid import uuid4

import pytest
from aiohttp import web
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fiksmelding.errors import NotFound, PlatformUnavailable
from fiksmelding.fiks import Documents, DocumentTooLarge, FiksSession
from support.fake_clock import FakeClock
from support.platform import Handler, Platform, answer, error, hang_up

DOKUMENT = uuid4()
CONTENT = random.Random(5).randbytes(2_000_000)
RANGE = re.compile(r"bytes=(\d+)-")


@dataclass
class Store:
    """Serves one document, as a good or bad server would.

    Attributes:
        content: The document.
        ranges: Whether it serves ranges.
        etag: Its validator, when it gives one.
        announces: Whether it tells the length.
        breaks: After how many bytes each answer breaks off; the rest of the answers are whole.
    """

    content: bytes = CONTENT
    ranges: bool = True
    etag: str | None = '"v1"'
    announces: bool = True
    breaks: list[int] = field(default_factory=list)
    headers: Mapping[str, str] = field(default_factory=dict)
    served: int = 0

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        start = self._start(request)
        response = web.StreamResponse(status=206 if start else 200)
        if start:
            response.headers["Content-Range"] = f"bytes {start}-{len(self.content) - 1}/{len(self.content)}"
        if self.etag is not None:
            response.headers["ETag"] = self.etag
        response.headers.update(self.headers)
        if self.announces:
            response.content_length = len(self.content) - start
        else:
            response.enable_chunked_encoding()
        await response.prepare(request)
        rest = self.content[start:]
        cut = self.breaks.pop(0) if self.breaks else None
        self.served += len(rest[:cut])
        await response.write(rest[:cut])
        if cut is not None:
            # What was written must leave before the cut.
            assert request.transport is not None
            request.transport.close()
            return response
        await response.write_eof()
        return response

    def _start(self, request: web.Request) -> int:
        asked = RANGE.fullmatch(request.headers.get("Range", ""))
        same = request.headers.get("If-Range") in {None, self.etag}
        return int(asked[1]) if asked and same and self.ranges else 0


def serve(platform: Platform, store: Handler, times: int = 40) -> None:
    platform.then(*[store] * times)


async def download(session: FiksSession, **limits: int) -> bytes:
    return b"".join([piece async for piece in Documents(session, **limits).download(DOKUMENT)])


@pytest.mark.parametrize("announces", [True, False])
async def test_a_document_comes_whole_and_in_small_pieces(
    announces: bool, session: FiksSession, platform: Platform
) -> None:
    platform.then(Store(announces=announces), answer(200, {"storrelse": len(CONTENT)}))
    pieces = [piece async for piece in Documents(session).download(DOKUMENT)]
    assert b"".join(pieces) == CONTENT
    assert max(map(len, pieces)) <= 65_536
    assert platform.seen[0].path == f"/dokumentlager/nedlasting/{DOKUMENT}"
    assert platform.seen[0].headers["IntegrasjonId"]
    assert platform.seen[0].headers["Accept"] == "*/*"


async def test_an_empty_document_is_empty(session: FiksSession, platform: Platform) -> None:
    platform.then(answer(200, body=b""))
    assert await download(session) == b""


async def test_after_a_break_only_the_rest_is_fetched_from_a_store_that_serves_ranges(
    session: FiksSession, platform: Platform, clock: FakeClock
) -> None:
    store = Store(breaks=[300_000, 1_200_000, 5])
    serve(platform, store)
    assert await download(session) == CONTENT
    assert store.served < len(CONTENT) + 3 * 65_536
    assert [seen.headers.get("If-Range") for seen in platform.seen] == [None, '"v1"', '"v1"', '"v1"']
    assert len(clock.slept) == 3


@pytest.mark.parametrize(
    "store",
    [
        Store(ranges=False),
        Store(etag=None),
        Store(etag='W/"v1"'),
        Store(etag=None, announces=False),
        Store(headers={"Content-Range": "bytes 7-8/9"}),
        Store(headers={"Content-Range": "nonsense"}),
    ],
    ids=["no ranges", "no ETag", "weak ETag", "no length", "another part", "nonsense"],
)
async def test_from_any_other_store_it_is_fetched_again_and_given_once(
    store: Store, session: FiksSession, platform: Platform
) -> None:
    store.breaks, store.served = [300_000, 700_000], 0
    if store.announces:
        serve(platform, store)
    else:
        platform.then(*[store] * 3, answer(200, {}))
    assert await download(session) == CONTENT
    assert store.served > len(CONTENT) + 300_000


@pytest.mark.parametrize(("etag", "length"), [('"v2"', 2_000_000), (None, 2_000_000), ('"v2"', 1_999_999)])
async def test_a_document_that_has_changed_meanwhile_is_never_mixed(
    etag: str | None, length: int, session: FiksSession, platform: Platform
) -> None:
    platform.then(Store(breaks=[300_000], etag='"v1"' if etag else None), Store(b"x" * length, etag=etag))
    with pytest.raises(PlatformUnavailable, match="not the document"):
        await download(session)


async def test_a_range_of_another_version_is_not_taken(session: FiksSession, platform: Platform) -> None:
    class Careless(Store):
        def _start(self, request: web.Request) -> int:
            return 300_000

    platform.then(Store(breaks=[300_000]), Careless(b"x" * len(CONTENT), etag='"v2"'))
    with pytest.raises(PlatformUnavailable, match="not the document"):
        await download(session)


@pytest.mark.parametrize("announces", [True, False])
async def test_a_document_that_breaks_off_for_ever_is_given_up_and_never_taken_for_whole(
    announces: bool, session: FiksSession, platform: Platform, clock: FakeClock
) -> None:
    serve(platform, Store(announces=announces, breaks=[100_000] * 20, ranges=False))
    with pytest.raises(PlatformUnavailable):
        await download(session)
    assert len(platform.seen) == 9
    assert clock.slept[:3] == [0.5, 1, 2]


async def test_as_long_as_it_comes_nearer_it_goes_on(session: FiksSession, platform: Platform) -> None:
    whole = CONTENT * 10
    serve(platform, Store(whole, breaks=[1_200_000] * 15))
    assert await download(session) == whole


async def test_a_length_that_is_not_announced_is_looked_up(session: FiksSession, platform: Platform) -> None:
    platform.then(Store(announces=False), answer(200, {"storrelse": len(CONTENT) + 1}), error(404))
    with pytest.raises(NotFound):
        await download(session)
    assert platform.seen[1].path.endswith(f"{DOKUMENT}/metadata")


async def test_without_metadata_the_end_of_the_transfer_counts(session: FiksSession, platform: Platform) -> None:
    platform.then(Store(announces=False), error(403))
    assert await download(session) == CONTENT


async def test_where_nothing_tells_the_length_it_is_not_taken_for_whole(
    session: FiksSession, platform: Platform
) -> None:
    async def until_it_closes(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + CONTENT[:1000])
        request.transport.close()
        return web.Response()

    platform.then(*[until_it_closes, error(404)] * 20)
    with pytest.raises(PlatformUnavailable, match="Nothing tells"):
        await download(session)


async def test_a_document_that_is_gone_says_so(session: FiksSession, platform: Platform) -> None:
    platform.then(error(404))
    with pytest.raises(NotFound):
        await download(session)


async def test_opening_is_tried_again(session: FiksSession, platform: Platform) -> None:
    platform.then(error(503), hang_up, error(401, "access_token"), Store())
    assert await download(session) == CONTENT


@pytest.mark.parametrize("announces", [True, False])
async def test_a_document_over_the_limit_is_not_read_to_its_end(
    announces: bool, session: FiksSession, platform: Platform
) -> None:
    platform.then(Store(announces=announces))
    with pytest.raises(DocumentTooLarge, match="at most 1500000"):
        await download(session, limit=1_500_000)


async def test_one_may_stop_in_the_middle(session: FiksSession, platform: Platform) -> None:
    platform.then(Store(), Store())
    async with aclosing(Documents(session).download(DOKUMENT)) as pieces:
        async for _ in pieces:
            break
    assert await download(session) == CONTENT


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    breaks=st.lists(st.integers(0, 250_000), max_size=6),
    ranges=st.booleans(),
    etag=st.sampled_from([None, '"v1"', 'W/"v1"']),
    announces=st.booleans(),
)
async def test_wherever_it_breaks_the_same_bytes_come(  # noqa: PLR0917 - hypothesis passes by name
    breaks: list[int], ranges: bool, etag: str | None, announces: bool, session: FiksSession, platform: Platform
) -> None:
    platform.answers.clear()
    content = CONTENT[:200_000]
    store = Store(content, ranges=ranges, etag=etag, announces=announces, breaks=breaks)

    async def document_or_metadata(request: web.Request) -> web.StreamResponse:
        if request.path.endswith("/metadata"):
            return web.json_response({"storrelse": len(content)})
        return await store(request)

    serve(platform, document_or_metadata)
    assert await download(session) == content
