"""XML both ways, against lxml alone: writing to serialising, reading to parsing and validating."""

import statistics
import time
from collections.abc import Callable

from lxml import etree

from fiksmelding.messages import parse_xml
from fiksmelding.messages.schemas import load_schema
from fiksmelding.simulator.synthetic import SyntheticReports

REPORTS = 200
ROUNDS = 7


def seconds(work: Callable[[], object]) -> float:
    """The median processor time of some rounds, so that what else the machine does counts little."""
    took = []
    for _ in range(ROUNDS):
        start = time.process_time()
        work()
        took.append(time.process_time() - start)
    return statistics.median(took)


def main() -> None:
    reports = list(SyntheticReports(1).reports(REPORTS))
    documents = [report.to_xml() for report in reports]
    trees = [etree.fromstring(data) for data in documents]
    schemas = [load_schema(f"bekymringsmelding-{report.xml_namespace[-2:]}.xsd") for report in reports]

    def lxml_reads() -> None:
        for data, schema in zip(documents, schemas, strict=True):
            schema.assertValid(etree.fromstring(data))

    writing = seconds(lambda: [report.to_xml() for report in reports])
    reading = seconds(lambda: [parse_xml(data) for data in documents])
    lxml_writing = seconds(lambda: [etree.tostring(tree, encoding="UTF-8") for tree in trees])
    print(
        f"write XML: {writing / REPORTS * 1e6:.0f} µs a report, "
        f"{writing / lxml_writing:.1f} times what lxml takes to serialise the finished tree"
    )
    print(
        f"read and validate XML: {reading / REPORTS * 1e6:.0f} µs a report, "
        f"{reading / seconds(lxml_reads):.1f} times what lxml takes to parse and validate alone"
    )


if __name__ == "__main__":
    main()
