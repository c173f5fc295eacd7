"""Reports made from a seed: the same seed gives the same reports, on every machine."""

import random
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from enum import Enum
from typing import TypeVar

from fiksmelding.messages import (
    REPORT_TYPES,
    Adresse,
    Bekymringsmelding,
    Foresatt,
    MessageType,
    OffentligBarn,
    OffentligBekymringsmelding,
    OffentligMelder,
    OffentligMelding,
    PrivatBarn,
    PrivatBekymringsmelding,
    PrivatMelder,
    Virksomhet,
    as_version_1,
)
from fiksmelding.messages.numbers import is_organisation_number, with_check_digits
from fiksmelding.simulator.synthetic import words
from fiksmelding.simulator.synthetic.places import MUNICIPALITIES, Municipality

__all__ = ["Length", "SyntheticReports"]

Choice = TypeVar("Choice")


class Length(Enum):
    """How long the texts of a report are, in sentences."""

    LINE = 1
    SHORT = 4
    TYPICAL = 12
    LONG = 60
    TWENTY_PAGES = 1100


_ORDINARY = (Length.LINE, Length.SHORT, Length.TYPICAL, Length.TYPICAL, Length.TYPICAL, Length.LONG)


class SyntheticReports:
    """Makes realistic Norwegian reports about people who do not exist.

    Identity numbers are synthetic (80 is added to the month), so they can never be anyone's; organisation numbers begin
    with 3, telephone numbers with 59, and e-mail addresses end in `example.org`: none of these are given out.

    Args:
        seed: The same seed gives the same reports in the same order.
    """

    def __init__(self, seed: int = 0) -> None:
        self._random = random.Random(seed)  # noqa: S311 - nothing here is secret

    def reports(self, count: int) -> Iterator[Bekymringsmelding]:
        """`count` reports, of every kind and version in turn."""
        types = sorted(REPORT_TYPES)
        for number in range(count):
            yield self.report(types[number % len(types)])

    def report(self, message_type: MessageType | str, *, length: Length | None = None) -> Bekymringsmelding:
        """One report.

        Args:
            message_type: One of the four kinds of report.
            length: How long its texts are; by default mostly some paragraphs, seldom one line or several pages.

        Raises:
            ValueError: If the type is no report.
        """
        kind = MessageType(message_type)
        if kind not in REPORT_TYPES:
            raise ValueError(f"{kind} is not a report")
        sentences = (length or self._one_of(_ORDINARY)).value
        private = kind in {MessageType.PRIVAT_V1, MessageType.PRIVAT_V2}
        message = self._private(sentences) if private else self._public(sentences)
        return as_version_1(message) if kind in {MessageType.PRIVAT_V1, MessageType.OFFENTLIG_V1} else message

    def _private(self, sentences: int) -> PrivatBekymringsmelding:
        place = self._one_of(MUNICIPALITIES)
        district, district_name = self._one_of(place.districts)
        children = [
            PrivatBarn(
                personnavn=self._one_of((self._name(), self._one_of(words.FIRST_NAMES))),
                antatt_alder=self._maybe(self._one_of(words.AGES)),
                relasjon=self._maybe(self._one_of(words.RELATIONS)),
                adresse=self._address(place),
            )
            for _ in range(self._one_of((1, 1, 1, 2, 3)))
        ]
        reporter = PrivatMelder(
            personnavn=self._name(),
            telefonnummer=self._maybe(self._telephone()),
            adresse=self._maybe(self._address(place)),
        )
        return PrivatBekymringsmelding(
            kommunenummer=place.number,
            kommunenavn=place.name,
            bydelsnummer=district,
            bydelsnavn=district_name,
            privat_melder=reporter,
            privat_barn=tuple(children),
            melding=self._text((*words.OBSERVATIONS, *words.HISTORY), sentences, children[0].personnavn),
            sendingstidspunkt=self._time(),
            leveringskanal="Nasjonal portal for bekymringsmelding",
        )

    def _public(self, sentences: int) -> OffentligBekymringsmelding:
        place = self._one_of(MUNICIPALITIES)
        district, district_name = self._one_of(place.districts)
        role, workplace = self._one_of(words.WORKPLACES)
        workplace = workplace.format(place=place.town)
        last_name = self._one_of(words.LAST_NAMES)
        address = self._address(place)
        children = [self._child(last_name, address) for _ in range(self._one_of((1, 1, 2, 3)))]
        name = children[0].personnavn.split()[0]
        reporter = OffentligMelder(
            personnavn=self._name(),
            rolle=role,
            telefonnummer=self._telephone(),
            epost=f"melder{self._random.randrange(1000)}@etat.example.org",
            virksomhet=Virksomhet(
                navn=workplace, orgnr=self._maybe(self._organisation_number()), adresse=self._address(place)
            ),
        )
        return OffentligBekymringsmelding(
            kommunenummer=place.number,
            kommunenavn=place.name,
            bydelsnummer=district,
            bydelsnavn=district_name,
            offentlig_melder=reporter,
            offentlig_barn=tuple(children),
            foresatte=tuple(self._guardian(last_name) for _ in range(self._one_of((1, 2, 2)))),
            behov_for_tolk=self._maybe(
                self._one_of(("Nei.", "Ja, arabisk (العربية).", "Ja, nordsamisk.", "Ja, tigrinja."))
            ),
            andre_hjelpeinstanser=self._maybe(self._one_of(words.OTHER_SERVICES)),
            melding=OffentligMelding(
                melding=self._text(words.OBSERVATIONS, sentences, name),
                historie=self._text(words.HISTORY, max(1, sentences // 4), name),
                andre_synspunkter=self._maybe(self._text(words.VIEWS, max(1, sentences // 8), name)),
            ),
            sendingstidspunkt=self._time(),
            leveringskanal=workplace,
        )

    def _child(self, last_name: str, address: Adresse) -> OffentligBarn:
        unborn = self._random.random() < 0.05
        told = not unborn and self._random.random() < 0.5
        return OffentligBarn(
            fnr="" if unborn else self._identity_number(),
            ufoedt=unborn,
            personnavn=f"{self._one_of(words.FIRST_NAMES)} {last_name}",
            telefonnummer=self._one_of((None, "", self._telephone())),
            adresse=address,
            orientert=told,
            orientert_grunn=self._maybe(self._one_of(words.TOLD)) if told else self._one_of(words.NOT_TOLD),
        )

    def _guardian(self, last_name: str) -> Foresatt:
        told = self._random.random() < 0.6
        return Foresatt(
            personnavn=f"{self._one_of(words.FIRST_NAMES)} {last_name}",
            telefonnummer=self._maybe(self._telephone()),
            orientert=told,
            orientert_grunn=self._maybe(self._one_of(words.TOLD)) if told else self._one_of(words.NOT_TOLD),
        )

    def _address(self, place: Municipality) -> Adresse:
        letter = self._one_of(("", "", " A", " B"))
        return Adresse(
            adresselinje1=f"{self._one_of(words.STREETS)} {self._random.randrange(1, 90)}{letter}",
            adresselinje2=self._one_of((None, None, "", "H0302")),
            adresselinje3=self._one_of((None, "")),
            postnummer=place.postal_code,
            poststed=place.town,
        )

    def _text(self, sentences: Sequence[str], count: int, child: str) -> str:
        """Sentences in paragraphs of three to six."""
        chosen = [self._one_of(sentences) for _ in range(count)]
        if sentences is not words.HISTORY and sentences is not words.VIEWS:
            chosen[0] = self._one_of(words.OPENINGS)
        paragraphs = []
        while chosen:
            size = self._random.randrange(3, 7)
            paragraphs.append(" ".join(chosen[:size]))
            del chosen[:size]
        return "\n\n".join(paragraphs).format(child=child)

    def _identity_number(self) -> str:
        while True:
            born = datetime(2008, 1, 1) + timedelta(days=self._random.randrange(17 * 365))  # noqa: DTZ001 - a date
            # Individual numbers from 500 on belong to the years 2000 to 2039.
            nine = f"{born:%d}{born.month + 80}{born:%y}{self._random.randrange(500, 1000)}"
            number = with_check_digits(nine)
            if number is not None:
                return number

    def _organisation_number(self) -> str:
        while True:
            number = str(self._random.randrange(310_000_000, 320_000_000))
            if is_organisation_number(number):
                return number

    def _telephone(self) -> str:
        digits = f"{self._random.randrange(1_000_000):06d}"
        return self._one_of((f"59{digits}", f"+47 59 {digits[:2]} {digits[2:4]} {digits[4:]}"))

    def _time(self) -> str:
        moment = datetime(2026, 1, 1) + timedelta(seconds=self._random.randrange(300 * 86_400))  # noqa: DTZ001 - local
        return moment.isoformat()

    def _name(self) -> str:
        return f"{self._one_of(words.FIRST_NAMES)} {self._one_of(words.LAST_NAMES)}"

    def _one_of(self, choices: Sequence[Choice]) -> Choice:
        return self._random.choice(choices)

    def _maybe(self, value: Choice) -> Choice | None:
        return value if self._random.random() < 0.7 else None
