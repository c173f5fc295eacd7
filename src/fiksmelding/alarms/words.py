"""What each alarm means and what to do, in the words of those who get it: bokmål, plain language."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from fiksmelding.alarms.kinds import AlarmKind

URGENCY: Mapping[int, str] = MappingProxyType(
    {logging.CRITICAL: "Haster", logging.ERROR: "Viktig", logging.WARNING: "Til orientering"}
)
OVER = "Over"


@dataclass(frozen=True, slots=True)
class Words:
    """An alarm for people.

    Attributes:
        title: What has happened, for a subject line.
        meaning: What it means for the reports.
        action: What the reader should do.
    """

    title: str
    meaning: str
    action: str


WORDS: Mapping[AlarmKind, Words] = MappingProxyType(
    {
        AlarmKind.JOURNAL_DOWN: Words(
            "Journalen kan ikke brukes",
            "Mottaket står stille. Ingen meldinger går tapt: de blir liggende hos KS til journalen virker igjen.",
            "Driftsansvarlig må se på databasen eller disken der journalen ligger. Er disken full?",
        ),
        AlarmKind.CASE_SYSTEM_DOWN: Words(
            "Fagsystemet tar ikke imot meldinger",
            "Meldingene er trygt lagret og venter. Går fristen ut, får avsenderen beskjed, og KS sender brev.",
            "Driftsansvarlig må se på fagsystemet. Vent ikke: meldingene kan gjelde barn som trenger hjelp nå.",
        ),
        AlarmKind.NOT_FOUND_AGAIN: Words(
            "Fagsystemet har mistet en melding",
            "Fagsystemet sa at meldingen var registrert, men fant den ikke igjen. Den registreres på nytt.",
            "Meld fra til leverandøren av fagsystemet. Sjekk at meldingen nå ligger i fagsystemet.",
        ),
        AlarmKind.QUARANTINED: Words(
            "En melding må vurderes av et menneske",
            "Meldingen kunne ikke åpnes, eller det er tvil om den er ekte. Den er lagret, men ikke registrert.",
            "Driftsansvarlig må se på den med «fiksmelding quarantine» før fristen går ut.",
        ),
        AlarmKind.NOT_KEPT: Words(
            "En melding kan ikke lagres",
            "Andre meldinger kommer inn, men ikke denne. Den ligger hos KS og hentes på nytt.",
            "Driftsansvarlig må se i loggen hvorfor. Etter noen forsøk gir KS opp å levere den digitalt.",
        ),
        AlarmKind.DOCUMENT_MISSING: Words(
            "Innholdet i en stor melding kunne ikke hentes",
            "Meldingen er lagret uten innhold, fordi dokumentlageret hos KS ikke ga det fra seg.",
            "Kontakt KS med meldingens id, og be om at meldingen sendes på nytt.",
        ),
        AlarmKind.CANARY_SILENT: Words(
            "Prøvemeldingene kommer ikke fram",
            "Mottaket sender prøvemeldinger til seg selv, og ingen har kommet fram på en stund. "
            "Kanskje kommer ekte meldinger heller ikke fram. De ligger i så fall hos KS.",
            "Driftsansvarlig må finne feilen nå: forbindelsen til KS, mottaket, eller et annet program på kontoen.",
        ),
        AlarmKind.CANARY_UNREADABLE: Words(
            "Mottaket kan ikke åpne meldinger",
            "En prøvemelding kom fram, men kunne ikke åpnes med nøklene våre. Ekte meldinger kan heller ikke åpnes.",
            "Driftsansvarlig må legge inn den private nøkkelen som hører til sertifikatet hos KS.",
        ),
        AlarmKind.DEADLINE_PASSED: Words(
            "En melding ble ikke registrert i tide",
            "Avsenderen har fått beskjed om at meldingen ikke kom fram, og den sendes som brev.",
            "Se etter brevet. Finn ut hvorfor fagsystemet ikke tok imot meldingen.",
        ),
        AlarmKind.UNREAD: Words(
            "Ingen har åpnet en melding",
            "Meldingen ligger i fagsystemet, men fagsystemet sier at ingen har åpnet den.",
            "Finn meldingen i fagsystemet, og sørg for at noen leser den.",
        ),
        AlarmKind.RECEIPT_REFUSED: Words(
            "KS tar ikke imot en kvittering",
            "Meldingen er behandlet, men avsenderen får ikke vite det. Den kan derfor også komme som brev.",
            "Gi avsenderen beskjed på en annen måte, og kontakt KS.",
        ),
        AlarmKind.RECEIPT_UNDELIVERABLE: Words(
            "En kvittering kom ikke fram",
            "Kvitteringen er sendt flere ganger uten å nå avsenderen. Meldingen kan derfor også komme som brev.",
            "Gi avsenderen beskjed på en annen måte, og kontakt KS.",
        ),
        AlarmKind.UNKNOWN_NOTICE: Words(
            "KS melder at noe ikke kom fram",
            "Beskjeden gjelder ikke noe som dette mottaket har sendt. Kanskje bruker et annet program samme konto.",
            "Finn ut om et annet program sender fra kontoen.",
        ),
        AlarmKind.RECOVERY_REFUSED: Words(
            "En melding kunne ikke gjenopprettes i fagsystemet",
            "Fagsystemet har mistet meldingen og vil ikke ta imot den igjen, eller den kan ikke åpnes lenger.",
            "Åpne originalen med «fiksmelding journal export» og «fiksmelding open», og registrer meldingen for hånd.",
        ),
        AlarmKind.RETENTION_HELD: Words(
            "Gamle meldinger slettes ikke",
            "Avstemmingen mangler, eller viser at fagsystemet ikke har alt. Ingenting slettes før det er rettet.",
            "Kjør «fiksmelding reconcile», rett det den viser, og se så på «fiksmelding retention show».",
        ),
        AlarmKind.RECONCILIATION: Words(
            "Noe mangler: meldinger stemmer ikke med fagsystemet",
            "Avstemmingen fant meldinger som fagsystemet ikke har, eller som står stille. De er fortsatt lagret her.",
            "Kjør «fiksmelding reconcile». Den viser hver av dem, og kommandoen som retter det.",
        ),
        AlarmKind.NOT_RECONCILED: Words(
            "Avstemmingen kunne ikke gjennomføres",
            "Vi vet derfor ikke om fagsystemet har alle meldingene.",
            "Driftsansvarlig må rette det som hindret den, og kjøre «fiksmelding reconcile» på nytt.",
        ),
        AlarmKind.NOT_JOINED: Words(
            "Kommunen tar ikke imot meldinger digitalt",
            "Meldingen er ikke sendt.",
            "Send meldingen på en annen måte, for eksempel på telefon eller i brev.",
        ),
        AlarmKind.KEY_ENDS_SOON: Words(
            "En mottakers sertifikat går snart ut",
            "Når det er utløpt, kan meldinger ikke lenger sendes digitalt til denne mottakeren.",
            "Gi KS beskjed, så mottakeren får lagt inn et nytt sertifikat.",
        ),
        AlarmKind.UNSENT: Words(
            "En melding er ikke sendt ennå",
            "KS har ikke tatt imot meldingen. Den er lagret, og det prøves på nytt.",
            "Haster den, så kontakt kommunen på en annen måte.",
        ),
        AlarmKind.ACCESS_REFUSED: Words(
            "Tilgangen til KS virker ikke",
            "Ingenting kan sendes eller følges opp før dette er rettet. Meldingene er lagret.",
            "Driftsansvarlig må sjekke sertifikat, integrasjon og rettigheter hos KS og Maskinporten.",
        ),
        AlarmKind.SUBMIT_REFUSED: Words(
            "KS tar ikke imot en melding",
            "Meldingen er ikke sendt, og sendes ikke av seg selv.",
            "Se på den med «fiksmelding status», og send den på en annen måte om det haster.",
        ),
        AlarmKind.OUTCOME_UNKNOWN: Words(
            "Det er uvisst om en melding er sendt",
            "KS kan ha tatt imot meldingen, men svaret kom ikke fram.",
            "Spør KS, og bestem med «fiksmelding outbox» om den skal sendes på nytt.",
        ),
        AlarmKind.SENT_AGAIN: Words(
            "En melding er sendt på nytt",
            "Det var uvisst om den kom fram første gang. Mottakeren kan derfor få den to ganger.",
            "Du trenger ikke gjøre noe.",
        ),
        AlarmKind.AVVIST_FAGSYSTEM: Words(
            "Mottakerens fagsystem avviste en melding",
            "KS sender meldingen som brev i stedet.",
            "Haster den, så ring mottakeren.",
        ),
        AlarmKind.AVVIST_PRINT: Words(
            "En melding kan ikke leveres",
            "Den kunne verken leveres digitalt eller sendes som brev. KS følger den opp for hånd.",
            "Ring mottakeren nå.",
        ),
        AlarmKind.UNMOVED: Words(
            "En melding står stille hos KS",
            "Meldingen er sendt, men vi har ikke sett at den er levert.",
            "Ring mottakeren, og kontakt KS med meldingens id.",
        ),
        AlarmKind.ODD_STATUS: Words(
            "En melding har fått en ukjent status",
            "KS har gitt meldingen en status som ikke er kjent, eller som går bakover.",
            "Se på den med «fiksmelding status», og kontakt KS om den ikke blir levert.",
        ),
        AlarmKind.TEST: Words(
            "Dette er en prøve",
            "Noen har kjørt «fiksmelding alarms test» for å se om varsler kommer fram. Ingenting er galt.",
            "Du trenger ikke gjøre noe.",
        ),
    }
)
"""Of every kind."""
