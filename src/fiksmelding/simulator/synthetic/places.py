"""Municipalities with their districts, and a post town for addresses."""

from dataclasses import dataclass

__all__ = ["MUNICIPALITIES", "Municipality"]


@dataclass(frozen=True)
class Municipality:
    """A municipality.

    Attributes:
        number: Four digits.
        name: Its name.
        postal_code: One of its postal codes.
        town: The post town of that code.
        districts: Number and name of each receiving office; "00" where there is only one.
    """

    number: str
    name: str
    postal_code: str
    town: str
    districts: tuple[tuple[str, str], ...]


def _numbered(*names: str) -> tuple[tuple[str, str], ...]:
    return tuple((f"{number:02d}", name) for number, name in enumerate(names, 1))


def _one_office(number: str, name: str, postal_code: str, town: str) -> Municipality:
    return Municipality(number, name, postal_code, town, (("00", name),))


MUNICIPALITIES = (
    Municipality(
        "0301",
        "Oslo",
        "0150",
        "Oslo",
        _numbered(
            "Gamle Oslo",
            "Grünerløkka",
            "Sagene",
            "St. Hanshaugen",
            "Frogner",
            "Ullern",
            "Vestre Aker",
            "Nordre Aker",
            "Bjerke",
            "Grorud",
            "Stovner",
            "Alna",
            "Østensjø",
            "Nordstrand",
            "Søndre Nordstrand",
        ),
    ),
    Municipality(
        "4601",
        "Bergen",
        "5003",
        "Bergen",
        _numbered("Arna", "Bergenhus", "Fana", "Fyllingsdalen", "Laksevåg", "Ytrebygda", "Årstad", "Åsane"),
    ),
    Municipality("5001", "Trondheim", "7011", "Trondheim", _numbered("Midtbyen", "Østbyen", "Lerkendal", "Heimdal")),
    _one_office("1103", "Stavanger", "4006", "Stavanger"),
    _one_office("1508", "Ålesund", "6002", "Ålesund"),
    _one_office("1804", "Bodø", "8006", "Bodø"),
    _one_office("3107", "Fredrikstad", "1606", "Fredrikstad"),
    _one_office("3201", "Bærum", "1338", "Sandvika"),
    _one_office("3301", "Drammen", "3015", "Drammen"),
    _one_office("3403", "Hamar", "2317", "Hamar"),
    _one_office("4003", "Skien", "3717", "Skien"),
    _one_office("4204", "Kristiansand", "4612", "Kristiansand"),
    _one_office("5501", "Tromsø", "9008", "Tromsø"),
    _one_office("5610", "Karasjok - Kárášjohka", "9730", "Karasjok"),
    _one_office("5612", "Kautokeino - Guovdageaidnu", "9520", "Kautokeino"),
)
