"""The platform's error JSON for whatever goes wrong (contract section 3)."""

import logging
import time
import traceback
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from uuid import uuid4

from aiohttp import web

from fiksmelding.errors import BrokerUnavailable
from fiksmelding.simulator.answers import ErrorAnswer, OAuthError
from fiksmelding.simulator.refusals import OAuthRefusal, Refusal

__all__ = ["answer_errors"]

log = logging.getLogger(__name__)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@web.middleware
async def answer_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn refusals and mistakes into JSON."""
    try:
        return await handler(request)
    except OAuthRefusal as refusal:
        return _oauth_error(refusal)
    except Refusal as refusal:
        return _error(request, refusal.status, refusal.message, refusal.headers)
    except web.HTTPException as answer:
        if answer.status < HTTPStatus.BAD_REQUEST:
            raise
        allowed = {"Allow": answer.headers["Allow"]} if "Allow" in answer.headers else {}
        return _error(request, HTTPStatus(answer.status), HTTPStatus(answer.status).description, allowed)
    except BrokerUnavailable as error:
        log.warning("%s %s cannot be answered: %s", request.method, request.path, error)
        return _error(request, HTTPStatus.SERVICE_UNAVAILABLE, "Meldingskøen svarer ikke nå")
    except (ConnectionError, TimeoutError):
        raise  # The caller is gone; there is nobody to answer.
    except Exception as error:  # noqa: BLE001 - a bug here must answer as the platform's own bugs do, and go on
        place = traceback.extract_tb(error.__traceback__)[-1]
        # Neither the error's text nor its values: they may quote a secret or a report.
        log.error("%s %s failed: %s in %s", request.method, request.path, type(error).__name__, place.name)  # noqa: TRY400
        return _error(request, HTTPStatus.INTERNAL_SERVER_ERROR, "Det oppstod en feil på tjeneren")


def _error(
    request: web.Request, status: HTTPStatus, message: str, headers: Mapping[str, str] | None = None
) -> web.Response:
    error_id = uuid4()
    log.info("%s %s is answered %d, errorId %s", request.method, request.path, status, error_id)
    answer = ErrorAnswer(
        timestamp=int(time.time() * 1000),
        status=status,
        error=status.phrase,
        error_id=error_id,
        # Bytes of the request line that are no UTF-8 arrive as surrogates, which JSON cannot hold.
        path=request.path.encode(errors="replace").decode(),
        message=message,
    )
    return web.Response(text=answer.to_json(), content_type="application/json", status=status, headers=headers)


def _oauth_error(refusal: OAuthRefusal) -> web.Response:
    trace_id = uuid4().hex
    log.info("a token is refused: %s %s, trace_id %s", refusal.error, refusal.code or "", trace_id)
    answer = OAuthError(
        error=refusal.error,
        error_description=f"{refusal.description} (trace_id: {trace_id})",
        error_uri=f"https://maskinporten.no/errors/{refusal.code}" if refusal.code else None,
    )
    return web.Response(
        text=answer.model_dump_json(exclude_none=True),
        content_type="application/json",
        status=HTTPStatus.BAD_REQUEST,
        headers={"Cache-Control": "no-store"},
    )
