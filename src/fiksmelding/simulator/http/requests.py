"""Reading a request without trusting it."""

from collections.abc import AsyncIterator
from uuid import UUID

from aiohttp import BodyPartReader, web
from aiohttp.http_exceptions import HttpProcessingError

from fiksmelding.simulator.accounts import Integration
from fiksmelding.simulator.authentication import Authentication
from fiksmelding.simulator.refusals import Refusal

__all__ = ["caller", "parts", "path_uuid", "small_part"]

LARGEST_SMALL_PART = 262_144


def caller(request: web.Request, authentication: Authentication) -> Integration:
    """The integration that calls.

    Raises:
        Refusal: 401.
    """
    return authentication.caller(
        authorization=request.headers.get("Authorization", ""),
        integration_id=request.headers.get("IntegrasjonId", ""),
        password=request.headers.get("IntegrasjonPassord", ""),
    )


def path_uuid(request: web.Request, name: str) -> UUID:
    """A UUID in the path.

    Raises:
        Refusal: 400 when it is none.
    """
    try:
        return UUID(request.match_info[name])
    except ValueError:
        raise Refusal.bad_request(f"{name} er ikke en UUID") from None


async def parts(request: web.Request) -> AsyncIterator[BodyPartReader]:
    """The parts of a multipart/form-data body, in order.

    Raises:
        Refusal: 400 when it is none, or malformed.
    """
    if request.content_type != "multipart/form-data":
        raise Refusal.bad_request("Innholdet må være multipart/form-data")
    malformed = Refusal.bad_request("Innholdet er ikke gyldig multipart/form-data")
    try:
        reader = await request.multipart()
        while (part := await reader.next()) is not None:
            if not isinstance(part, BodyPartReader):
                raise malformed
            yield part
    # What aiohttp raises, by turns, for a missing boundary, bad part headers and a body that ends early.
    except (AssertionError, HttpProcessingError, LookupError, RuntimeError, ValueError) as error:
        raise malformed from error


async def small_part(part: BodyPartReader) -> bytes:
    """A part that must be small, whole.

    Raises:
        Refusal: 400 when it is too large.
    """
    data = bytearray()
    while chunk := await part.read_chunk():
        data += chunk
        if len(data) > LARGEST_SMALL_PART:
            raise Refusal.bad_request(f"Delen {part.name} er for stor")
    return bytes(data)
