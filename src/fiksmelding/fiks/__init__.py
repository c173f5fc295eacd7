"""The platform over HTTP: tokens, catalog, sending, documents, reports."""

from fiksmelding.fiks.access import TokenClaims, claims_of, explain_refusal
from fiksmelding.fiks.catalog import Account, AccountStatus, Catalog, QueueStatus
from fiksmelding.fiks.documents import Documents, DocumentTooLarge
from fiksmelding.fiks.reports import Bydel, Kommune, Krypteringsnokler, Nokkel, OutcomeUnknown, Reports, Status
from fiksmelding.fiks.sending import Outbound, SentMessage
from fiksmelding.fiks.session import FiksSession

__all__ = [
    "Account",
    "AccountStatus",
    "Bydel",
    "Catalog",
    "DocumentTooLarge",
    "Documents",
    "FiksSession",
    "Kommune",
    "Krypteringsnokler",
    "Nokkel",
    "Outbound",
    "OutcomeUnknown",
    "QueueStatus",
    "Reports",
    "SentMessage",
    "Status",
    "TokenClaims",
    "claims_of",
    "explain_refusal",
]
