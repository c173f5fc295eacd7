"""What the national service knows of a report: its states and the receipts that came for it."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from fiksmelding.simulator.national.states import FOLLOWERS, Tilstand

__all__ = ["Receipt", "Report", "StateChange", "Verdict"]


class StateChange(NamedTuple):
    """One state a report came to.

    Attributes:
        tilstand: The state.
        tidspunkt: When; aware, in UTC, by the simulator's clock.
        beskrivelse: Why, in Norwegian; may be empty.
    """

    tilstand: Tilstand
    tidspunkt: datetime
    beskrivelse: str = ""


class Verdict(StrEnum):
    """What the national service made of a receipt.

    Attributes:
        BELIEVED: It decided the report's fate.
        REPEATED: Another had decided it before. Changes nothing.
        STRANGER: It came from another account than the report went to. Changes nothing.
    """

    BELIEVED = "BELIEVED"
    REPEATED = "REPEATED"
    STRANGER = "STRANGER"


@dataclass(frozen=True, slots=True)
class Receipt:
    """A receipt that came for a report, whether it counted or not.

    Attributes:
        melding_id: Its own `melding-id`.
        message_type: Its type.
        avsender_id: The account it came from.
        klient_melding_id: The sender's id of it, the same on every resend; None when not given.
        klient_korrelasjons_id: The dialogue's id as it came back; None when not given.
        tidspunkt: When it came; aware, in UTC.
        verdict: Whether it counted.
        feilmelding: The text in `feilmelding.json` of a `feilet`; None when there is none, or it could not be read.
        problem: Why the body of a `feilet` could not be read; empty when it could.
    """

    melding_id: str
    message_type: str
    avsender_id: str
    klient_melding_id: str | None
    klient_korrelasjons_id: str | None
    tidspunkt: datetime
    verdict: Verdict
    feilmelding: str | None = None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """A report as it stands; each change makes a new one.

    Attributes:
        id: The report's own id (`bekymringsmelding-id`).
        message_type: Its message type.
        account_id: The account it goes to.
        kommunenummer: The municipality's number.
        bydelsnummer: The district's number.
        sender_id: Fiks organisation id of who submitted it.
        states: The states it has come to, oldest first.
        receipts: The receipts that came for it, oldest first.
        melding_ids: The `melding-id` of each time it was put on the queue.
    """

    id: str
    message_type: str
    account_id: UUID
    kommunenummer: str
    bydelsnummer: str
    sender_id: UUID
    states: tuple[StateChange, ...] = ()
    receipts: tuple[Receipt, ...] = ()
    melding_ids: tuple[str, ...] = ()

    @property
    def tilstand(self) -> Tilstand | None:
        """The state it is in; None before the first."""
        return self.states[-1].tilstand if self.states else None

    def moved_to(self, tilstand: Tilstand, tidspunkt: datetime, beskrivelse: str = "") -> "Report":
        """The report in its next state.

        Raises:
            ValueError: No report goes from its present state to that one.
        """
        if tilstand not in FOLLOWERS[self.tilstand]:
            raise ValueError(f"Report {self.id} cannot go from {self.tilstand} to {tilstand}.")
        return replace(self, states=(*self.states, StateChange(tilstand, tidspunkt, beskrivelse)))

    def with_receipt(self, receipt: Receipt) -> "Report":
        """The report with one more receipt."""
        return replace(self, receipts=(*self.receipts, receipt))

    def sent_as(self, melding_id: str) -> "Report":
        """The report with one more `melding-id` it was sent under."""
        return replace(self, melding_ids=(*self.melding_ids, melding_id))
