"""Receive and send bekymringsmeldinger over KS Fiks without losing one.

The names below are the public face, with `fiksmelding.messages`, `fiksmelding.envelope` and `fiksmelding.simulator`.
Nothing else is API. They are loaded when first used, so that importing the package costs little.
"""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fiksmelding._version import __version__
    from fiksmelding.alarms import Alarm, AlarmKind
    from fiksmelding.config import Settings
    from fiksmelding.doctor import Diagnosis, Finding, examine
    from fiksmelding.errors import (
        AccessRefused,
        BrokerAccessRefused,
        BrokerError,
        BrokerUnavailable,
        ContainerInvalid,
        DecryptionFailed,
        EnvelopeError,
        FiksmeldingError,
        InvalidMessage,
        JournalError,
        JournalUnavailable,
        KeyUnusable,
        NotFound,
        NotJoined,
        NotSendable,
        PlatformError,
        PlatformUnavailable,
        Problem,
        Reject,
        ReportTooLarge,
        RequestRefused,
        SettingsError,
        SignatureInvalid,
        UnknownReceiver,
    )
    from fiksmelding.fiks_io import Dialogue, FiksIO, Message
    from fiksmelding.operations import Period, Reconciliation, Recovery, Selection, reconcile, recover
    from fiksmelding.receiver import (
        Confirm,
        FolderHandler,
        Handler,
        Quarantine,
        Receiver,
        Registered,
        Report,
        Step,
        WebhookHandler,
    )
    from fiksmelding.sender import Progress, Sender, Sent

__all__ = [
    "AccessRefused",
    "Alarm",
    "AlarmKind",
    "BrokerAccessRefused",
    "BrokerError",
    "BrokerUnavailable",
    "Confirm",
    "ContainerInvalid",
    "DecryptionFailed",
    "Diagnosis",
    "Dialogue",
    "EnvelopeError",
    "FiksIO",
    "FiksmeldingError",
    "Finding",
    "FolderHandler",
    "Handler",
    "InvalidMessage",
    "JournalError",
    "JournalUnavailable",
    "KeyUnusable",
    "Message",
    "NotFound",
    "NotJoined",
    "NotSendable",
    "Period",
    "PlatformError",
    "PlatformUnavailable",
    "Problem",
    "Progress",
    "Quarantine",
    "Receiver",
    "Reconciliation",
    "Recovery",
    "Registered",
    "Reject",
    "Report",
    "ReportTooLarge",
    "RequestRefused",
    "Selection",
    "Sender",
    "Sent",
    "Settings",
    "SettingsError",
    "SignatureInvalid",
    "Step",
    "UnknownReceiver",
    "WebhookHandler",
    "__version__",
    "examine",
    "reconcile",
    "recover",
]

_HOME = {
    "__version__": "fiksmelding._version",
    "Settings": "fiksmelding.config",
    **dict.fromkeys(("Alarm", "AlarmKind"), "fiksmelding.alarms"),
    **dict.fromkeys(
        (
            "Confirm",
            "FolderHandler",
            "Handler",
            "Quarantine",
            "Receiver",
            "Registered",
            "Report",
            "Step",
            "WebhookHandler",
        ),
        "fiksmelding.receiver",
    ),
    **dict.fromkeys(("Diagnosis", "Finding", "examine"), "fiksmelding.doctor"),
    **dict.fromkeys(
        ("Period", "Reconciliation", "Recovery", "Selection", "reconcile", "recover"), "fiksmelding.operations"
    ),
    **dict.fromkeys(("Progress", "Sender", "Sent"), "fiksmelding.sender"),
    **dict.fromkeys(("Dialogue", "FiksIO", "Message"), "fiksmelding.fiks_io"),
}


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module 'fiksmelding' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOME.get(name, "fiksmelding.errors")), name)


def __dir__() -> list[str]:
    return sorted(__all__)
