"""Everything the doctor can find, how grave it is and how it is mended. `docs/doctor.md` lists the same."""

from enum import StrEnum
from typing import Self

__all__ = ["Condition", "Level"]


class Level(StrEnum):
    """How grave a finding is."""

    OK = "ok"
    NOTE = "note"
    """Worth knowing; nothing has to be done."""
    WARNING = "warning"
    """Works now, and will not go on for ever, or not as well as it should."""
    FAULT = "fault"
    """Reports are not received, not answered or not sent, or soon will not be."""


class Condition(StrEnum):
    """What can be found. The values stand in JSON: monitoring goes by them."""

    level: Level
    cure: str

    def __new__(cls, name: str, level: Level, cure: str = "") -> Self:
        """A condition of that name."""
        made = str.__new__(cls, name)
        made._value_ = name
        made.level = level
        made.cure = cure
        return made

    SETTINGS_SOUND = "settings-sound", Level.OK
    SETTINGS_WRONG = "settings-wrong", Level.FAULT, "Correct the settings file; docs/settings.md describes each key."
    PASSWORD_MISSING = (
        "password-missing",
        Level.FAULT,
        "Set integration.password_file, or FIKSMELDING_INTEGRATION_PASSWORD, to the password from Fiks Forvaltning.",
    )
    TIME_LIMITS_CROSS = "time-limits-cross", Level.WARNING, "Raise the outer time limit above the inner one."
    SIGNERS_UNCHECKED = (
        "signers-unchecked",
        Level.NOTE,
        "To know who signed, put the roots of Buypass and Commfides in trust.roots.",
    )
    NOBODY_TRUSTED = (
        "nobody-trusted",
        Level.FAULT,
        "Put the roots of Buypass and Commfides in trust.roots: every report is quarantined until then.",
    )
    NOT_ENCRYPTED = "not-encrypted", Level.FAULT, "Use https, and broker.tls: only this machine itself may go without."
    WEBHOOK_WRONG = "webhook-wrong", Level.FAULT, "Correct [webhook]; docs/webhook.md describes it."

    ALARMS_ROUTED = "alarms-routed", Level.OK
    ALARMS_REACH_NOBODY = (
        "alarms-reach-nobody",
        Level.NOTE,
        "Set alarms.mail_to or alarms.webhook_url, and try it: `fiksmelding alarms test`. Else the log alone knows.",
    )
    ALARMS_WRONG = "alarms-wrong", Level.FAULT, "Correct [alarms]; docs/alarms.md describes it."

    KEYS_READ = "keys-read", Level.OK
    KEY_UNREADABLE = (
        "key-unreadable",
        Level.FAULT,
        (
            "Give the user that the receiver runs as the right to read the file, or put the right file there; "
            "`fiksmelding keys check` tries a pair."
        ),
    )
    KEY_OPEN_TO_OTHERS = (
        "key-open-to-others",
        Level.WARNING,
        "Let its owner alone read it (chmod 600), or its owner and the receiver's group (chmod 640).",
    )
    KEY_PUBLISHED = "key-published", Level.OK
    KEY_NOT_PUBLISHED = (
        "key-not-published",
        Level.FAULT,
        (
            "Put the private key of the published certificate in account.private_keys, or upload the certificate of "
            "the key you have. Keep the earlier keys in the list until all that was sealed for them has come."
        ),
    )
    NEWEST_KEY_NOT_PUBLISHED = (
        "newest-key-not-published",
        Level.NOTE,
        "If you are changing keys, upload the certificate of the newest; if not, put the published one's key first.",
    )
    NO_PUBLISHED_KEY = (
        "no-published-key",
        Level.FAULT,
        "Upload a certificate that is in force to the account in Fiks Forvaltning: nothing can be sealed for you.",
    )

    CERTIFICATES_VALID = "certificates-valid", Level.OK
    CERTIFICATE_ENDS_SOON = (
        "certificate-ends-soon",
        Level.WARNING,
        "Order a new one now. Keep the old private key in account.private_keys beside the new one.",
    )
    CERTIFICATE_EXPIRED = "certificate-expired", Level.FAULT, "Replace it, and upload the new one where it is used."
    CERTIFICATE_NOT_YET_VALID = (
        "certificate-not-yet-valid",
        Level.FAULT,
        "Use the one before it until then, or set this machine's clock.",
    )

    HOST_REACHED = "host-reached", Level.OK
    HOST_UNREACHABLE = (
        "host-unreachable",
        Level.FAULT,
        "See whether name, port, DNS and firewall let this machine out to it, and whether KS tells of a disturbance.",
    )
    TLS_UNTRUSTED = (
        "tls-untrusted",
        Level.FAULT,
        (
            "Check the host's name and the ca_file of its table. If something in between decrypts traffic (a proxy), "
            "let it leave this host alone."
        ),
    )

    CLOCK_RIGHT = "clock-right", Level.OK
    CLOCK_OFF = "clock-off", Level.WARNING, "Let the clock be set by NTP (chrony, systemd-timesyncd)."
    CLOCK_WRONG = (
        "clock-wrong",
        Level.FAULT,
        "Set the clock, and let NTP keep it: Maskinporten refuses what was signed at a wrong time.",
    )
    CLOCK_NOT_COMPARED = "clock-not-compared", Level.NOTE, "Compare it with another clock by hand."

    TOKEN_GIVEN = "token-given", Level.OK
    TOKEN_REFUSED = (
        "token-refused",
        Level.FAULT,
        "Check client_id, scope, key and certificate in [maskinporten] against Samarbeidsportalen, and the clock.",
    )
    TOKEN_WITHOUT_SCOPE = (
        "token-without-scope",
        Level.FAULT,
        "Let maskinporten.scope be ks:fiks, and give the client that scope in Samarbeidsportalen.",
    )
    TOKEN_OF_ANOTHER = (
        "token-of-another",
        Level.NOTE,
        (
            "This is right for a vendor with an integration of its own. If you act for the municipality by delegation, "
            "set maskinporten.consumer_org."
        ),
    )

    ACCOUNT_USABLE = "account-usable", Level.OK
    ACCESS_REFUSED = (
        "access-refused",
        Level.FAULT,
        "Check integration.id, its password and its rights on the account in Fiks Forvaltning.",
    )
    ACCOUNT_UNKNOWN = (
        "account-unknown",
        Level.FAULT,
        "Check account.id, and that platform.api_url is of the same environment (test or production).",
    )
    ACCOUNT_CANNOT_RECEIVE = (
        "account-cannot-receive",
        Level.FAULT,
        "Look at the account in Fiks Forvaltning: it is switched off, or lacks a certificate.",
    )
    ACCOUNT_CANNOT_SEND = (
        "account-cannot-send",
        Level.FAULT,
        "Look at the account in Fiks Forvaltning: without the right to send, no receipt reaches the sender.",
    )
    PLATFORM_UNAVAILABLE = (
        "platform-unavailable",
        Level.FAULT,
        "Ask again in some minutes, and see whether KS tells of a disturbance. Reports wait on the queue meanwhile.",
    )

    FOUND_IN_CATALOG = "found-in-catalog", Level.OK
    NOT_IN_CATALOG = (
        "not-in-catalog",
        Level.FAULT,
        "Let the account support no.ks.fiks.bekymringsmelding.v1 and .v2 in Fiks Forvaltning: nobody finds you.",
    )
    VERSION_NOT_IN_CATALOG = (
        "version-not-in-catalog",
        Level.WARNING,
        "Add the protocol to the account in Fiks Forvaltning; this library reads both versions.",
    )
    ANOTHER_IN_CATALOG = (
        "another-in-catalog",
        Level.FAULT,
        "Find out who has that account. Reports go there until the protocol is taken from it and given to yours.",
    )

    QUEUE_ATTENDED = "queue-attended", Level.OK
    NOBODY_LISTENING = "nobody-listening", Level.WARNING, "Start the receiver."
    MESSAGES_UNHEARD = (
        "messages-unheard",
        Level.FAULT,
        "Start the receiver now: what nobody fetches in two working days goes by letter.",
    )
    RECEIVER_NOT_CONSUMING = (
        "receiver-not-consuming",
        Level.FAULT,
        "See what the receiver logs about the queue, then start it anew: it runs, and the broker does not know of it.",
    )
    SOMEBODY_ELSE_LISTENING = (
        "somebody-else-listening",
        Level.FAULT,
        (
            "Find who else consumes (an old server, a test machine, the former vendor) and stop it: reports that it "
            "takes do not reach you. If they are receivers of yours, tell how many there are by --receivers."
        ),
    )
    QUEUE_LONG = (
        "queue-long",
        Level.WARNING,
        "See whether the receiver logs failures of the journal or of the case system, and whether it keeps up.",
    )
    BROKER_ADMITS = "broker-admits", Level.OK
    BROKER_REFUSES = (
        "broker-refuses",
        Level.FAULT,
        "Check integration.id and its password, and that [broker] and [platform] are of the same environment.",
    )
    BROKER_UNREACHABLE = (
        "broker-unreachable",
        Level.FAULT,
        "See whether the firewall lets this machine out to the port (5671), and check broker.host and ca_file.",
    )
    QUEUE_NOT_SHOWN = (
        "queue-not-shown",
        Level.WARNING,
        (
            "Give the integration the right to read the account. If a receiver of yours consumes all the same, all is "
            "well: some brokers show a queue to its owner only."
        ),
    )

    JOURNAL_READ = "journal-read", Level.OK
    JOURNAL_ABSENT = "journal-absent", Level.NOTE, "The receiver makes it when it first starts. Else check journal.url."
    JOURNAL_UNREADABLE = (
        "journal-unreadable",
        Level.FAULT,
        "Check journal.url, the rights on the file or database, and that it runs. Nothing is received until then.",
    )
    JOURNAL_OLDER = (
        "journal-older",
        Level.WARNING,
        "Back it up, then start the receiver, or run `fiksmelding journal migrate`: both bring it up.",
    )
    JOURNAL_NEWER = "journal-newer", Level.FAULT, "Install the newer version of fiksmelding again."
    JOURNAL_NOT_SYNCED = (
        "journal-not-synced",
        Level.FAULT,
        "Set fsync = on in PostgreSQL: a power failure may otherwise lose reports that were acknowledged.",
    )
    JOURNAL_WHOLE = "journal-whole", Level.OK
    JOURNAL_ALTERED = (
        "journal-altered",
        Level.FAULT,
        "Keep a copy as evidence, find out who changed it, and compare case system and journal.",
    )
    NOTHING_STUCK = "nothing-stuck", Level.OK
    QUARANTINE_WAITS = (
        "quarantine-waits",
        Level.WARNING,
        "Look at them with `fiksmelding quarantine list`, and decide before their deadline.",
    )
    DEADLINES_PASSED = (
        "deadlines-passed",
        Level.FAULT,
        "See that the receiver runs and reaches the platform: they have to be answered so that letters go out.",
    )
    ENTRIES_UNATTENDED = (
        "entries-unattended",
        Level.FAULT,
        "Start the receiver of this account; if it runs, see what it logs about the case system.",
    )
    REPORTS_UNSENT = (
        "reports-unsent",
        Level.FAULT,
        "Let `fiksmelding outbox run` or your sender run, and see by `fiksmelding status` what hinders them.",
    )
    REPORTS_UNDECIDED = (
        "reports-undecided",
        Level.WARNING,
        "Look at them with `fiksmelding status`; decide with `fiksmelding outbox retry`, `taken` or `cancel`.",
    )
    REPORTS_OUTLIVED = (
        "reports-outlived",
        Level.FAULT,
        "Make sure by `fiksmelding status` that the platform has none of them, cancel them, and send each anew.",
    )

    DISK_SPACE = "disk-space", Level.OK
    DISK_LOW = "disk-low", Level.WARNING, "Make room, or let journal.keep_days be less."
    DISK_FULL = (
        "disk-full",
        Level.FAULT,
        "Make room at once: a receiver that cannot write takes no report.",
    )
    DISK_ELSEWHERE = "disk-elsewhere", Level.NOTE, "Watch the disk of the database server where it is."
    FOLDER_NOT_WRITABLE = (
        "folder-not-writable",
        Level.FAULT,
        "Give the user that the receiver runs as the right to write there, or choose another folder.",
    )

    SENDING_ALLOWED = "sending-allowed", Level.OK
    SENDING_REFUSED = (
        "sending-refused",
        Level.FAULT,
        "Give the integration the right to submit for the organisation in Fiks Forvaltning; check organisation_id.",
    )
    ORGANISATION_MISSING = (
        "organisation-missing",
        Level.FAULT,
        "Set account.organisation_id to your Fiks organisation: reports are submitted on behalf of it.",
    )

    VERSIONS_GOOD = "versions-good", Level.OK
    PYTHON_UNSUPPORTED = "python-unsupported", Level.WARNING, "Move to a Python that still gets security updates."
    OPENSSL_UNSUPPORTED = "openssl-unsupported", Level.WARNING, "Move to a Python that is built with OpenSSL 3."

    NOT_EXAMINED = "not-examined", Level.NOTE, "Mend what hinders it first, then examine again."
    CHECK_UNFINISHED = (
        "check-unfinished",
        Level.FAULT,
        "See why it hangs: a network drive, a firewall, the database.",
    )
    CHECK_BROKE = "check-broke", Level.FAULT, "Run it with --debug, and report it as a fault of fiksmelding."
