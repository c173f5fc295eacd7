"""Reports, receipts, letters and messages as the control API tells of them."""

from collections.abc import Mapping

from fiksmelding.messages import REPORT_TYPES
from fiksmelding.simulator.exchange import TakenMessage
from fiksmelding.simulator.national.letters import Letter
from fiksmelding.simulator.national.reports import Receipt, Report

__all__ = ["describe_letter", "describe_receipt", "describe_report", "describe_taken"]


def describe_report(report: Report, names: Mapping[str, str]) -> dict[str, object]:
    """A report, with accounts' names by their id."""
    return {
        "id": report.id,
        "messageType": report.message_type,
        "kind": _kind(report.message_type),
        "account": names.get(str(report.account_id)),
        "kontoId": str(report.account_id),
        "kommunenummer": report.kommunenummer,
        "bydelsnummer": report.bydelsnummer,
        "meldingIds": list(report.melding_ids),
        "tilstand": report.tilstand,
        "states": [
            {
                "tilstand": change.tilstand,
                "tidspunkt": change.tidspunkt.isoformat(),
                "beskrivelse": change.beskrivelse,
            }
            for change in report.states
        ],
        "receipts": len(report.receipts),
    }


def _kind(message_type: str) -> str | None:
    """`privat` or `offentlig`; None for what is no report's type."""
    return message_type.split(".")[-2] if message_type in REPORT_TYPES else None


def describe_receipt(receipt: Receipt) -> dict[str, object]:
    """A receipt."""
    return {
        "meldingId": receipt.melding_id,
        "messageType": receipt.message_type,
        "avsenderId": receipt.avsender_id,
        "klientMeldingId": receipt.klient_melding_id,
        "klientKorrelasjonsId": receipt.klient_korrelasjons_id,
        "tidspunkt": receipt.tidspunkt.isoformat(),
        "verdict": receipt.verdict,
        "feilmelding": receipt.feilmelding,
        "problem": receipt.problem,
    }


def describe_letter(letter: Letter) -> dict[str, object]:
    """A letter in the print provider's tray."""
    return {"reportId": letter.report_id, "path": str(letter.path), "tidspunkt": letter.tidspunkt.isoformat()}


def describe_taken(message: TakenMessage) -> dict[str, object]:
    """A message that Fiks IO took."""
    return {
        "meldingId": str(message.melding_id),
        "meldingType": message.melding_type,
        "avsenderKontoId": str(message.avsender_konto_id),
        "mottakerKontoId": str(message.mottaker_konto_id),
        "svarPaMelding": None if message.svar_pa_melding is None else str(message.svar_pa_melding),
        "klientMeldingId": message.klient_melding_id,
        "tidspunkt": message.taken_at.isoformat(),
    }
