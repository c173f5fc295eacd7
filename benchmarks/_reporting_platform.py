"""A platform that takes every report and keeps none: what is measured against it is the sender alone.

Usage: python -m benchmarks._reporting_platform FOLDER. Writes `settings.toml` there, and runs until its end.
"""

import json
import socket
import sys
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from aiohttp import web

from fiksmelding.simulator.pki import Authority

ACCOUNT, ORGANISATION = str(uuid4()), str(uuid4())
STATES = ("AKSEPTERT", "SENDT_FAGSYSTEM", "LEVERT")


def application(pem: str) -> web.Application:
    bydel = {"bydelsnummer": "02", "bydelsnavn": "Bergenhus", "standardMottaker": True, "stottetVersjon": "V2"}
    kommune = {"kommunenr": "4601", "navn": "Bergen", "bydeler": [bydel]}
    key = {"nokkel": pem, "gyldig": True}
    account = {"kontoId": ACCOUNT, "fiksOrgNavn": "Skole"}

    async def answer(request: web.Request) -> web.Response:
        if request.method == "POST" and request.path == "/token":
            return web.json_response({"access_token": "token", "expires_in": 3600})
        if request.method == "POST":
            while await request.content.readany():
                pass
            return web.json_response({"uuid": str(uuid4())}, status=201)
        if request.path.endswith("/krypteringsnokler"):
            return web.json_response({"printOffentligNokkel": key, "fiksIOOffentligNokkel": key})
        if request.path.endswith("/status"):
            now = datetime.now(UTC).isoformat()
            return web.json_response([{"tidspunkt": now, "tilstand": state} for state in STATES])
        return web.json_response(account if "/kontoer/" in request.path else kommune)

    made = web.Application()
    made.router.add_route("*", "/{path:.*}", answer)
    return made


def write_settings(folder: Path, port: int) -> str:
    """Write what a sender needs; returns the certificate that is sealed for."""
    credential = Authority.new().business("310642002", "Fjellsiden skole (test)")
    (folder / "key.pem").write_bytes(credential.key_pem)
    (folder / "certificate.pem").write_bytes(credential.certificate_pem)
    url = f"http://127.0.0.1:{port}"
    tables: dict[str, dict[str, object]] = {
        "account": {"id": ACCOUNT, "private_keys": ["key.pem"], "organisation_id": ORGANISATION},
        "integration": {"id": str(uuid4()), "password": "none"},
        "maskinporten": {
            "issuer": f"{url}/", "client_id": "us", "private_key": "key.pem", "certificate": "certificate.pem",
        },
        "platform": {"api_url": url},
        "journal": {"url": "sqlite:///journal.db"},
    }  # fmt: skip
    text = "\n".join(
        f"[{table}]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in values.items())
        for table, values in tables.items()
    )
    (folder / "settings.toml").write_text(text, "utf-8")
    return credential.certificate_pem.decode()


def main() -> None:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        pem = write_settings(Path(sys.argv[1]), listening.getsockname()[1])
        web.run_app(application(pem), sock=listening, print=lambda *_: print("ready", flush=True), access_log=None)


if __name__ == "__main__":
    main()
