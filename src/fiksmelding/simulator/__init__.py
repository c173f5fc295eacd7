"""The Fiks platform on one machine, to build and test an integration against."""

from fiksmelding.simulator.clock import SimulatorClock
from fiksmelding.simulator.control_client import ControlClient
from fiksmelding.simulator.exchange import TakenMessage
from fiksmelding.simulator.fault_script import FaultScript
from fiksmelding.simulator.faults import Faults, HttpFault, MessageFault
from fiksmelding.simulator.keys import Keys
from fiksmelding.simulator.national.letters import Letter
from fiksmelding.simulator.national.reports import Receipt, Report, StateChange, Verdict
from fiksmelding.simulator.national.states import Tilstand
from fiksmelding.simulator.refusals import Refusal
from fiksmelding.simulator.simulator import Simulator
from fiksmelding.simulator.threaded import SimulatorThread

__all__ = [
    "ControlClient",
    "FaultScript",
    "Faults",
    "HttpFault",
    "Keys",
    "Letter",
    "MessageFault",
    "Receipt",
    "Refusal",
    "Report",
    "Simulator",
    "SimulatorClock",
    "SimulatorThread",
    "StateChange",
    "TakenMessage",
    "Tilstand",
    "Verdict",
]
