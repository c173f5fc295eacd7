"""The four reports of the demo, about people who do not exist."""

from fiksmelding.messages import Bekymringsmelding, MessageType, OffentligBekymringsmelding
from fiksmelding.simulator.synthetic import SyntheticReports

SEED = 2026
CHILDREN = 2


def demo_reports() -> list[tuple[MessageType, bytes]]:
    """Privat v2, offentlig v2 with two children, privat v1, offentlig v1: message type and JSON."""
    invented = SyntheticReports(SEED)
    reports: list[Bekymringsmelding] = [
        invented.report(MessageType.PRIVAT_V2),
        _with_two_children(invented),
        invented.report(MessageType.PRIVAT_V1),
        invented.report(MessageType.OFFENTLIG_V1),
    ]
    return [(report.message_type, report.to_json()) for report in reports]


def _with_two_children(invented: SyntheticReports) -> Bekymringsmelding:
    while True:
        report = invented.report(MessageType.OFFENTLIG_V2)
        if isinstance(report, OffentligBekymringsmelding) and len(report.offentlig_barn) == CHILDREN:
            return report
