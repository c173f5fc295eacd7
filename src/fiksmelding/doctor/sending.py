"""Sending: for whom we may submit reports."""

from collections.abc import Sequence
from uuid import uuid4

from fiksmelding.doctor.conditions import Condition
from fiksmelding.doctor.findings import Finding
from fiksmelding.doctor.patient import Patient
from fiksmelding.errors import AccessRefused, NotFound
from fiksmelding.fiks import Reports

__all__ = ["examine_sending"]


async def examine_sending(patient: Patient) -> Sequence[Finding]:
    """May we submit reports on behalf of our organisation?"""
    if patient.settings.account.organisation_id is None:
        return [Finding(Condition.ORGANISATION_MISSING, "account.organisation_id is not set.")]
    session = await patient.access()
    try:
        # Of a report that does not exist: whoever has the right is told so, and others are refused.
        await Reports(session).status(uuid4())
    except NotFound:
        pass
    except AccessRefused as error:
        return [Finding(Condition.SENDING_REFUSED, error.text)]
    return [Finding(Condition.SENDING_ALLOWED, "The integration may submit reports for the organisation.")]
