"""The road of a report: queue, journal, handler, receipt."""
