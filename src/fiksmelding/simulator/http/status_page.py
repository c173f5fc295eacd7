"""The status page: accounts, queues and reports in a browser, as they change."""

from collections.abc import Iterable
from importlib.resources import files

from aiohttp import web

from fiksmelding.simulator.http.local import check_host

__all__ = ["StatusPageRoutes"]

FOLDER = files("fiksmelding.simulator.http") / "status"
FILES = {
    "/": ("index.html", "text/html"),
    "/status.css": ("status.css", "text/css"),
    "/status.js": ("status.js", "text/javascript"),
}
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


class StatusPageRoutes:
    """Serves the page beside the control API, from which it gets what it shows."""

    def routes(self) -> Iterable[web.RouteDef]:
        """What is served."""
        for path in FILES:
            yield web.get(path, self._get)

    async def _get(self, request: web.Request) -> web.Response:
        check_host(request)
        name, content_type = FILES[request.path]
        text = (FOLDER / name).read_text("utf-8")
        return web.Response(text=text, content_type=content_type, charset="utf-8", headers=HEADERS)
