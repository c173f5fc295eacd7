"""Who is in the simulated world: municipalities, a school, the national service and the print provider."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self
from uuid import UUID, uuid5

from fiksmelding.simulator.accounts import Account, Client, Integration, Organisation, Register
from fiksmelding.simulator.keys import Keys
from fiksmelding.simulator.municipalities import Bydel, Kommune, StottetVersjon
from fiksmelding.simulator.pki import Credential

__all__ = ["Party", "World"]

# Ids are made from names, so that a vendor's settings and tests hold from one run to the next.
NAMESPACE = UUID("5b2d6a0e-7f0c-4c0e-9d9e-0b6f3f1c2a11")
PROTOCOL = "no.ks.fiks.bekymringsmelding."
PROTOCOLS_OF = {
    StottetVersjon.V1: frozenset({f"{PROTOCOL}v1"}),
    StottetVersjon.V2: frozenset({f"{PROTOCOL}v1", f"{PROTOCOL}v2"}),
}


@dataclass(frozen=True, slots=True)
class _Municipality:
    key: str
    organisation: str
    kommunenummer: str
    navn: str
    bydeler: Mapping[str, str]
    versjon: StottetVersjon = StottetVersjon.V2


MUNICIPALITIES = (
    _Municipality(
        "bergen",
        "310460109",
        "4601",
        "Bergen",
        {
            "01": "Arna",
            "02": "Bergenhus",
            "03": "Fana",
            "04": "Fyllingsdalen",
            "05": "Laksevåg",
            "06": "Ytrebygda",
            "07": "Årstad",
            "08": "Åsane",
        },
    ),
    _Municipality(
        "oslo",
        "310030104",
        "0301",
        "Oslo",
        {
            "01": "Gamle Oslo",
            "02": "Grünerløkka",
            "03": "Sagene",
            "04": "St. Hanshaugen",
            "05": "Frogner",
            "06": "Ullern",
            "07": "Vestre Aker",
            "08": "Nordre Aker",
            "09": "Bjerke",
            "10": "Grorud",
            "11": "Stovner",
            "12": "Alna",
            "13": "Østensjø",
            "14": "Nordstrand",
            "15": "Søndre Nordstrand",
        },
    ),
    _Municipality("tromso", "310550108", "5501", "Tromsø", {"00": "Tromsø"}, StottetVersjon.V1),
)


@dataclass(frozen=True, slots=True)
class Party:
    """An organisation with all it needs to act on the platform.

    Attributes:
        name: What settings, commands and tests call it: `bergen`.
        account: Its account.
        credential: Its business certificate and key.
        client: Its client at Maskinporten.
        integration: Its integration.
    """

    name: str
    account: Account
    credential: Credential
    client: Client
    integration: Integration


@dataclass(slots=True)
class World:
    """Everyone on the platform.

    Attributes:
        register: What the platform knows of them.
        parties: Those who use the platform from outside, by name.
        kommuner: The municipalities, by number.
        national: The national service for bekymringsmeldinger.
        print_credential: The print provider's key, and the certificate that print copies are sealed for.
    """

    register: Register
    national: Party
    print_credential: Credential
    parties: dict[str, Party] = field(default_factory=dict)
    kommuner: dict[str, Kommune] = field(default_factory=dict)

    @classmethod
    def new(cls, keys: Keys) -> Self:
        """Make the world. Takes a while, for its keys."""
        national = _party("bekymringsmelding", "310971030", "KS Bekymringsmelding (test)", keys)
        world = cls(Register(), national, keys.business("310888001", "Brevpost (test)"))
        world._enter(national)
        for municipality in MUNICIPALITIES:
            world._settle(municipality, keys)
        world.kommuner["1103"] = Kommune("1103", "Stavanger")
        school = _party("skole", "310642002", "Fjellsiden skole (test)", keys)
        world._enter(school)
        world.parties[school.name] = school
        return world

    def bydel(self, party: Party, bydelsnummer: str | None = None) -> tuple[Kommune, Bydel] | None:
        """A district of the municipality that owns an account: by number, or the standard one."""
        kommune = self.kommuner.get(party.account.kommunenummer or "")
        if kommune is None:
            return None
        bydel = kommune.standard if bydelsnummer is None else kommune.bydel(bydelsnummer)
        return None if bydel is None else (kommune, bydel)

    def credential_of(self, account_id: UUID) -> Credential | None:
        """The key and certificate of an account, by its id."""
        return next(
            (one.credential for one in (self.national, *self.parties.values()) if one.account.id == account_id), None
        )

    def _settle(self, municipality: "_Municipality", keys: Keys) -> None:
        party = _party(
            municipality.key,
            municipality.organisation,
            f"{municipality.navn} kommune (test)",
            keys,
            kommunenummer=municipality.kommunenummer,
            protocols=PROTOCOLS_OF[municipality.versjon],
        )
        self._enter(party)
        self.parties[party.name] = party
        self.kommuner[municipality.kommunenummer] = Kommune(
            municipality.kommunenummer,
            municipality.navn,
            tuple(
                Bydel(
                    bydelsnummer=nummer,
                    bydelsnavn=bydelsnavn,
                    account_id=party.account.id,
                    ressurs_id=uuid5(NAMESPACE, f"bydel/{municipality.kommunenummer}/{nummer}"),
                    stottet_versjon=municipality.versjon,
                    standard_mottaker=nummer == min(municipality.bydeler),
                )
                for nummer, bydelsnavn in municipality.bydeler.items()
            ),
        )

    def _enter(self, party: Party) -> None:
        for entry in (party.account, party.client, party.integration):
            self.register.add(entry)


def _party(
    name: str,
    number: str,
    title: str,
    keys: Keys,
    *,
    kommunenummer: str | None = None,
    protocols: frozenset[str] = frozenset(),
) -> Party:
    organisation = Organisation(uuid5(NAMESPACE, f"organisasjon/{name}"), number, title)
    credential = keys.business(number, title)
    account = Account(
        id=uuid5(NAMESPACE, f"konto/{name}"),
        name=title,
        organisation=organisation,
        certificate=credential.certificate,
        kommunenummer=kommunenummer,
        protocols=protocols,
    )
    integration = Integration(
        id=uuid5(NAMESPACE, f"integrasjon/{name}"),
        password=keys.password(name),
        organisation=number,
        accounts=frozenset({account.id}),
        submits_for=frozenset({organisation.id}),
    )
    client = Client(id=str(uuid5(NAMESPACE, f"klient/{name}")), organisation=number)
    return Party(name, account, credential, client, integration)
