"""Reports to submit: invented, sealed beforehand, so that submitting one costs next to nothing."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from chaos.plan import Plan
from fiksmelding.messages import MessageType, render_pdf
from fiksmelding.simulator import Simulator
from fiksmelding.simulator.national.portal import SealedReport
from fiksmelding.simulator.national.service import Submission
from fiksmelding.simulator.synthetic import Length, SyntheticReports

__all__ = ["ACCOUNT", "Prepared", "Supply"]

ACCOUNT = "bergen"
MOST_DIFFERENT = 400
PDFS = 4


@dataclass(frozen=True, slots=True)
class Prepared:
    """A sealed report, which is sent under many ids.

    Attributes:
        message_type: Its type.
        envelope: The container, sealed for the account.
        content: SHA-256 of its JSON, hexadecimal.
    """

    message_type: MessageType
    envelope: bytes
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
        shortest = [invented.report(message.message_type, length=Length.LINE) for message in islice(messages, PDFS)]
        pdfs = [render_pdf(message) for message in shortest]
        prepared = []
        for number, message in enumerate(messages):
            data = message.to_json()
            files = {"bekymringsmelding.json": data, "bekymringsmelding.pdf": pdfs[number % PDFS]}
            envelope = await self._fiks.seal_for(ACCOUNT, files)
            prepared.append(Prepared(message.message_type, envelope, hashlib.sha256(data).hexdigest()))
        self._prepared = prepared

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
                sealed=SealedReport(prepared.envelope, None),
            )
        )
