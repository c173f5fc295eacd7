"""The example documents and the official reference, for tests of messages."""

import json
import os
from pathlib import Path

from fiksmelding.messages import MessageType

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples"
EXAMPLE_FILES = {
    MessageType.PRIVAT_V1: "privat-v1",
    MessageType.PRIVAT_V2: "privat-v2",
    MessageType.OFFENTLIG_V1: "offentlig-v1",
    MessageType.OFFENTLIG_V2: "offentlig-v2",
    MessageType.FEILET: "feilet",
}
SCHEMA_FILES = {
    "urn:no:fiksmelding:bekymringsmelding:v1": "bekymringsmelding-v1.xsd",
    "urn:no:fiksmelding:bekymringsmelding:v2": "bekymringsmelding-v2.xsd",
    "urn:no:fiksmelding:kvittering:v1": "kvittering-v1.xsd",
}
OFFICIAL_SCHEMAS = {
    MessageType.PRIVAT_V1: "privat.bekymringsmelding.v1.json",
    MessageType.PRIVAT_V2: "v2/privat.bekymringsmelding.v2.json",
    MessageType.OFFENTLIG_V1: "offentlig.bekymringsmelding.v1.json",
    MessageType.OFFENTLIG_V2: "v2/offentlig.bekymringsmelding.v2.json",
    MessageType.FEILET: "feilmelding.json",
}


def example(message_type: MessageType) -> bytes:
    """The example document of a message type, as JSON."""
    return (EXAMPLES / f"{EXAMPLE_FILES[message_type]}.json").read_bytes()


def example_document(message_type: MessageType) -> dict[str, object]:
    """The same as a JSON object, to be altered."""
    document: dict[str, object] = json.loads(example(message_type))
    return document


def reference_folder() -> Path | None:
    """Where the official JSON Schemas and examples are, when they are beside the project."""
    candidates = [os.environ.get("FIKSMELDING_REFERENCE"), str(ROOT.parent / "shared" / "reference")]
    return next((Path(folder) for folder in candidates if folder and Path(folder).is_dir()), None)
