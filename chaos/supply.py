"""Reports to submit: invented, each with a text and an envelope of its own, and cheap to make."""

import hashlib
import io
from dataclasses import dataclass

from chaos.ground import ACCOUNTS
from chaos.plan import Plan
from fiksmelding.envelope import encrypt
from fiksmelding.messages import MessageType, render_pdf
from fiksmelding.simulator import Simulator
from fiksmelding.simulator.national.portal import SealedReport
from fiksmelding.simulator.national.service import Submission
from fiksmelding.simulator.synthetic import Length, SyntheticReports

__all__ = ["Submitted", "Supply"]

ACCOUNT = ACCOUNTS["receiver"]
REPORTS_PER_LARGE = 10
SMALL_PDF = b"%PDF-1.7\n% Small, so that the platform's memory holds many.\n%%EOF\n"


@dataclass(frozen=True, slots=True)
class Submitted:
    """A report that was handed in.

    Attributes:
        message_type: Its type.
        envelope: The container, sealed for the account.
        content: SHA-256 of its JSON, hexadecimal.
    """

    message_type: MessageType
    envelope: bytes
    content: str


class Supply:
    """Hands reports in to the platform, one after the other.

    Args:
        fiks: The platform.
        plan: Their ids, and the seed that they are invented from.
    """

    def __init__(self, fiks: Simulator, plan: Plan) -> None:
        self._fiks = fiks
        self._report_ids = iter(plan.report_ids)
        self._invented = SyntheticReports(plan.options.seed).reports(plan.options.reports)
        self._pdf = render_pdf(SyntheticReports().report(MessageType.PRIVAT_V2, length=Length.LINE))
        self._print_copy = self._sealed_for_print()
        self.submitted: dict[str, Submitted] = {}

    async def submit(self) -> str:
        """Hand the next report in; returns its id."""
        report_id, message = next(self._report_ids), next(self._invented)
        data = message.to_json()
        pdf = SMALL_PDF if len(self.submitted) % REPORTS_PER_LARGE else self._pdf
        envelope = await self._fiks.seal_for(ACCOUNT, {"bekymringsmelding.json": data, "bekymringsmelding.pdf": pdf})
        content = hashlib.sha256(data).hexdigest()
        self.submitted[report_id] = Submitted(message.message_type, envelope, content)
        world = self._fiks.platform.world
        found = world.bydel(self._fiks.party(ACCOUNT), None)
        if found is None:
            raise LookupError(f"{ACCOUNT} takes no reports")
        kommune, bydel = found
        await self._fiks.platform.national.submit(
            Submission(
                report_id=report_id,
                message_type=message.message_type,
                kommune=kommune,
                bydel=bydel,
                sender_id=world.national.account.organisation.id,
                sealed=SealedReport(envelope, self._print_copy),
            )
        )
        return report_id

    def _sealed_for_print(self) -> bytes:
        copy = io.BytesIO()
        encrypt(io.BytesIO(self._pdf), recipient=self._fiks.platform.world.print_credential.certificate, out=copy)
        return copy.getvalue()
