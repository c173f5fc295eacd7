"""Fixtures for those who test their own integration: pytest finds them without an import (docs/testing.md).

Nothing of the simulator is loaded before a test asks for one of them, and no asynchronous framework is needed.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from fiksmelding.simulator import Keys, SimulatorThread
    from fiksmelding.simulator.incidents import Incident
    from fiksmelding.simulator.testing import FiksAccount, FiksReport

__all__: list[str] = []

DEFAULT_ACCOUNT = "bergen"


def pytest_configure(config: pytest.Config) -> None:
    """Make the marks known, for those who run with `--strict-markers`."""
    config.addinivalue_line("markers", "fiks_account(name): the account that `fiks_account` and `fiks_report` are for")
    config.addinivalue_line("markers", "fiks_seed(number): what chances and invented reports are drawn with")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test that wants `fiks_incident` once for each of them, unless it chose some itself."""
    chosen = (mark.args[0] for mark in metafunc.definition.iter_markers("parametrize"))
    if "fiks_incident" in metafunc.fixturenames and "fiks_incident" not in map(str, chosen):
        from fiksmelding.simulator.incidents import INCIDENTS  # noqa: PLC0415

        metafunc.parametrize("fiks_incident", tuple(INCIDENTS), indirect=True)


@pytest.fixture(scope="session")
def fiks_keys(request: pytest.FixtureRequest) -> "Keys":
    """The simulated world's keys, kept in pytest's cache: making them takes longer than most tests."""
    from fiksmelding.simulator import Keys  # noqa: PLC0415

    cache: pytest.Cache | None = getattr(request.config, "cache", None)
    if cache is None:
        return Keys()
    # Processes of pytest-xdist must not write one another's files.
    return Keys(folder=cache.mkdir(f"fiksmelding-{os.environ.get('PYTEST_XDIST_WORKER', 'keys')}"))


@pytest.fixture
def fiks(fiks_keys: "Keys", tmp_path: Path, request: pytest.FixtureRequest) -> "Iterator[SimulatorThread]":
    """The Fiks platform, running in a thread of its own: new for each test."""
    from fiksmelding.simulator import Simulator, SimulatorThread  # noqa: PLC0415

    with SimulatorThread(Simulator(folder=tmp_path / "fiks", keys=fiks_keys, seed=_seed(request))) as running:
        yield running


@pytest.fixture
def fiks_account(fiks: "SimulatorThread", request: pytest.FixtureRequest) -> "FiksAccount":
    """Everything a program needs to act on an account: `bergen`, or the one that the mark `fiks_account` names."""
    from fiksmelding.simulator.testing import FiksAccount  # noqa: PLC0415

    return FiksAccount.of(fiks, _account(request))


@pytest.fixture
def fiks_report(fiks: "SimulatorThread", request: pytest.FixtureRequest) -> "Callable[..., FiksReport]":
    """Submits reports: `fiks_report()` an invented one, `fiks_report(data, "offentlig")` one of your own."""
    from fiksmelding.simulator.testing import ReportMaker  # noqa: PLC0415

    return ReportMaker(fiks, account=_account(request), seed=_seed(request)).submit


@pytest.fixture
def fiks_incident(fiks: "SimulatorThread", request: pytest.FixtureRequest) -> "Incident":
    """Something that goes wrong in this test, waiting to happen: a test that wants it runs once for each."""
    from fiksmelding.simulator.incidents import INCIDENTS  # noqa: PLC0415

    incident = INCIDENTS[request.param]
    fiks.add_faults(*incident.faults)
    return incident


def _account(request: pytest.FixtureRequest) -> str:
    mark = request.node.get_closest_marker("fiks_account")
    return str(mark.args[0]) if mark else DEFAULT_ACCOUNT


def _seed(request: pytest.FixtureRequest) -> int:
    mark = request.node.get_closest_marker("fiks_seed")
    return int(mark.args[0]) if mark else 0
