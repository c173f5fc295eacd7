"""Everything the platform serves over HTTP."""

from aiohttp import web

from fiksmelding.simulator.http.catalog import CatalogRoutes
from fiksmelding.simulator.http.oauth import OAuthRoutes
from fiksmelding.simulator.http.openapi import OpenApiRoutes
from fiksmelding.simulator.http.reporting import ReportingRoutes
from fiksmelding.simulator.http.sending import SendingRoutes
from fiksmelding.simulator.municipalities import StottetVersjon
from fiksmelding.simulator.platform import Platform

__all__ = ["platform_routes"]


def platform_routes(platform: Platform, *, api_url: str, issuer: str) -> list[web.RouteDef]:
    """The routes of token issuer, catalog, reporting in both versions, sending, documents, and their description."""
    authentication = platform.authentication
    return [
        *OAuthRoutes(platform.assertions, platform.tokens, issuer).routes(),
        *CatalogRoutes(platform.catalog, authentication).routes(),
        *ReportingRoutes(StottetVersjon.V1, platform.reporting, authentication).routes(),
        *ReportingRoutes(StottetVersjon.V2, platform.reporting, authentication).routes(),
        *OpenApiRoutes(api_url).routes(),
        *SendingRoutes(platform.exchange, platform.documents, authentication).routes(),
    ]
