"""What a report's PDF says, in which order: headings, labelled rows and texts, ready for the template."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from fiksmelding.messages.base import Part
from fiksmelding.messages.json_text import write_json
from fiksmelding.messages.parts import Adresse, Foresatt, OffentligBarn, OffentligMelder, PrivatBarn, PrivatMelder
from fiksmelding.messages.pdf_text import paragraphs, shown
from fiksmelding.messages.pdf_texts import MONTHS, TEXTS, Language
from fiksmelding.messages.reports import Bekymringsmelding, PrivatBekymringsmelding

__all__ = ["Content", "Row", "Section", "content_of", "sending_time"]

_NORWAY = "Europe/Oslo"
_UNDATED = datetime(1970, 1, 1)  # noqa: DTZ001 - PDF/A demands some date, and the same report must make the same bytes


@dataclass(frozen=True)
class Row:
    """A label and what stands beside it, as paragraphs of lines."""

    label: str
    value: list[list[str]]


@dataclass(frozen=True)
class Section:
    """A heading with rows, then running text, then sections below it."""

    heading: str
    rows: list[Row] = field(default_factory=list)
    text: list[list[str]] = field(default_factory=list)
    sections: list["Section"] = field(default_factory=list)


@dataclass(frozen=True)
class Content:
    """Everything on the pages."""

    language: str
    title: str
    subtitle: str
    confidential: str
    page: str
    report_id: str
    dated: list[int]
    sections: list[Section]


def sending_time(text: str) -> datetime | None:
    """The time a report says it was sent, as Norwegian local time without zone; None if it is no ISO 8601 time."""
    try:
        moment = datetime.fromisoformat(text)
        return moment if moment.tzinfo is None else moment.astimezone(ZoneInfo(_NORWAY)).replace(tzinfo=None)
    except (ValueError, OverflowError):
        return None


def content_of(message: Bekymringsmelding, *, report_id: str | None, language: Language) -> Content:
    """Lay a report out in the order a case worker reads it: whom it is about, what it says, whom to ask."""
    return _Writer(language).content(message, report_id)


class _Writer:
    """Lays out in one language."""

    def __init__(self, language: Language) -> None:
        self._language = language
        self._texts = TEXTS[language]

    def content(self, message: Bekymringsmelding, report_id: str | None) -> Content:
        texts = self._texts
        dated = sending_time(message.sendingstidspunkt) or _UNDATED
        kind = "privat" if isinstance(message, PrivatBekymringsmelding) else "offentlig"
        found = [self._about(message), *self._by_kind(message), *self._unknown_section(message)]
        return Content(
            language=self._language.value,
            title=texts["title"],
            subtitle=texts[kind],
            confidential=texts["confidential"],
            page=texts["page"],
            report_id=f"{texts['report_id']}: {shown(report_id)}" if report_id else "",
            dated=[dated.year, dated.month, dated.day, dated.hour, dated.minute, dated.second],
            sections=found,
        )

    def _about(self, message: Bekymringsmelding) -> Section:
        place = f"{message.kommunenavn.strip()} ({message.kommunenummer.strip()})"
        district = f"{message.bydelsnavn.strip()} ({message.bydelsnummer.strip()})"
        rows = [
            *self._row("municipality", place),
            *self._row("district", district),
            *self._row("sent", self._sent(message.sendingstidspunkt), required=True),
            *self._row("channel", message.leveringskanal, required=True),
        ]
        return Section(self._texts["about"], rows)

    def _sent(self, text: str) -> str:
        moment = sending_time(text)
        if moment is None:
            return text
        month = MONTHS[self._language][moment.month - 1]
        clock = f"{moment:%H:%M}" if self._language is Language.ENGLISH else f"{moment:%H.%M}"
        dot = "" if self._language is Language.ENGLISH else "."
        return f"{moment.day}{dot} {month} {moment.year} {self._texts['at']} {clock} ({text})"

    def _by_kind(self, message: Bekymringsmelding) -> Iterator[Section]:
        texts = self._texts
        if isinstance(message, PrivatBekymringsmelding):
            yield self._several("child", "children", [self._private_child(child) for child in message.privat_barn])
            yield Section(texts["concern"], text=self._running(message.melding))
            yield Section(texts["reporter"], self._private_reporter(message.privat_melder))
            return
        yield self._several("child", "children", [self._public_child(child) for child in message.offentlig_barn])
        yield Section(texts["concern"], text=self._running(message.melding.melding))
        yield Section(
            texts["history"], self._unknown_rows(message.melding), text=self._running(message.melding.historie)
        )
        if message.melding.andre_synspunkter and message.melding.andre_synspunkter.strip():
            yield Section(texts["views"], text=self._running(message.melding.andre_synspunkter))
        yield self._several("guardian", "guardians", [self._guardian(person) for person in message.foresatte])
        help_rows = [
            *self._row("interpreter", message.behov_for_tolk),
            *self._row("services", message.andre_hjelpeinstanser),
        ]
        if help_rows:
            yield Section(texts["help"], help_rows)
        yield from self._public_reporter(message.offentlig_melder)

    def _several(self, one: str, many: str, people: list[list[Row]]) -> Section:
        if len(people) == 1:
            return Section(self._texts[one], people[0])
        if not people:
            return Section(self._texts[many], text=[[self._texts["no_children"]]])
        heading = self._texts[f"{one}_of"]
        below = [
            Section(heading.format(number=number, count=len(people)), rows) for number, rows in enumerate(people, 1)
        ]
        return Section(self._texts[many], sections=below)

    def _private_child(self, child: PrivatBarn) -> list[Row]:
        return [
            *self._row("name", child.personnavn, required=True),
            *self._row("age", child.antatt_alder),
            *self._row("relation", child.relasjon),
            *self._address(child.adresse),
            *self._unknown_rows(child),
        ]

    def _public_child(self, child: OffentligBarn) -> list[Row]:
        return [
            *self._row("name", child.personnavn, required=True),
            *self._row("identity", child.fnr, required=True),
            *self._row("unborn", self._yes_no(told=child.ufoedt)),
            *self._row("telephone", child.telefonnummer),
            *self._address(child.adresse),
            *self._told(child),
            *self._unknown_rows(child),
        ]

    def _guardian(self, person: Foresatt) -> list[Row]:
        return [
            *self._row("name", person.personnavn, required=True),
            *self._row("telephone", person.telefonnummer),
            *self._told(person),
            *self._unknown_rows(person),
        ]

    def _told(self, person: OffentligBarn | Foresatt) -> list[Row]:
        return [
            *self._row("told", self._yes_no(told=person.orientert)),
            *self._row("told_why", person.orientert_grunn),
        ]

    def _private_reporter(self, reporter: PrivatMelder) -> list[Row]:
        address = self._address(reporter.adresse) if reporter.adresse else []
        return [
            *self._row("name", reporter.personnavn, required=True),
            *self._row("telephone", reporter.telefonnummer),
            *address,
            *self._unknown_rows(reporter),
        ]

    def _public_reporter(self, reporter: OffentligMelder) -> Iterator[Section]:
        workplace = reporter.virksomhet
        rows = [
            *self._row("name", reporter.personnavn, required=True),
            *self._row("role", reporter.rolle, required=True),
            *self._row("telephone", reporter.telefonnummer, required=True),
            *self._row("email", reporter.epost, required=True),
            *self._unknown_rows(reporter),
        ]
        work_rows = [
            *self._row("organisation", workplace.navn, required=True),
            *self._row("organisation_number", workplace.orgnr),
            *self._address(workplace.adresse),
            *self._unknown_rows(workplace),
        ]
        yield Section(self._texts["reporter"], rows, sections=[Section(self._texts["workplace"], work_rows)])

    def _address(self, address: Adresse) -> list[Row]:
        post = " ".join(part for part in (address.postnummer, address.poststed) if part and part.strip())
        lines = [address.adresselinje1, address.adresselinje2, address.adresselinje3, post]
        text = "\n".join(line for line in lines if line and line.strip())
        return [*self._row("address", text, required=True), *self._unknown_rows(address)]

    def _row(self, name: str, text: str | None, *, required: bool = False) -> list[Row]:
        value = paragraphs(text or "")
        if not value:
            return [Row(self._texts[name], [[self._texts["not_given"]]])] if required else []
        return [Row(self._texts[name], value)]

    def _running(self, text: str) -> list[list[str]]:
        return paragraphs(text) or [[self._texts["not_given"]]]

    def _yes_no(self, *, told: bool) -> str:
        return self._texts["yes" if told else "no"]

    def _unknown_rows(self, part: Part) -> list[Row]:
        found = []
        for name, value in part.unknown_members.items():
            text = value if isinstance(value, str) else write_json(value).decode()
            found.append(Row(f"«{shown(name)}»", paragraphs(text) or [["«»"]]))
        return found

    def _unknown_section(self, part: Part) -> list[Section]:
        rows = self._unknown_rows(part)
        return [Section(self._texts["more"], rows, text=[[self._texts["more_intro"]]])] if rows else []
