"""Reports to submit: invented, sealed beforehand, so that submitting one costs next to nothing."""

import asyncio
import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass

from chaos.plan import Plan
from fiksmelding.envelope import encrypt
from fiksmelding.messages import REPORT_TYPES, Bekymringsmelding, MessageType, render_pdf
from fiksmelding.simulator import Simulator
from fiksmelding.simulator.national.portal import SealedReport
from fiksmelding.simulator.national.service import Submission
from fiksmelding.simulator.synthetic import Length, SyntheticReports

__all__ = ["ACCOUNT", "Prepared", "Supply"]

ACCOUNT = "bergen"
MOST_DIFFERENT = 400


@dataclass(frozen=True, slots=True)
class Prepared:
    """A sealed report, which is sent under many ids.

    Attributes:
        message_type: Its type.
        sealed: The container, sealed for the account, and the print copy.
        content: SHA-256 of its JSON, hexadecimal.
    """

    message_type: MessageType
    sealed: SealedReport
    content: str


class Supply:
    """Hands reports in to the platform.

    Args:
        fiks: The platform.
        plan: Their ids.
    """

    def __init__(self, fiks: Simulator, plan: Plan) -> None:
        self._fiks = fiks
        self._plan = plan
        self._prepared: Sequence[Prepared] = ()

    async def prepare(self) -> None:
        """Make and seal the reports. More than a few hundred different ones would show nothing more."""
        count = min(self._plan.options.reports, MOST_DIFFERENT)
        invented = SyntheticReports(self._plan.options.seed)
        messages = list(invented.reports(count))
        printed = [await self._printed(invented.report(kind, length=Length.LINE)) for kind in sorted(REPORT_TYPES)]
        prepared = []
        for number, message in enumerate(messages):
            data = message.to_json()
            pdf, print_copy = printed[number % len(printed)]
            files = {"bekymringsmelding.json": data, "bekymringsmelding.pdf": pdf}
            envelope = await self._fiks.seal_for(ACCOUNT, files)
            content = hashlib.sha256(data).hexdigest()
            prepared.append(Prepared(message.message_type, SealedReport(envelope, print_copy), content))
        self._prepared = prepared

    async def _printed(self, message: Bekymringsmelding) -> tuple[bytes, bytes]:
        """A PDF, and the same sealed for the print provider."""
        pdf, copy = render_pdf(message), io.BytesIO()
        certificate = self._fiks.platform.world.print_credential.certificate
        await asyncio.to_thread(lambda: encrypt(io.BytesIO(pdf), recipient=certificate, out=copy))
        return pdf, copy.getvalue()

    def report(self, number: int) -> Prepared:
        """What the report of a number holds; numbers begin with 1."""
        return self._prepared[(number - 1) % len(self._prepared)]

    async def submit(self, number: int) -> None:
        """Hand the report of a number in."""
        world = self._fiks.platform.world
        found = world.bydel(self._fiks.party(ACCOUNT), None)
        if found is None:
            raise LookupError(f"{ACCOUNT} takes no reports")
        kommune, bydel = found
        prepared = self.report(number)
        await self._fiks.platform.national.submit(
            Submission(
                report_id=self._plan.report_ids[number - 1],
                message_type=prepared.message_type,
                kommune=kommune,
                bydel=bydel,
                sender_id=world.national.account.organisation.id,
                sealed=prepared.sealed,
            )
        )
