"""Invented reports, for the demo, tests and benchmarks: like real ones, about nobody."""

from fiksmelding.simulator.synthetic.reports import Length, SyntheticReports

__all__ = ["Length", "SyntheticReports"]
