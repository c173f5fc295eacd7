"""Sending and the document store over HTTP (contract sections 5 and 7)."""

import re
from collections.abc import Iterable
from http import HTTPStatus

from aiohttp import web

from fiksmelding.simulator.accounts import Integration
from fiksmelding.simulator.answers import DocumentMetadata
from fiksmelding.simulator.authentication import Authentication
from fiksmelding.simulator.documents import Body, Documents, IncomingBody
from fiksmelding.simulator.exchange import Exchange, SendMetadata
from fiksmelding.simulator.http.faults import suffer_midway
from fiksmelding.simulator.http.requests import caller, parts, path_uuid, small_part
from fiksmelding.simulator.refusals import Refusal

__all__ = ["SendingRoutes"]

SEND = "/fiks-io/api/v1/send"
DOCUMENT = "/dokumentlager/nedlasting/{dokumentId}"
FROM_THERE_ON = re.compile(r"bytes=(\d{1,15})-")


class SendingRoutes:
    """Sending a message, and fetching a large body.

    Args:
        exchange: Who takes messages.
        documents: Who keeps large bodies.
        authentication: Who checks the caller.
    """

    def __init__(self, exchange: Exchange, documents: Documents, authentication: Authentication) -> None:
        self._exchange = exchange
        self._documents = documents
        self._authentication = authentication

    def routes(self) -> Iterable[web.RouteDef]:
        """What is served."""
        yield web.post(SEND, self._send)
        yield web.get(DOCUMENT, self._download)
        yield web.get(f"{DOCUMENT}/metadata", self._metadata)

    async def _send(self, request: web.Request) -> web.Response:
        integration = caller(request, self._authentication)
        async with self._documents.incoming() as incoming:
            metadata, has_body = await _read(request, incoming)
            if metadata is None:
                raise Refusal.bad_request("Delen metadata mangler")
            answer = self._exchange.send(integration, metadata, await _finish(incoming) if has_body else None)
        return web.Response(text=answer.to_json(), content_type="application/json")

    async def _download(self, request: web.Request) -> web.StreamResponse:
        document_id = path_uuid(request, "dokumentId")
        self._check_right(caller(request, self._authentication), request)
        document = self._documents.metadata(document_id)
        start = _wanted_from(request, document) if self._documents.serves_ranges else 0
        response = _download_answer(document, start)
        if self._documents.serves_ranges:
            response.headers.update({"Accept-Ranges": "bytes", "ETag": _etag(document)})
        await response.prepare(request)
        written = start
        async for chunk in self._documents.read(document_id, start=start):
            if written < document.storrelse / 2 <= (written := written + len(chunk)):
                await suffer_midway(request, self._documents.clock)
            await response.write(chunk)
        await response.write_eof()
        return response

    async def _metadata(self, request: web.Request) -> web.Response:
        self._check_right(caller(request, self._authentication), request)
        metadata = self._documents.metadata(path_uuid(request, "dokumentId"))
        return web.Response(text=metadata.to_json(), content_type="application/json")

    def _check_right(self, integration: Integration, request: web.Request) -> None:
        document_id = path_uuid(request, "dokumentId")
        if self._documents.recipient(document_id) not in integration.accounts:
            raise Refusal.right(integration.id, f"dokument {document_id}")


def _etag(document: DocumentMetadata) -> str:
    return f'"{document.sha256}"'


def _wanted_from(request: web.Request, document: DocumentMetadata) -> int:
    """Where to begin: at `Range: bytes=N-`, if the document is the one of `If-Range` (RFC 9110, 13.1.5); else at 0.

    Raises:
        Refusal: 416 when it ends before that.
    """
    asked = FROM_THERE_ON.fullmatch(request.headers.get("Range", ""))
    if asked is None or request.headers.get("If-Range", _etag(document)) != _etag(document):
        return 0
    start = int(asked[1])
    if start >= document.storrelse:
        headers = {"Content-Range": f"bytes */{document.storrelse}"}
        raise Refusal(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, "Dokumentet er kortere", headers=headers)
    return start


def _download_answer(document: DocumentMetadata, start: int) -> web.StreamResponse:
    size = document.storrelse
    headers = {"Content-Type": "application/octet-stream", "Content-Length": str(size - start)}
    if not start:
        return web.StreamResponse(headers=headers)
    part = {"Content-Range": f"bytes {start}-{size - 1}/{size}"}
    return web.StreamResponse(status=HTTPStatus.PARTIAL_CONTENT, headers=headers | part)


async def _read(request: web.Request, incoming: IncomingBody) -> tuple[SendMetadata | None, bool]:
    metadata, has_body = None, False
    async for part in parts(request):
        if part.name == "metadata" and metadata is None:
            metadata = SendMetadata.parse(await small_part(part))
        elif part.name == "data" and not has_body:
            has_body = True
            while chunk := await part.read_chunk(65_536):
                await incoming.write(chunk)
        else:
            raise Refusal.bad_request("Bare én del metadata og én del data kan sendes")
    return metadata, has_body


async def _finish(incoming: IncomingBody) -> Body:
    body = await incoming.finish()
    if not body.size:
        raise Refusal.bad_request("Delen data er tom: en melding uten innhold sendes uten delen")
    return body
