"""The bekymringsmelding API: receivers and their keys, submitting a report, and its status (contract section 10).

Looking up is tried again like any repeatable call. Submitting never is: the platform gives each submission an id of its
own and knows no key by which it could recognise a second one, so a lost answer is told apart from a refusal and left to
the caller.
"""

import io
import logging
import re
from dataclasses import dataclass, field
from typing import Annotated, ClassVar, TypeVar
from uuid import UUID

import aiohttp
from pydantic import ConfigDict, Field, TypeAdapter
from pydantic.alias_generators import to_camel

from fiksmelding.errors import PlatformUnavailable, RequestRefused, SettingsError
from fiksmelding.fiks.answers import NotConnected
from fiksmelding.fiks.session import FiksSession
from fiksmelding.messages import REPORT_TYPES, MessageType

log = logging.getLogger(__name__)

Content = TypeVar("Content")

BASE = "/bekymringsmelding/api"
KOMMUNENUMMER = re.compile(r"[0-9]{4}")
BYDELSNUMMER = re.compile(r"[0-9]{2}")
LIST_LIMIT = 16 * 1024 * 1024
"""The largest answer to accept, in bytes: all municipalities with all their districts are more than the usual."""
NOT_TAKEN = frozenset({429, 503})
"""By these the platform says that it has not begun (RFC 6585, 4; RFC 9110, 15.6.4)."""
BINARY = "application/octet-stream"
_AS_SPELT = ConfigDict(alias_generator=to_camel, hide_input_in_errors=True)


class OutcomeUnknown(PlatformUnavailable):
    """A report was handed over and no usable answer came: the platform may have taken it.

    Attributes:
        taken: Whether it did take it: it answered 2xx, but without an id that can be read.
    """

    def __init__(self, text: str, *, taken: bool, status: int | None, path: str) -> None:
        self.taken = taken
        super().__init__(text, status=status, path=path)


@dataclass(frozen=True, slots=True)
class Bydel:
    """A receiving office (district).

    Attributes:
        bydelsnummer: Two digits, "00" in a municipality with one office.
        bydelsnavn: Its name.
        standard_mottaker: Whether it is the one to use when the district is unknown.
        stottet_versjon: The newest version that its receiver understands, `V1` or `V2`. Version 1 of the API does not
            say.
    """

    __pydantic_config__: ClassVar[ConfigDict] = _AS_SPELT

    bydelsnummer: str
    bydelsnavn: str = ""
    standard_mottaker: bool = False
    stottet_versjon: str | None = None

    @property
    def takes_version_2(self) -> bool:
        """Whether its receiver understands version 2; whoever knows a later one does (contract section 9)."""
        number = (self.stottet_versjon or "V1").removeprefix("V")
        return number.isascii() and number.isdigit() and int(number) >= 2


@dataclass(frozen=True, slots=True)
class Kommune:
    """A municipality.

    Attributes:
        kommunenr: Four digits.
        navn: Its name.
        bydeler: Its offices; none when it has not joined the service.
    """

    __pydantic_config__: ClassVar[ConfigDict] = _AS_SPELT

    kommunenr: str
    navn: str
    bydeler: tuple[Bydel, ...] = ()


@dataclass(frozen=True, slots=True)
class Nokkel:
    """A public key that reports are sealed for.

    Attributes:
        nokkel: The certificate, PEM.
        gyldig: Whether the platform holds it to be valid. Version 1 of the API does not say.
    """

    __pydantic_config__: ClassVar[ConfigDict] = _AS_SPELT

    nokkel: str
    gyldig: bool = True


@dataclass(frozen=True, slots=True)
class Krypteringsnokler:
    """Both keys that an office's reports are sealed for.

    Attributes:
        print_offentlig_nokkel: The print provider's, for the copy that may go by letter.
        fiks_io_offentlig_nokkel: The receiver's.
    """

    __pydantic_config__: ClassVar[ConfigDict] = _AS_SPELT

    print_offentlig_nokkel: Nokkel
    fiks_io_offentlig_nokkel: Annotated[Nokkel, Field(alias="fiksIOOffentligNokkel")]


@dataclass(frozen=True, slots=True)
class Status:
    """A state that a report has come to.

    Attributes:
        tidspunkt: When, as the platform writes it; with or without a zone.
        tilstand: The state, such as `LEVERT`. One that the contract does not know is possible.
        beskrivelse: Why, in Norwegian. May quote what somebody wrote: not for logs.
    """

    __pydantic_config__: ClassVar[ConfigDict] = _AS_SPELT

    tidspunkt: str
    tilstand: str
    beskrivelse: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class _Submitted:
    uuid: UUID


_KOMMUNER = TypeAdapter(tuple[Kommune, ...])
_KOMMUNE = TypeAdapter(Kommune)
_BYDELER = TypeAdapter(tuple[Bydel, ...])
_BYDEL = TypeAdapter(Bydel)
_KEYS = TypeAdapter(Krypteringsnokler)
_STATUSES = TypeAdapter(tuple[Status, ...])
_SUBMITTED = TypeAdapter(_Submitted)


class Reports:
    """Looks up receivers, hands in reports and asks how they stand.

    Args:
        session: An open session; not closed here.
        version: The version of the API that look-ups use. Submitting uses that of the report.
    """

    def __init__(self, session: FiksSession, *, version: int = 2) -> None:
        self._session = session
        self._version = version

    async def kommuner(self, *, sprak_kode: str | None = None) -> tuple[Kommune, ...]:
        """Every municipality, those that have not joined too.

        Args:
            sprak_kode: The language of names, when not the platform's default.

        Raises:
            PlatformError: As for any call.
        """
        return await self._look_up("/kommuner", _KOMMUNER, sprak_kode)

    async def kommune(self, kommunenummer: str, *, sprak_kode: str | None = None) -> Kommune:
        """A municipality.

        Raises:
            NotFound: There is none of that number.
            RequestRefused: It is not four digits.
            PlatformError: As for any call.
        """
        return await self._look_up(f"/kommuner/{_kommune(kommunenummer)}", _KOMMUNE, sprak_kode)

    async def bydeler(self, kommunenummer: str) -> tuple[Bydel, ...]:
        """A municipality's offices; none when it has not joined. Errors as in `kommune`."""
        return await self._look_up(f"/kommuner/{_kommune(kommunenummer)}/bydeler", _BYDELER)

    async def bydel(self, kommunenummer: str, bydelsnummer: str) -> Bydel:
        """An office. Errors as in `kommune`."""
        return await self._look_up(f"/kommuner/{_kommune(kommunenummer)}/bydeler/{_bydel(bydelsnummer)}", _BYDEL)

    async def keys(self, kommunenummer: str, bydelsnummer: str) -> Krypteringsnokler:
        """The keys to seal an office's reports for. Errors as in `kommune`."""
        place = f"{_kommune(kommunenummer)}/{_bydel(bydelsnummer)}"
        return await self._look_up(f"/mottak/fagsystem/{place}/krypteringsnokler", _KEYS)

    async def submit(
        self, message_type: MessageType, kommunenummer: str, bydelsnummer: str, *, asice: bytes, print_copy: bytes
    ) -> UUID:
        """Hand in a report, once. When this returns, the platform has stored it.

        Args:
            message_type: Of the report; its kind and version choose the endpoint.
            kommunenummer: Four digits.
            bydelsnummer: Two digits.
            asice: The container, sealed for the receiver.
            print_copy: The PDF, sealed for the print provider.

        Returns:
            The report's own id, by which its status is asked.

        Raises:
            OutcomeUnknown: It was handed over, and whether it was taken is not known.
            PlatformUnavailable: It was not taken; the same call may succeed later.
            AccessRefused: Token, integration or right is wrong; it was not taken.
            NotFound: There is no such office; it was not taken.
            RequestRefused: It will never be taken as it stands.
            SettingsError: `account.organisation_id` is not set.
        """
        if message_type not in REPORT_TYPES:
            raise RequestRefused("Only reports can be submitted: the message type is another.")
        kind, version = message_type.rsplit(".", 2)[-2:]
        place = f"{self._organisation()}/{_kommune(kommunenummer)}/{_bydel(bydelsnummer)}"
        path = f"{BASE}/{version}/mottak/fagsystem/{place}/{kind}"
        body = _Body(asice, print_copy)
        try:
            answer = await self._session.request("POST", path, body=body.form, repeatable=False)
        except PlatformUnavailable as error:
            if _certainly_not_taken(error, path) or not body.handed_over:
                raise
            raise OutcomeUnknown(
                f"Whether Fiks took the report is not known: {error.text}",
                taken=error.status is not None and error.status < 300,
                status=error.status,
                path=error.path,
            ) from error
        try:
            report_id = answer.read_as(_SUBMITTED).uuid
        except PlatformUnavailable as error:
            raise OutcomeUnknown(
                "Fiks took the report, but gave no id for it.", taken=True, status=answer.status, path=answer.path
            ) from error
        log.info("submitted %s as report %s, %d bytes", message_type, report_id, len(asice) + len(print_copy))
        return report_id

    async def status(self, report_id: UUID) -> tuple[Status, ...]:
        """The states that a report has come to, in the platform's order.

        Raises:
            NotFound: We handed in no report of that id.
            SettingsError: `account.organisation_id` is not set.
            PlatformError: As for any call.
        """
        path = f"/mottak/fagsystem/{self._organisation()}/bekymringsmelding/{report_id}/status"
        return await self._look_up(path, _STATUSES)

    async def _look_up(self, path: str, kind: TypeAdapter[Content], sprak_kode: str | None = None) -> Content:
        query = {} if sprak_kode is None else {"sprakKode": sprak_kode}
        answer = await self._session.request(
            "GET", f"{BASE}/v{self._version}{path}", query=query, repeatable=True, answer_limit=LIST_LIMIT
        )
        return answer.read_as(kind)

    def _organisation(self) -> UUID:
        if self._session.organisation_id is None:
            raise SettingsError("account.organisation_id is missing: reports are submitted on behalf of it.")
        return self._session.organisation_id


class _Part(io.BytesIO):
    """Counts what was read of it."""

    read_bytes = 0

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(size)
        self.read_bytes += len(data)
        return data


class _Body:
    """The multipart body, and whether all of it was given to the connection."""

    def __init__(self, asice: bytes, print_copy: bytes) -> None:
        self._asice = asice
        self._print_copy = print_copy
        self._last = _Part()

    @property
    def handed_over(self) -> bool:
        """Whether the platform can have all of it; a part of a multipart body is no report."""
        return self._last.read_bytes == len(self._asice)

    def form(self) -> aiohttp.FormData:
        form, self._last = aiohttp.FormData(), _Part(self._asice)
        print_copy = io.BytesIO(self._print_copy)
        form.add_field("bekymringsmelding", print_copy, filename="bekymringsmelding.pdf", content_type=BINARY)
        form.add_field("asice", self._last, filename="asice.zip", content_type=BINARY)
        return form


def _certainly_not_taken(error: PlatformUnavailable, path: str) -> bool:
    # An error with another path is the token endpoint's: the call itself was not made, or was refused with 401.
    return isinstance(error, NotConnected) or error.status in NOT_TAKEN or not error.path.endswith(path)


def _kommune(number: str) -> str:
    if not KOMMUNENUMMER.fullmatch(number):
        raise RequestRefused("A municipality's number is four digits.")
    return number


def _bydel(number: str) -> str:
    if not BYDELSNUMMER.fullmatch(number):
        raise RequestRefused("A district's number is two digits.")
    return number
