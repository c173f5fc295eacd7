"""Maskinporten's endpoints (contract section 3)."""

from collections.abc import Iterable
from datetime import timedelta
from urllib.parse import parse_qsl

from aiohttp import web

from fiksmelding.simulator.assertions import AssertionRules
from fiksmelding.simulator.http.faults import fault_of_this_call
from fiksmelding.simulator.refusals import OAuthRefusal
from fiksmelding.simulator.tokens import LIFETIME, Tokens

__all__ = ["ISSUER_PATH", "OAuthRoutes"]

ISSUER_PATH = "/maskinporten/"
GRANT_TYPE = "urn:ietf:params:oauth:grant-type:jwt-bearer"
MOST_FIELDS = 20


class OAuthRoutes:
    """The token endpoint, and the key that its tokens can be checked with.

    Args:
        rules: What an assertion must be.
        tokens: Who makes the tokens.
        issuer: The issuer's URL.
    """

    def __init__(self, rules: AssertionRules, tokens: Tokens, issuer: str) -> None:
        self._rules = rules
        self._tokens = tokens
        self._issuer = issuer

    def routes(self) -> Iterable[web.RouteDef]:
        """What is served."""
        yield web.post(f"{ISSUER_PATH}token", self._token)
        yield web.get(f"{ISSUER_PATH}jwk", self._keys)
        yield web.get(f"{ISSUER_PATH}.well-known/oauth-authorization-server", self._metadata)

    async def _token(self, request: web.Request) -> web.Response:
        form = await _form(request)
        grant_type, assertion = form.get("grant_type"), form.get("assertion")
        if not grant_type:
            raise OAuthRefusal("invalid_request", "Missing parameter grant_type.")
        if grant_type != GRANT_TYPE:
            raise OAuthRefusal("unsupported_grant_type", "The grant type is not supported.")
        if not assertion:
            raise OAuthRefusal("invalid_request", "Missing parameter assertion.")
        shortened = fault_of_this_call().token_seconds
        lifetime = LIFETIME if shortened is None else timedelta(seconds=shortened)
        answer = self._tokens.issue(self._rules.check(assertion), lifetime=lifetime)
        return web.Response(
            text=answer.model_dump_json(), content_type="application/json", headers={"Cache-Control": "no-store"}
        )

    async def _keys(self, _: web.Request) -> web.Response:
        return web.json_response(self._tokens.public_keys())

    async def _metadata(self, _: web.Request) -> web.Response:
        return web.json_response(
            {
                "issuer": self._issuer,
                "token_endpoint": f"{self._issuer}token",
                "jwks_uri": f"{self._issuer}jwk",
                "grant_types_supported": [GRANT_TYPE],
                "token_endpoint_auth_methods_supported": ["private_key_jwt"],
                "token_endpoint_auth_signing_alg_values_supported": ["RS256"],
            }
        )


async def _form(request: web.Request) -> dict[str, str]:
    """The fields of the form; RFC 6749, 3.2 wants each at most once."""
    if request.content_type != "application/x-www-form-urlencoded":
        raise OAuthRefusal("invalid_request", "The body must be application/x-www-form-urlencoded.")
    text = (await request.read()).decode(errors="replace")
    try:
        fields = parse_qsl(text, keep_blank_values=True, max_num_fields=MOST_FIELDS)
    except ValueError:
        raise OAuthRefusal("invalid_request", "The form cannot be read.") from None
    if len(dict(fields)) != len(fields):
        raise OAuthRefusal("invalid_request", "A parameter is given more than once.")
    return dict(fields)
