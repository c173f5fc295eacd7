"""The platform over HTTP: tokens, catalog, sending, documents."""

from fiksmelding.fiks.catalog import Account, AccountStatus, Catalog
from fiksmelding.fiks.documents import Documents
from fiksmelding.fiks.sending import FiksIO, SentMessage
from fiksmelding.fiks.session import FiksSession

__all__ = ["Account", "AccountStatus", "Catalog", "Documents", "FiksIO", "FiksSession", "SentMessage"]
