"""Who gets a report: municipality by number or name, and one of its offices."""

import difflib
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from fiksmelding.clock import Clock
from fiksmelding.errors import NotFound, NotJoined, UnknownReceiver
from fiksmelding.fiks import Bydel, Kommune, Krypteringsnokler
from fiksmelding.fiks.reports import KOMMUNENUMMER

CACHE_SECONDS = 600.0
"""How long what was looked up counts, in seconds; as long as KS's own clients cache keys."""
INSTEAD = (
    "Send it by letter or bring it, and call the municipality's child welfare service; out of hours Alarmtelefonen "
    "for barn og unge, 116 111, knows whom to reach."
)

Key = TypeVar("Key")
Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Office:
    """Where a report goes.

    Attributes:
        kommunenummer: Four digits.
        kommunenavn: The municipality's name.
        bydel: The receiving office.
    """

    kommunenummer: str
    kommunenavn: str
    bydel: Bydel

    @property
    def name(self) -> str:
        """The names of both, for people."""
        same = self.bydel.bydelsnavn in ("", self.kommunenavn)
        return self.kommunenavn if same else f"{self.kommunenavn}, {self.bydel.bydelsnavn}"


@dataclass
class _Remembered(Generic[Key, Value]):
    """What was looked up, for a while."""

    clock: Clock
    look_up: Callable[[Key], Awaitable[Value]]
    found: dict[Key, tuple[float, Value]] = field(default_factory=dict)

    async def get(self, key: Key) -> Value:
        at, value = self.found.get(key, (float("-inf"), None))
        if value is None or self.clock.monotonic() - at >= CACHE_SECONDS:
            value = await self.look_up(key)
            self.found[key] = self.clock.monotonic(), value
        return value


class LookUp(Protocol):
    """The part of the API that addressing needs."""

    async def kommuner(self) -> tuple[Kommune, ...]:
        """Every municipality."""
        ...

    async def kommune(self, kommunenummer: str, /) -> Kommune:
        """A municipality."""
        ...

    async def keys(self, kommunenummer: str, bydelsnummer: str) -> Krypteringsnokler:
        """The keys of an office."""
        ...


class Directory:
    """Finds offices and their keys, and remembers them for ten minutes.

    Args:
        reports: Whom to ask.
        clock: Where the time is read.
    """

    def __init__(self, reports: LookUp, clock: Clock) -> None:
        self._reports = reports
        self._names = _Remembered(clock, self._look_up_names)
        self._kommuner = _Remembered(clock, reports.kommune)
        self._keys = _Remembered(clock, self._look_up_keys)

    async def office(self, to: str, district: str | None, *, likely: str = "") -> Office:
        """The office that a report goes to.

        Args:
            to: The municipality's number or name.
            district: The office's number; None when it is unknown.
            likely: The office to take then, if there is one of that number; else the municipality's standard one.

        Raises:
            UnknownReceiver: There is no such municipality or office. Names those that are near, or there.
            NotJoined: The municipality takes no reports over this service.
            PlatformError: It cannot be found out now.
        """
        kommune = await self._kommune(to.strip())
        if not kommune.bydeler:
            raise NotJoined(f"{kommune.navn} takes no reports over Fiks: nothing was sent.", advice=INSTEAD)
        return Office(kommune.kommunenr, kommune.navn, _bydel(kommune, district, likely))

    async def keys(self, kommunenummer: str, bydelsnummer: str) -> Krypteringsnokler:
        """The keys that reports to an office are sealed for.

        Raises:
            PlatformError: They cannot be had now.
        """
        return await self._keys.get((kommunenummer, bydelsnummer))

    async def _kommune(self, to: str) -> Kommune:
        number = to if KOMMUNENUMMER.fullmatch(to) else await self._number_of(to)
        try:
            return await self._kommuner.get(number)
        except NotFound as error:
            raise UnknownReceiver(
                f"There is no municipality {number}.",
                advice="Numbers change when municipalities merge or split: give its name instead.",
            ) from error

    async def _number_of(self, name: str) -> str:
        by_name = await self._names.get(None)
        wanted = _comparable(name)
        found = by_name.get(wanted, ())
        if len(found) == 1:
            return found[0].kommunenr
        if found:
            numbers = " or ".join(kommune.kommunenr for kommune in found)
            raise UnknownReceiver(f"Several municipalities are called {found[0].navn}.", advice=f"Give {numbers}.")
        near = [by_name[one][0].navn for one in difflib.get_close_matches(wanted, by_name, n=3)]
        advice = f"Did you mean {' or '.join(near)}?" if near else "Give its name or its four digits."
        raise UnknownReceiver("There is no municipality of that name.", advice=advice)

    async def _look_up_names(self, _: None) -> Mapping[str, Sequence[Kommune]]:
        found: dict[str, list[Kommune]] = defaultdict(list)
        for kommune in await self._reports.kommuner():
            found[_comparable(kommune.navn)].append(kommune)
        return dict(found)

    async def _look_up_keys(self, place: tuple[str, str]) -> Krypteringsnokler:
        return await self._reports.keys(*place)


def _comparable(name: str) -> str:
    return " ".join(name.casefold().split()).removesuffix(" kommune")


def _bydel(kommune: Kommune, district: str | None, likely: str) -> Bydel:
    by_number = {bydel.bydelsnummer: bydel for bydel in kommune.bydeler}
    if district is not None:
        if district in by_number:
            return by_number[district]
        raise UnknownReceiver(
            f"{kommune.navn} has no office {district} that takes reports.", advice=_listed(kommune.bydeler)
        )
    if likely in by_number:
        return by_number[likely]
    standard = next((bydel for bydel in kommune.bydeler if bydel.standard_mottaker), None)
    if standard is None:
        raise UnknownReceiver(
            f"{kommune.navn} names no office for reports whose district is unknown.", advice=_listed(kommune.bydeler)
        )
    return standard


def _listed(bydeler: Sequence[Bydel]) -> str:
    return f"It has {', '.join(f'{bydel.bydelsnummer} {bydel.bydelsnavn}' for bydel in bydeler)}."
