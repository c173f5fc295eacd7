"""The words around a report in its PDF, in bokmål, nynorsk and English."""

from enum import StrEnum

__all__ = ["MONTHS", "TEXTS", "Language"]


class Language(StrEnum):
    """The language of headings and labels; what the report says is never translated."""

    BOKMAAL = "nb"
    NYNORSK = "nn"
    ENGLISH = "en"


_NORWEGIAN_MONTHS = (
    "januar", "februar", "mars", "april", "mai", "juni",
    "juli", "august", "september", "oktober", "november", "desember",
)  # fmt: skip
_ENGLISH_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
MONTHS: dict[Language, tuple[str, ...]] = {
    Language.BOKMAAL: _NORWEGIAN_MONTHS,
    Language.NYNORSK: _NORWEGIAN_MONTHS,
    Language.ENGLISH: _ENGLISH_MONTHS,
}

_ORDER = (Language.BOKMAAL, Language.NYNORSK, Language.ENGLISH)
_WORDS: dict[str, tuple[str, str, str]] = {
    "title": (
        "Bekymringsmelding til barnevernstjenesten",
        "Uromelding til barnevernstenesta",
        "Report of concern to the child welfare service",
    ),
    "privat": ("Fra en privatperson", "Frå ein privatperson", "From a private person"),
    "offentlig": ("Fra en offentlig ansatt", "Frå ein offentleg tilsett", "From a public employee"),
    "confidential": (
        "Inneholder taushetsbelagte opplysninger",
        "Inneheld opplysningar det er teieplikt om",
        "Contains confidential information",
    ),
    "page": ("Side {page} av {pages}", "Side {page} av {pages}", "Page {page} of {pages}"),
    "report_id": ("Meldingens ID", "ID-en til meldinga", "Report id"),
    "about": ("Om meldingen", "Om meldinga", "About this report"),
    "municipality": ("Kommune", "Kommune", "Municipality"),
    "district": ("Bydel eller mottak", "Bydel eller mottak", "District or office"),
    "sent": ("Sendt", "Sendt", "Sent"),
    "at": ("kl.", "kl.", "at"),
    "channel": ("Sendt fra", "Sendt frå", "Sent from"),
    "child": ("Barnet", "Barnet", "The child"),
    "children": ("Barna", "Barna", "The children"),
    "child_of": ("Barn {number} av {count}", "Barn {number} av {count}", "Child {number} of {count}"),
    "no_children": (
        "Meldingen oppgir ingen barn.",
        "Meldinga oppgir ingen barn.",
        "The report names no children.",
    ),
    "guardian": ("Foresatt", "Føresett", "Guardian"),
    "guardians": ("Foresatte", "Føresette", "Guardians"),
    "guardian_of": (
        "Foresatt {number} av {count}",
        "Føresett {number} av {count}",
        "Guardian {number} of {count}",
    ),
    "reporter": ("Hvem som melder", "Kven som melder", "Who reports"),
    "workplace": ("Arbeidssted", "Arbeidsstad", "Workplace"),
    "concern": ("Hva bekymringen gjelder", "Kva uroa gjeld", "What the concern is"),
    "history": ("Hva som har skjedd tidligere", "Kva som har skjedd tidlegare", "What has happened before"),
    "views": ("Andre synspunkter", "Andre synspunkt", "Other views"),
    "help": ("Tolk og andre hjelpeinstanser", "Tolk og andre hjelpeinstansar", "Interpreter and other services"),
    "interpreter": ("Behov for tolk", "Behov for tolk", "Interpreter needed"),
    "services": ("Andre hjelpeinstanser", "Andre hjelpeinstansar", "Other services involved"),
    "name": ("Navn", "Namn", "Name"),
    "identity": ("Fødselsnummer", "Fødselsnummer", "Identity number"),
    "unborn": ("Ufødt barn", "Ufødd barn", "Unborn child"),
    "age": ("Antatt alder", "Truleg alder", "Presumed age"),
    "relation": ("Melderens relasjon", "Relasjonen til meldaren", "Reporter's relation"),
    "telephone": ("Telefon", "Telefon", "Telephone"),
    "email": ("E-post", "E-post", "E-mail"),
    "role": ("Rolle", "Rolle", "Role"),
    "organisation": ("Virksomhet", "Verksemd", "Organisation"),
    "organisation_number": ("Organisasjonsnummer", "Organisasjonsnummer", "Organisation number"),
    "address": ("Adresse", "Adresse", "Address"),
    "told": ("Orientert om meldingen", "Orientert om meldinga", "Told about the report"),
    "told_why": ("Begrunnelse", "Grunngjeving", "Reason"),
    "yes": ("Ja", "Ja", "Yes"),
    "no": ("Nei", "Nei", "No"),
    "not_given": ("Ikke oppgitt", "Ikkje oppgitt", "Not given"),
    "more": ("Andre opplysninger", "Andre opplysningar", "Other information"),
    "more_intro": (
        "Avsenderen har sendt med opplysninger som ikke har en fast plass i skjemaet.",
        "Avsendaren har sendt med opplysningar som ikkje har ein fast plass i skjemaet.",
        "The sender included information that has no fixed place in the form.",
    ),
}

TEXTS: dict[Language, dict[str, str]] = {
    language: {name: words[index] for name, words in _WORDS.items()} for index, language in enumerate(_ORDER)
}
"""Every text by language and name."""
