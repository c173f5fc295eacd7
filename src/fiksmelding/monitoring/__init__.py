"""How it goes, for the systems that watch: metrics for Prometheus, and whether we are alive and ready.

Counts, times and states only. No label holds an id of a message, and none has more values than stand in the code.
"""

from fiksmelding.monitoring.telemetry import UNMEASURED, Telemetry, program_tracing

__all__ = ["UNMEASURED", "Telemetry", "program_tracing"]
