"""What an operator does beside the road: comparing with the case system, bringing back what it lost."""

from fiksmelding.operations.deciding import send_receipt_again, settle
from fiksmelding.operations.history import History, history_of, kept_original
from fiksmelding.operations.period import Period
from fiksmelding.operations.reconciliation import Cause, Difference, Reconciliation
from fiksmelding.operations.reconciling import reconcile
from fiksmelding.operations.recovering import Recovery, recover
from fiksmelding.operations.references import CaseSystem, in_file, in_folder
from fiksmelding.operations.selecting import Candidate, Selection, Skipped

__all__ = [
    "Candidate",
    "CaseSystem",
    "Cause",
    "Difference",
    "History",
    "Period",
    "Reconciliation",
    "Recovery",
    "Selection",
    "Skipped",
    "history_of",
    "in_file",
    "in_folder",
    "kept_original",
    "reconcile",
    "recover",
    "send_receipt_again",
    "settle",
]
