"""A webhook that takes reports, with nothing but Python's own library. What it does is explained in docs/webhook.md.

Usage: python webhook_receiver.py SECRET_FILE FOLDER [PORT]
"""

import email
import email.policy
import hashlib
import hmac
import json
import os
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID

LARGEST = 100_000_000
OLDEST_SECONDS = 300


def signature_holds(secret: bytes, headers, body: bytes) -> bool:
    """Whether whoever has the secret sent this within the last five minutes."""
    timestamp = headers.get("Fiksmelding-Timestamp", "")
    given = headers.get("Fiksmelding-Signature", "")
    if not timestamp.isascii() or not timestamp.isdigit() or abs(time.time() - int(timestamp)) > OLDEST_SECONDS:
        return False
    expected = hmac.new(secret, timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(given.encode(), f"v1={expected}".encode())


def files_of(content_type: str, body: bytes) -> dict[str, bytes]:
    """The parts of a multipart body, by file name."""
    head = f"Content-Type: {content_type}\r\n\r\n".encode()
    message = email.message_from_bytes(head + body, policy=email.policy.HTTP)
    return {part.get_filename(): part.get_payload(decode=True) for part in message.iter_parts()}


def store(folder: Path, report_id: str, files: dict[str, bytes]) -> None:
    """Store a report so that it is there after a power failure; the second time changes nothing."""
    target, partial = folder / report_id, folder / f".{report_id}.partial"
    if target.exists():
        return
    partial.mkdir(parents=True, exist_ok=True)
    for name in ("metadata.json", "bekymringsmelding.json", "bekymringsmelding.xml", "bekymringsmelding.pdf"):
        if name in files:
            with (partial / name).open("wb") as file:
                file.write(files[name])
                file.flush()
                os.fsync(file.fileno())
    partial.rename(target)
    descriptor = os.open(folder, os.O_RDONLY)
    os.fsync(descriptor)
    os.close(descriptor)


class Webhook(BaseHTTPRequestHandler):
    """Answers 200 when the report is stored, 422 when it is not ours, and lets everything else be sent again."""

    secret = b""
    folder = Path()

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length", "0"))
        body = self.rfile.read(length) if length <= LARGEST else b""
        if not signature_holds(self.secret, self.headers, body):
            self.answer(401, {"error": "the signature does not hold"})
            return
        files = files_of(self.headers["Content-Type"], body)
        about = json.loads(files["metadata.json"])
        report = json.loads(files.get("bekymringsmelding.json", b"{}")) if about["structured"] else {}
        if report.get("kommunenummer") == "9999":
            self.answer(422, {"reason": "Meldingen gjelder en annen kommune."})
            return
        report_id = str(UUID(about["id"]))  # it becomes a file name
        store(self.folder, report_id, files)
        self.answer(200, {"reference": f"sak-{report_id[:8]}"})

    def do_GET(self) -> None:
        report_id = urlsplit(self.path).path.rsplit("/", 1)[-1]
        if not signature_holds(self.secret, self.headers, report_id.encode()):
            self.answer(401, {"error": "the signature does not hold"})
        elif (self.folder / str(UUID(report_id)) / "metadata.json").is_file():
            self.answer(200, {})
        else:
            self.answer(404, {})

    def answer(self, status: int, content: dict[str, str]) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Write no log: a path may hold an id."""


def make_server(secret_file: Path, folder: Path, port: int = 8080) -> ThreadingHTTPServer:
    """A server on this machine; put one with TLS in front of it."""
    handler = type("OurWebhook", (Webhook,), {"secret": secret_file.read_bytes().rstrip(), "folder": folder})
    return ThreadingHTTPServer(("127.0.0.1", port), handler)


if __name__ == "__main__":
    port = int(sys.argv[3]) if len(sys.argv) > 3 else 8080
    server = make_server(Path(sys.argv[1]), Path(sys.argv[2]), port)
    print(f"waiting for reports at http://127.0.0.1:{server.server_port}/reports", flush=True)
    server.serve_forever()
