"""The bekymringsmelding API: districts and keys, submitting a report, and how it stands (contract section 10)."""

import re
from uuid import UUID, uuid4

from cryptography import x509

from fiksmelding.messages import MessageType
from fiksmelding.simulator.accounts import Integration
from fiksmelding.simulator.answers import BydelAnswer, EncryptionKey, EncryptionKeys, KommuneAnswer, StatusAnswer
from fiksmelding.simulator.catalog import certificate_fields
from fiksmelding.simulator.clock import SimulatorClock
from fiksmelding.simulator.municipalities import Bydel, Kommune, StottetVersjon
from fiksmelding.simulator.national.portal import SealedReport
from fiksmelding.simulator.national.service import NationalService, Submission
from fiksmelding.simulator.refusals import Refusal
from fiksmelding.simulator.resealing import Resealing, Whose
from fiksmelding.simulator.world import World

__all__ = ["Reporting"]

KOMMUNENUMMER = re.compile(r"\d{4}", re.ASCII)
BYDELSNUMMER = re.compile(r"\d{2}", re.ASCII)
MESSAGE_TYPES = {
    ("privat", StottetVersjon.V1): MessageType.PRIVAT_V1,
    ("privat", StottetVersjon.V2): MessageType.PRIVAT_V2,
    ("offentlig", StottetVersjon.V1): MessageType.OFFENTLIG_V1,
    ("offentlig", StottetVersjon.V2): MessageType.OFFENTLIG_V2,
}


class Reporting:
    """What the API does, in either version.

    Args:
        world: The municipalities, their accounts and the print key.
        national: Who takes the reports.
        clock: The time by which a key is valid.
        resealing: Who has certificates that should not be believed.
    """

    def __init__(self, world: World, national: NationalService, clock: SimulatorClock, resealing: Resealing) -> None:
        self._world = world
        self._national = national
        self._clock = clock
        self._resealing = resealing

    def kommuner(self) -> list[KommuneAnswer]:
        """Every municipality, by number."""
        return [_kommune_answer(self._world.kommuner[number]) for number in sorted(self._world.kommuner)]

    def kommune(self, kommunenummer: str) -> KommuneAnswer:
        """A municipality.

        Raises:
            Refusal: 400 for what is no number, 404.
        """
        return _kommune_answer(self._find_kommune(kommunenummer))

    def bydel(self, kommunenummer: str, bydelsnummer: str) -> BydelAnswer:
        """A district.

        Raises:
            Refusal: 400 for what is no number, 404.
        """
        return _bydel_answer(self._find_bydel(kommunenummer, bydelsnummer)[1])

    def keys(self, kommunenummer: str, bydelsnummer: str, *, whose: Whose = "own") -> EncryptionKeys:
        """What a district's reports are sealed for: its account, and the print provider; or wrong ones in their place.

        Raises:
            Refusal: 400 for what is no number; 404 also when the account has no key.
        """
        _, bydel = self._find_bydel(kommunenummer, bydelsnummer)
        certificate = self._world.register.accounts[bydel.account_id].certificate
        if certificate is None:
            raise Refusal.not_found(f"Bydel {bydelsnummer} i kommune {kommunenummer} har ingen krypteringsnøkkel")
        return EncryptionKeys(
            print_offentlig_nokkel=self._key(self._world.print_credential.certificate, whose),
            fiks_io_offentlig_nokkel=self._key(certificate, whose),
        )

    async def submit(
        self,
        integration: Integration,
        *,
        sender_id: UUID,
        kommunenummer: str,
        bydelsnummer: str,
        kind: str,
        version: StottetVersjon,
        sealed: SealedReport,
    ) -> str:
        """Take a report.

        Args:
            integration: Who calls.
            sender_id: The Fiks organisation it is handed in for.
            kommunenummer: The municipality.
            bydelsnummer: The district.
            kind: `privat` or `offentlig`.
            version: The version of the API that was called, and of the report.
            sealed: The container and the print copy.

        Returns:
            The report's id.

        Raises:
            Refusal: 403 without the right; 400 for what is no number or a version the district does not know; 404.
        """
        self._check_right(integration, sender_id)
        kommune, bydel = self._find_bydel(kommunenummer, bydelsnummer)
        if version is StottetVersjon.V2 and bydel.stottet_versjon is StottetVersjon.V1:
            raise Refusal.bad_request(f"Bydel {bydelsnummer} i kommune {kommunenummer} støtter bare V1")
        submission = Submission(
            report_id=str(uuid4()),
            message_type=MESSAGE_TYPES[kind, version],
            kommune=kommune,
            bydel=bydel,
            sender_id=sender_id,
            sealed=sealed,
        )
        return (await self._national.submit(submission)).id

    def status(self, integration: Integration, *, sender_id: UUID, report_id: UUID) -> list[StatusAnswer]:
        """The states a report has come to, oldest first.

        Raises:
            Refusal: 403 without the right; 404 also for a report that someone else handed in.
        """
        self._check_right(integration, sender_id)
        report = self._national.book.get(str(report_id))
        if report is None or report.sender_id != sender_id:
            raise Refusal.not_found(f"Fant ingen bekymringsmelding med id {report_id}")
        return [
            StatusAnswer(
                bekymringsmelding_id=report.id,
                tidspunkt=change.tidspunkt.isoformat(),
                tilstand=change.tilstand,
                beskrivelse=change.beskrivelse,
            )
            for change in report.states
        ]

    def _check_right(self, integration: Integration, sender_id: UUID) -> None:
        if sender_id not in integration.submits_for:
            raise Refusal.right(integration.id, f"organisasjon {sender_id}")

    def _find_kommune(self, kommunenummer: str) -> Kommune:
        if not KOMMUNENUMMER.fullmatch(kommunenummer):
            raise Refusal.bad_request("kommunenummer må være fire siffer")
        kommune = self._world.kommuner.get(kommunenummer)
        if kommune is None:
            raise Refusal.not_found(f"Fant ingen kommune {kommunenummer}")
        return kommune

    def _find_bydel(self, kommunenummer: str, bydelsnummer: str) -> tuple[Kommune, Bydel]:
        kommune = self._find_kommune(kommunenummer)
        if not BYDELSNUMMER.fullmatch(bydelsnummer):
            raise Refusal.bad_request("bydelsnummer må være to siffer")
        bydel = kommune.bydel(bydelsnummer)
        if bydel is None:
            raise Refusal.not_found(f"Fant ingen bydel {bydelsnummer} i kommune {kommunenummer}")
        return kommune, bydel

    def _key(self, own: x509.Certificate, whose: Whose) -> EncryptionKey:
        certificate = self._resealing.instead_of(own, whose)
        valid = certificate.not_valid_before_utc <= self._clock.now() <= certificate.not_valid_after_utc
        return EncryptionKey.model_validate(certificate_fields(certificate) | {"gyldig": valid})


def _kommune_answer(kommune: Kommune) -> KommuneAnswer:
    return KommuneAnswer(
        kommunenr=kommune.kommunenummer,
        navn=kommune.navn,
        bydeler=[_bydel_answer(bydel) for bydel in kommune.bydeler],
    )


def _bydel_answer(bydel: Bydel) -> BydelAnswer:
    return BydelAnswer(
        bydelsnummer=bydel.bydelsnummer,
        bydelsnavn=bydel.bydelsnavn,
        standard_mottaker=bydel.standard_mottaker,
        stottet_versjon=bydel.stottet_versjon,
    )
