"""Reports from Fiks become cases."""

from fiksmelding import Receiver, Registered, Report, Settings
from kommunesak.cases import Cases

__all__ = ["Intake"]


class Intake:
    """Receives reports, and makes a case of each.

    Args:
        settings: Whose reports.
        cases: Where they go.
    """

    def __init__(self, settings: Settings, cases: Cases) -> None:
        self._cases = cases
        self._receiver = Receiver(settings, self._register, confirm=self._has)

    async def run(self) -> None:
        """Receive until `stop` is called, or until cancelled."""
        async with self._receiver:
            await self._receiver.run()

    def stop(self) -> None:
        """End in good order: what is under way is finished first."""
        self._receiver.stop()

    async def _register(self, report: Report) -> Registered:
        text, pdf = await report.json(), await report.pdf()
        number = self._cases.create(report.id, (text or b"").decode(), pdf or b"")
        return Registered(reference=str(number))

    async def _has(self, reference: str, _: Report) -> bool:
        return self._cases.has(int(reference))
