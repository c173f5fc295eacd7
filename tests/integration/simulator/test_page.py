"""The page on the simulator says what the simulator does."""

import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import cast

import pytest

from fiksmelding.cli.app import app  # noqa: F401 - brings all commands together
from fiksmelding.cli.simulator_commands import simulator_app
from fiksmelding.messages import MessageType
from fiksmelding.simulator import FaultScript, HttpFault, MessageFault, Simulator
from fiksmelding.simulator.http.control import ControlRoutes
from fiksmelding.simulator.http.fault_control import FaultControlRoutes
from fiksmelding.simulator.incidents import INCIDENTS
from support.documents import example

DOCS = Path(__file__).parents[3] / "docs"
PAGE = (DOCS / "simulator.md").read_text("utf-8")
TESTING = DOCS / "testing.md"


@pytest.mark.parametrize("fault", [HttpFault, MessageFault])
def test_every_attribute_of_a_fault_is_on_the_page(fault: type[HttpFault | MessageFault]) -> None:
    missing = [name for name in fault.model_fields if f"`{name}`" not in PAGE]

    assert missing == []


def test_every_effect_is_on_the_page() -> None:
    effects = MessageFault.model_json_schema()["properties"]["effect"]["enum"]

    assert [effect for effect in effects if f"`{effect}`" not in PAGE] == []


def test_every_incident_is_on_the_page_about_testing() -> None:
    told = dict(re.findall(r"^\| `([a-z-]+)` \| (.*\.) \|$", TESTING.read_text("utf-8"), re.MULTILINE))

    assert told == {name: incident.what for name, incident in INCIDENTS.items()}


async def test_every_call_of_the_control_api_is_on_the_page(fiks: Simulator) -> None:
    routes = (*ControlRoutes(fiks).routes(), *FaultControlRoutes(fiks).routes())
    served = {f"{route.method} {route.path}" for route in routes}

    assert served == set(re.findall(r"^\| `((?:GET|POST|DELETE) /control[^?`]*)", PAGE, re.MULTILINE))


async def test_every_account_is_on_the_page(fiks: Simulator) -> None:
    assert set(fiks.accounts) == set(re.findall(r"^\| `([a-z]+)` \| (?:kommune|a school)", PAGE, re.MULTILINE))


def test_every_fault_in_the_table_can_be_made() -> None:
    shown = re.findall(r"`((?:Http|Message)Fault\([^`]*\))` \|$", PAGE, re.MULTILINE)

    assert len(shown) >= 6
    for text in shown:
        eval(text, {"HttpFault": HttpFault, "MessageFault": MessageFault})  # noqa: S307


async def test_the_example_on_the_page_runs(capsys: pytest.CaptureFixture[str]) -> None:
    names: dict[str, object] = {}
    exec(PAGE.split("```python\n")[1].split("```")[0], names)  # noqa: S102
    main = cast("Callable[[bytes], Awaitable[None]]", names["main"])

    await main(example(MessageType.PRIVAT_V2))

    assert "SENDT_PRINT" in capsys.readouterr().out


async def test_every_command_for_a_running_simulator_is_on_the_page() -> None:
    words = {words.split()[0] for words in re.findall(r"^\| `[A-Z]+ /control[^|]*\| `([^`]+)`", PAGE, re.MULTILINE)}

    assert words == {command.name for command in simulator_app.registered_commands} - {"rabbitmq"}


def test_the_script_of_faults_on_the_page_is_one(tmp_path: Path) -> None:
    path = tmp_path / "bad-day.toml"
    path.write_text(PAGE.split("```toml\n")[1].split("```")[0])

    assert len(FaultScript.load(path).faults) == 3
