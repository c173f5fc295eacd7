"""Who we are to the platform: the token, the account, and whether the catalog leads senders to it."""

from collections.abc import Sequence

from fiksmelding.doctor.conditions import Condition
from fiksmelding.doctor.findings import Finding
from fiksmelding.doctor.patient import Patient, Unexaminable
from fiksmelding.errors import AccessRefused, NotFound, PlatformUnavailable
from fiksmelding.fiks import AccountStatus, Catalog, FiksSession, claims_of, explain_refusal
from fiksmelding.messages import REPORT_TYPES

__all__ = ["examine_account", "examine_catalog", "examine_token"]

FIKS_SCOPE = "ks:fiks"
SECURITY_LEVEL = 4
PROTOCOLS = tuple(sorted({f"{kind.rsplit('.', 2)[0]}.{kind.rsplit('.', 1)[1]}" for kind in REPORT_TYPES}, reverse=True))
"""The protocols whose reports we read, newest first."""


async def examine_token(patient: Patient) -> Sequence[Finding]:
    """Can an access token be had, and is it for the right scope and organisation?"""
    session = await patient.session()
    try:
        claims = claims_of((await session.access_token()).get_secret_value())
    except AccessRefused as error:
        return [Finding(Condition.TOKEN_REFUSED, error.text)]
    if claims.scopes is not None and FIKS_SCOPE not in claims.scopes:
        text = f"The token grants {' '.join(sorted(claims.scopes)) or 'nothing'}, not {FIKS_SCOPE}."
        return [Finding(Condition.TOKEN_WITHOUT_SCOPE, text)]
    organisation = (claims.organisation or "").rpartition(":")[2]
    whose = f"for organisation {organisation}" if organisation else "without an organisation"
    found = [Finding(Condition.TOKEN_GIVEN, f"An access token can be had, {whose}.")]
    owner = await _owner(patient)
    if organisation and owner and organisation != owner:
        text = f"The token is for organisation {organisation}, and the account belongs to {owner}."
        found.append(Finding(Condition.TOKEN_OF_ANOTHER, text))
    return found


async def _owner(patient: Patient) -> str | None:
    try:
        return (await patient.account()).organisasjonsnummer
    except Unexaminable:
        return None


async def examine_account(patient: Patient) -> Sequence[Finding]:
    """Does the platform let us see the account, and may it send and receive?"""
    session = await patient.access()
    try:
        status = await Catalog(session).queue(session.account_id)
    except NotFound:
        return [Finding(Condition.ACCOUNT_UNKNOWN, f"The platform knows no account {session.account_id}.")]
    except AccessRefused:
        return [Finding(Condition.ACCESS_REFUSED, await _why(session))]
    found = [*_lacking(patient, status)]
    return found or [Finding(Condition.ACCOUNT_USABLE, f"Account {session.account_id} may send and receive.")]


def _lacking(patient: Patient, status: AccountStatus) -> Sequence[Finding]:
    found = []
    if patient.receives and not status.gyldig_mottaker:
        found.append(Finding(Condition.ACCOUNT_CANNOT_RECEIVE, "The platform says that the account cannot receive."))
    if not status.gyldig_avsender:
        found.append(Finding(Condition.ACCOUNT_CANNOT_SEND, "The platform says that the account cannot send."))
    return found


async def _why(session: FiksSession) -> str:
    try:
        return await explain_refusal(session)
    except PlatformUnavailable:
        return "The platform refuses the integration."


async def examine_catalog(patient: Patient) -> Sequence[Finding]:
    """Does the catalog lead those who look for our organisation to this account?"""
    account = await patient.account()
    catalog = Catalog(await patient.session())
    found: list[Finding] = []
    missing = []
    for protocol in PROTOCOLS:
        try:
            there = await catalog.lookup(
                f"ORG_NO.{account.organisasjonsnummer}", melding_protokoll=protocol, sikkerhetsniva=SECURITY_LEVEL
            )
        except NotFound:
            missing.append(protocol)
            continue
        if there.konto_id != account.konto_id:
            text = f"For {protocol} the catalog names account {there.konto_id}, not ours."
            found.append(Finding(Condition.ANOTHER_IN_CATALOG, text))
    if len(missing) == len(PROTOCOLS):
        text = f"The catalog names no account of organisation {account.organisasjonsnummer} for reports."
        return [Finding(Condition.NOT_IN_CATALOG, text)]
    found += [Finding(Condition.VERSION_NOT_IN_CATALOG, f"The catalog names no account for {one}.") for one in missing]
    return found or [
        Finding(Condition.FOUND_IN_CATALOG, f"The catalog names our account for {' and '.join(PROTOCOLS)}.")
    ]
