"""What an operator does beside the road: comparing with the case system."""

from fiksmelding.operations.history import History, history_of, kept_original
from fiksmelding.operations.period import NORWAY, Period
from fiksmelding.operations.reconciliation import Cause, Difference, Reconciliation
from fiksmelding.operations.reconciling import reconcile
from fiksmelding.operations.references import CaseSystem, in_file, in_folder

__all__ = [
    "NORWAY",
    "CaseSystem",
    "Cause",
    "Difference",
    "History",
    "Period",
    "Reconciliation",
    "history_of",
    "in_file",
    "in_folder",
    "kept_original",
    "reconcile",
]
