from datetime import UTC, datetime

import pytest

from fiksmelding.errors import UnknownReceiver
from fiksmelding.fiks import Bydel, Kommune, Krypteringsnokler
from fiksmelding.sender.addressing import CACHE_SECONDS, Directory
from fiksmelding.sender.preparing import norwegian_time
from support.fake_clock import FakeClock


@pytest.mark.parametrize(
    ("moment", "told"),
    [
        (datetime(2026, 7, 1, 21, 59, 59, 999_999, tzinfo=UTC), "2026-07-01T23:59:59"),
        (datetime(2026, 12, 31, 23, 30, tzinfo=UTC), "2027-01-01T00:30:00"),
        (datetime(2026, 3, 29, 1, 0, tzinfo=UTC), "2026-03-29T03:00:00"),
    ],
)
def test_a_time_is_told_as_clocks_in_norway_show_it(moment: datetime, told: str) -> None:
    assert norwegian_time(moment) == told


class Registry:
    """The platform's list of municipalities."""

    def __init__(self, *kommuner: Kommune) -> None:
        self.kommuner_there = kommuner
        self.asked: list[str] = []

    async def kommuner(self) -> tuple[Kommune, ...]:
        self.asked.append("kommuner")
        return self.kommuner_there

    async def kommune(self, number: str) -> Kommune:
        self.asked.append(number)
        return next(one for one in self.kommuner_there if one.kommunenr == number)

    async def keys(self, kommunenummer: str, bydelsnummer: str) -> Krypteringsnokler:
        raise AssertionError("no keys are asked for here")


def kommune(number: str, navn: str, *bydeler: Bydel) -> Kommune:
    return Kommune(number, navn, bydeler or (Bydel("00", navn, standard_mottaker=True),))


async def test_names_are_found_in_any_case_and_numbers_too_and_remembered_for_ten_minutes() -> None:
    clock, registry = FakeClock(), Registry(kommune("4601", "Bergen"), kommune("5501", "Tromsø"))
    directory = Directory(registry, clock)
    for name in ("TROMSØ", " tromsø  kommune ", "5501"):
        office = await directory.office(name, None)
        assert (office.kommunenummer, office.name) == ("5501", "Tromsø")
    assert registry.asked == ["kommuner", "5501"]
    clock.advance(CACHE_SECONDS)
    await directory.office("Tromsø", "00")
    assert registry.asked == ["kommuner", "5501", "kommuner", "5501"]


async def test_of_two_with_one_name_only_the_number_tells() -> None:
    directory = Directory(Registry(kommune("1515", "Herøy"), kommune("1818", "Herøy")), FakeClock())
    with pytest.raises(UnknownReceiver, match="1515 or 1818"):
        await directory.office("Herøy", None)
    assert (await directory.office("1818", None)).kommunenummer == "1818"


async def test_without_a_standard_office_the_district_has_to_be_given() -> None:
    directory = Directory(Registry(kommune("4601", "Bergen", Bydel("01", "Arna"), Bydel("02", "Fana"))), FakeClock())
    with pytest.raises(UnknownReceiver, match="01 Arna, 02 Fana"):
        await directory.office("4601", None, likely="99")
    assert (await directory.office("4601", None, likely="02")).name == "Bergen, Fana"
