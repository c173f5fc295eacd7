"""The page on monitoring names what is there."""

import re
from pathlib import Path

from prometheus_client import CollectorRegistry

from fiksmelding.monitoring.outbox_metrics import OutboxMetrics
from fiksmelding.monitoring.road_metrics import RoadMetrics

PAGE = (Path(__file__).parents[3] / "docs" / "monitoring.md").read_text("utf-8")


def names(registry: CollectorRegistry) -> set[str]:
    """The names of a registry's metrics, as Prometheus shows them."""
    return {one.name + "_total" * (one.type == "counter") for one in registry.collect()}


def test_every_metric_is_on_the_page_and_no_other() -> None:
    there = names(RoadMetrics(steps=[], certificates={}).registry) | names(OutboxMetrics().registry)
    assert set(re.findall(r"^\| `(fiksmelding_\w+)`", PAGE, re.MULTILINE)) == there
