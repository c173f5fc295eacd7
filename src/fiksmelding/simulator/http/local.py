"""What guards the control API: it is for this machine's programs, not for web pages in a browser on it."""

from aiohttp import web

from fiksmelding.simulator.refusals import Refusal

__all__ = ["check_host", "json_body"]

LOOPBACK_NAMES = frozenset({"127.0.0.1", "localhost", "[::1]"})


def check_host(request: web.Request) -> None:
    """Refuse a browser that a web page has led here under another name (DNS rebinding)."""
    name = request.host.rpartition(":")[0] if not request.host.endswith("]") else request.host
    if (name or request.host).lower() not in LOOPBACK_NAMES:
        raise Refusal.bad_request("The control API answers on loopback only")


async def json_body(request: web.Request) -> bytes:
    """The body of a call that changes something.

    Raises:
        Refusal: 400 when it is no JSON by its type.
    """
    check_host(request)
    # A page in a browser can send other types here without asking, but not this one.
    if request.content_type != "application/json":
        raise Refusal.bad_request("Send application/json")
    return await request.read()
