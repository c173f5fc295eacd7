"""The words invented reports are made of."""

__all__ = [
    "AGES",
    "FIRST_NAMES",
    "HISTORY",
    "LAST_NAMES",
    "NOT_TOLD",
    "OBSERVATIONS",
    "OPENINGS",
    "OTHER_SERVICES",
    "RELATIONS",
    "STREETS",
    "TOLD",
    "VIEWS",
    "WORKPLACES",
]

FIRST_NAMES = (
    "Nora", "Emma", "Sofie", "Olivia", "Ella", "Maja", "Ingrid", "Aisha", "Sara", "Máret", "Elle", "Zofia", "Amina",
    "Solveig", "Åse", "Jakob", "Noah", "Emil", "Lucas", "Oskar", "Mohammad", "Ole", "Isak", "Aslak", "Nils-Ánte",
    "Jan Erik", "Øyvind", "Håkon", "Yusuf", "Mikołaj",
)  # fmt: skip

LAST_NAMES = (
    "Hansen", "Johansen", "Olsen", "Larsen", "Andersen", "Nilsen", "Kristiansen", "Bakke", "Lien", "Haugen", "Sæther",
    "Ødegård", "Åsen", "Berg-Olsen", "Sara", "Gaup", "Đoković", "Nguyen", "Ahmed", "Kowalska", "Al-Khatib", "O'Connor",
    "von der Lippe", "Müller",
)  # fmt: skip

STREETS = (
    "Storgata", "Kirkeveien", "Skoleveien", "Furulia", "Bjørkestien", "Strandgata", "Åsveien", "Øvre gate",
    "Elvebakken", "Solsvingen", "Nedre Torg", "Ájluokta",
)  # fmt: skip

WORKPLACES = (
    ("Kontaktlærer", "{place} skole"),
    ("Rektor", "{place} ungdomsskole"),
    ("Helsesykepleier", "Helsestasjonen i {place}"),
    ("Barnehagelærer", "{place} barnehage"),
    ("Styrer", "Solstua barnehage"),
    ("Sosionom", "Nav {place}"),
    ("Politibetjent", "Politiet, {place} lensmannskontor"),
    ("Lege", "{place} legevakt"),
    ("Miljøterapeut", "Oppfølgingstjenesten i {place} kommune"),
)

RELATIONS = ("Nabo", "Besteforelder", "Tante", "Trener i idrettslaget", "Mor til en i klassen", "Ukjent for familien")

AGES = ("Under ett år", "3", "Omtrent 6 år", "8-9", "12 år", "Tenåring", "16")

OPENINGS = (
    "Jeg er bekymret for {child}, og skriver fordi det har vart lenge.",
    "Vi melder fra om {child} etter flere hendelser denne høsten.",
    "Denne meldingen gjelder hvordan {child} har det hjemme.",
    "{child} sa i dag noe som gjør at vi må melde fra.",
)

OBSERVATIONS = (
    "{child} kommer ofte uten matpakke, og spør andre om mat.",
    "I timene sovner {child}, og sier at det er bråk hjemme om natten.",
    "{child} har hatt de samme klærne på seg i over en uke.",
    "Vi hører roping og gråt fra leiligheten flere kvelder i uken.",
    "{child} har fortalt at hen må passe småsøsken når de voksne er ute.",
    "Da jeg spurte hvordan det gikk, begynte {child} å gråte og ville ikke snakke mer.",
    "{child} har trukket seg unna vennene sine, og er blitt stille.",
    "På foreldremøtet luktet det alkohol av den som kom.",
    "Det har vært 14 dager med fravær siden august, uten beskjed fra hjemmet.",
    "{child} hadde et blåmerke på armen, og ga tre ulike forklaringer.",
    "Den 3. oktober ble {child} ikke hentet før klokken 18.45.",
    "Hjemmet svarer ikke når vi ringer, og meldingene blir ikke lest.",
    "{child} sier at «det er ikke lov å fortelle om det som skjer hjemme».",
    "Et søsken skal ha flyttet ut for en tid siden, men vi vet ikke hvorfor.",
    "Tannhelsetjenesten har innkalt {child} fire ganger uten at noen har møtt.",
    "{child} er redd for å gå hjem på fredager.",
)

HISTORY = (
    "Vi hadde samtale med de foresatte i mars, og det ble bedre en periode.",
    "Skolen har meldt fra én gang tidligere, for to år siden.",
    "Familien flyttet hit i fjor, og vi kjenner lite til tiden før.",
    "PPT er kobla inn, men avtalene er ikke blitt holdt.",
    "Det har vært bekymring for et eldre søsken i samme familie.",
    "Vi har ingen kjennskap til tidligere meldinger.",
)

VIEWS = (
    "De foresatte mener selv at {child} har det bra.",
    "Helsesykepleier deler bekymringen.",
    "Mor har sagt at hun ønsker hjelp.",
    "Besteforeldrene har tatt kontakt og er også bekymret.",
)

TOLD = ("Vi snakket med familien før vi sendte meldingen.", "Tatt opp i samtale.", "Orientert på telefon.")

NOT_TOLD = (
    "Vi er redde for at barnet kan bli utsatt for press.",
    "Vi har ikke fått kontakt.",
    "Barnet er for lite til å forstå.",
    "Politiet ba oss vente.",
)

OTHER_SERVICES = ("Helsesykepleier og PPT.", "BUP.", "Nav.", "Ikke som vi vet om.", "Tannhelsetjenesten.")
