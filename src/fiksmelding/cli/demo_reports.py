"""The four reports of the demo. Everyone in them is made up; the national identity numbers can never be real."""

import json

from fiksmelding.messages import MessageType

SCHOOL_ADDRESS = {"adresselinje1": "Skoleveien 1", "postnummer": "5003", "poststed": "Bergen"}
HOME_ADDRESS = {"adresselinje1": "Liaveien 12 B", "postnummer": "5035", "poststed": "Bergen"}
# Month + 80 marks a synthetic person (Tenor test data): such a number is never given to anyone.
SYNTHETIC_NUMBERS = ("15881499740", "02911687231")


def demo_reports() -> list[tuple[MessageType, bytes]]:
    """Privat v2, offentlig v2 with two children, privat v1, offentlig v1: message type and JSON."""
    return [
        (MessageType.PRIVAT_V2, _json(_privat("Jeg hører ofte roping og gråt fra leiligheten om natten."))),
        (MessageType.OFFENTLIG_V2, _json(_offentlig(2, andre_synspunkter="Helsesykepleier deler bekymringen."))),
        (MessageType.PRIVAT_V1, _json(_privat("Barnet er ute alene til langt på kveld, også i kaldt vær."))),
        (MessageType.OFFENTLIG_V1, _json(_offentlig(1))),
    ]


def _json(report: dict[str, object]) -> bytes:
    return json.dumps(report, ensure_ascii=False).encode()


def _place(bydelsnummer: str, bydelsnavn: str) -> dict[str, object]:
    return {
        "kommunenummer": "4601",
        "kommunenavn": "Bergen",
        "bydelsnummer": bydelsnummer,
        "bydelsnavn": bydelsnavn,
        "sendingstidspunkt": "2026-03-02T09:15:00",
        "leveringskanal": "Demonstrasjon",
    }


def _privat(text: str) -> dict[str, object]:
    return {
        **_place("02", "Bergenhus"),
        "privatMelder": {"personnavn": "Nabo Naboesen", "telefonnummer": "+47 90000000"},
        "privatBarn": [
            {
                "personnavn": "Lille Testesen",
                "antattAlder": "rundt 7 år",
                "relasjon": "Nabo",
                "adresse": HOME_ADDRESS,
            }
        ],
        "melding": text,
    }


def _offentlig(children: int, *, andre_synspunkter: str | None = None) -> dict[str, object]:
    melding = {
        "melding": "Eleven kommer ofte sulten på skolen og har flere ganger sagt at ingen er hjemme om kvelden.",
        "historie": "Skolen har hatt to samtaler med hjemmet i høst uten at det har blitt bedre.",
    }
    if andre_synspunkter is not None:
        melding["andreSynspunkter"] = andre_synspunkter
    return {
        **_place("03", "Fana"),
        "offentligMelder": {
            "personnavn": "Lærer Læresen",
            "rolle": "Kontaktlærer",
            "telefonnummer": "55000000",
            "epost": "lærer@skolen.example.no",
            "virksomhet": {"navn": "Fjellsiden skole", "orgnr": "974760673", "adresse": SCHOOL_ADDRESS},
        },
        "offentligBarn": [
            {
                "fnr": SYNTHETIC_NUMBERS[number],
                "ufoedt": False,
                "personnavn": f"Barn {'ABC'[number]} Testesen",
                "adresse": HOME_ADDRESS,
                "orientert": False,
                "orientertGrunn": "Barnet er for ungt.",
            }
            for number in range(children)
        ],
        "foresatte": [{"personnavn": "Forelder Testesen", "orientert": True}],
        "behovForTolk": "Nei",
        "melding": melding,
    }
