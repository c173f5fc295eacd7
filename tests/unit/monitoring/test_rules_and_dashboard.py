"""The alert rules and the dashboard that are shipped: loaded by what reads them, and about metrics that there are."""

import json
import re
import subprocess

import pytest
import yaml
from prometheus_client import CollectorRegistry

from fiksmelding.alarms import Alarm, AlarmKind
from fiksmelding.alarms.lane import Lane
from fiksmelding.journal import Waiting
from fiksmelding.monitoring.outbox_metrics import OutboxMetrics
from fiksmelding.monitoring.road_metrics import RoadMetrics, RoadView
from support.arrivals import NOON
from support.clocks import StillClock
from support.documents import ROOT
from support.tools import tool

FOLDER = ROOT / "packaging" / "monitoring"
RULES, TESTS = FOLDER / "fiksmelding-alerts.yaml", FOLDER / "fiksmelding-alerts-test.yaml"
DASHBOARD = FOLDER / "fiksmelding-dashboard.json"
NAME = re.compile(r"\bfiksmelding_\w+")


class Mail:
    """A way for alarms that takes none."""

    name = "mail"
    at_once = 1
    pause_seconds = 0.0

    async def send(self, alarms: object, *, lost: int = 0) -> None:
        raise AssertionError


def shown() -> set[str]:
    """The names of every sample that a receiver and a sender show."""
    road = RoadMetrics(steps=["kept"], certificates={"signing": NOON})
    view = RoadView(
        broker=("consuming", ["consuming"]),
        journal_up=True,
        case_system=("well", ["well"]),
        at_once=4,
        with_it=0,
        waiting=[Waiting("RECEIVED", 0, None)],
        unread=0,
    )
    road.show(view, NOON)
    road.failed("handler_failed")
    road.alarms(Alarm(kind=AlarmKind.TEST, text="", at=NOON))
    road.alarms.show([Lane(Mail(), level=0, room=1, clock=StillClock())])
    outbox = OutboxMetrics()
    outbox.happened("submitted")
    outbox.show([Waiting("QUEUED", 0, None)], NOON)
    return samples(road.registry) | samples(outbox.registry)


def samples(registry: CollectorRegistry) -> set[str]:
    return {sample.name for metric in registry.collect() for sample in metric.samples}


def expressions() -> list[str]:
    rules = yaml.safe_load(RULES.read_text("utf-8"))
    panels = json.loads(DASHBOARD.read_text("utf-8"))["panels"]
    return [rule["expr"] for group in rules["groups"] for rule in group["rules"]] + [
        target["expr"] for panel in panels for target in panel.get("targets", ())
    ]


def test_every_metric_that_rules_and_dashboard_name_is_shown() -> None:
    named = {name for expression in expressions() for name in NAME.findall(expression)}
    assert named
    assert named - shown() == set()


def test_every_metric_is_on_the_dashboard() -> None:
    panels = " ".join(NAME.findall(DASHBOARD.read_text("utf-8")))
    missing = {name for name in shown() if not name.endswith(("_created", "_sum", "_count")) and name not in panels}
    assert missing == set()


@pytest.mark.parametrize("words", [["check", "rules", RULES.name], ["test", "rules", TESTS.name]])
def test_prometheus_takes_the_rules_and_they_do_what_their_tests_say(words: list[str]) -> None:
    done = subprocess.run([tool("promtool"), *words], cwd=FOLDER, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_rule_has_a_test_and_says_what_to_do() -> None:
    tests = TESTS.read_text("utf-8")
    for group in yaml.safe_load(RULES.read_text("utf-8"))["groups"]:
        for rule in group["rules"]:
            assert f"alertname: {rule['alert']}\n" in tests, rule["alert"]
            assert rule["annotations"].keys() == {"summary", "description"}
            assert rule["labels"]["severity"] in {"critical", "warning"}


def test_the_panels_of_the_dashboard_do_not_overlap() -> None:
    places = set[tuple[int, int]]()
    for panel in json.loads(DASHBOARD.read_text("utf-8"))["panels"]:
        at = panel["gridPos"]
        mine = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert not places & mine, panel["title"]
        assert at["x"] + at["w"] <= 24
        places |= mine
