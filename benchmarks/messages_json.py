"""Parsing and validating JSON, against `json.loads` and the `jsonschema` library on the official schemas."""

import json
import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import jsonschema
from referencing import Registry, Resource

from fiksmelding.messages import MessageType, parse_json
from fiksmelding.simulator.synthetic import SyntheticReports

REFERENCE = os.environ.get("FIKSMELDING_REFERENCE") or Path(__file__).parents[2] / "shared" / "reference"
SCHEMAS = Path(REFERENCE) / "json-schema"
FILES = {
    MessageType.PRIVAT_V1: "privat.bekymringsmelding.v1.json",
    MessageType.PRIVAT_V2: "v2/privat.bekymringsmelding.v2.json",
    MessageType.OFFENTLIG_V1: "offentlig.bekymringsmelding.v1.json",
    MessageType.OFFENTLIG_V2: "v2/offentlig.bekymringsmelding.v2.json",
}
REPORTS = 400
ROUNDS = 7
TARGET = 20


def seconds(work: Callable[[], object]) -> float:
    """Processor time, so that what else the machine does counts little."""
    start = time.process_time()
    work()
    return time.process_time() - start


def validators() -> dict[MessageType, jsonschema.Draft201909Validator]:
    registry: Registry[object] = Registry().with_resources(
        (
            f"https://schemas.test/{path.relative_to(SCHEMAS).as_posix()}",
            Resource.from_contents({**json.loads(path.read_text("utf-8")), "$id": ""}),
        )
        for path in SCHEMAS.rglob("*.json")
        if "metadata" not in path.name
    )
    return {
        kind: jsonschema.Draft201909Validator(
            {**json.loads((SCHEMAS / file).read_text("utf-8")), "$id": f"https://schemas.test/{file}"},
            registry=registry,
        )
        for kind, file in FILES.items()
    }


def main() -> None:
    reports = [(report.message_type, report.to_json()) for report in SyntheticReports(1).reports(REPORTS)]

    def ours() -> None:
        for kind, data in reports:
            parse_json(data, kind)

    own = statistics.median(seconds(ours) for _ in range(ROUNDS))
    size = sum(len(data) for _, data in reports)
    print(f"parse and validate JSON: {own / REPORTS * 1e6:.0f} µs a report, {size / own / 1e6:.0f} MB/s")
    if not SCHEMAS.is_dir():
        print("the official schemas are not beside the project (../shared/reference): nothing to compare with")
        return
    judges = validators()

    def theirs() -> None:
        for kind, data in reports:
            judges[kind].validate(json.loads(data))

    ratio = statistics.median(seconds(theirs) / seconds(ours) for _ in range(ROUNDS))
    print(f"parse and validate JSON: {ratio:.1f} times as fast as jsonschema (target: {TARGET})")


if __name__ == "__main__":
    main()
