"""From a report to its two sealed copies. Pure, but for the time it takes: call it in a thread."""

import io
from dataclasses import dataclass
from datetime import datetime

from fiksmelding.clock import NORWAY
from fiksmelding.envelope import Signer, encrypt, seal
from fiksmelding.errors import InvalidMessage, Problem, ReportTooLarge
from fiksmelding.journal.outbox import SealedCopies
from fiksmelding.messages import Bekymringsmelding, as_version_1, render_pdf
from fiksmelding.messages.advice import MAX_SUBMISSION_BYTES
from fiksmelding.messages.validation import model_from
from fiksmelding.sender.addressing import Office
from fiksmelding.sender.recipients import Recipients

JSON_NAME = "bekymringsmelding.json"
PDF_NAME = "bekymringsmelding.pdf"
PDF_BEGINS = b"%PDF-"


@dataclass(frozen=True, slots=True)
class Sealer:
    """Seals reports.

    Attributes:
        signer: Who signs the container.
        channel: What a report names as its `leveringskanal`.
    """

    signer: Signer
    channel: str

    def filled(self, report: Bekymringsmelding, office: Office, now: datetime) -> Bekymringsmelding:
        """The report as it will be sent: to this office, in the newest version it takes, at this time, by us.

        Raises:
            InvalidMessage: The service would refuse it all the same.
        """
        known = report if office.bydel.takes_version_2 else as_version_1(report)
        document = known.document() | {
            "kommunenummer": office.kommunenummer,
            "kommunenavn": office.kommunenavn,
            "bydelsnummer": office.bydel.bydelsnummer,
            "bydelsnavn": office.bydel.bydelsnavn,
            "sendingstidspunkt": norwegian_time(now),
            "leveringskanal": self.channel,
        }
        ready = model_from(document, type(known))
        problems = ready.problems()
        if problems:
            raise InvalidMessage(problems)
        return ready

    def seal(self, report: Bekymringsmelding, recipients: Recipients, pdf: bytes | None) -> SealedCopies:
        """Seal a report for both.

        Args:
            report: As it is sent.
            recipients: Whom for.
            pdf: Its PDF; made from the report when None.

        Raises:
            InvalidMessage: `pdf` is no PDF.
            ReportTooLarge: The platform would not take it.
        """
        content, shown = report.to_json(), render_pdf(report) if pdf is None else pdf
        if not shown.startswith(PDF_BEGINS):
            raise InvalidMessage((Problem("", "the PDF that was given is none"),))
        asice, print_copy = io.BytesIO(), io.BytesIO()
        files = {JSON_NAME: content, PDF_NAME: shown}
        seal(files, signer=self.signer, recipient=recipients.receiver, out=asice)
        encrypt(io.BytesIO(shown), recipient=recipients.printer, out=print_copy)
        copies = SealedCopies(asice.getvalue(), print_copy.getvalue())
        if copies.size > MAX_SUBMISSION_BYTES:
            raise _too_large(copies.size, len(content), len(shown))
        return copies


def norwegian_time(moment: datetime) -> str:
    """A moment as reports tell it: Norwegian local time, to the second, without zone (contract section 10)."""
    return moment.astimezone(NORWAY).replace(tzinfo=None).isoformat(timespec="seconds")


def _too_large(size: int, text: int, pdf: int) -> ReportTooLarge:
    return ReportTooLarge(
        f"Sealed, the report has {size} bytes; the platform takes {MAX_SUBMISSION_BYTES}. "
        f"Its text has {text} bytes and its PDF, which is sent twice, {pdf}.",
        advice="Nothing was sent. Shorten the text, or give a smaller PDF; what is left out can follow by letter.",
    )
