"""Whatever a client sends, every call answers as the served OpenAPI document says."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi import checks

from fiksmelding.simulator import Keys, Simulator, SimulatorThread
from support.platform_client import PlatformClient

CHECKS = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
]
EXAMPLES = settings(
    max_examples=8,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture
def running(keys: Keys, tmp_path: Path) -> Iterator[SimulatorThread]:
    with SimulatorThread(Simulator(folder=tmp_path, keys=keys)) as fiks:
        yield fiks


async def _headers(fiks: Simulator) -> dict[str, str]:
    async with PlatformClient(fiks, "skole") as client:
        return await client.headers()


@pytest.mark.parametrize("known", [True, False], ids=["one who is known", "a stranger"])
def test_every_answer_is_as_described(running: SimulatorThread, *, known: bool) -> None:
    schema = schemathesis.openapi.from_url(f"{running.simulator.api_url}/openapi.json")
    headers = running.call(_headers) if known else {}
    results = list(schema.get_all_operations())
    operations = [result.ok() for result in results if isinstance(result, Ok)]

    for operation in operations:

        @EXAMPLES
        @given(case=operation.as_strategy())
        def ask(case: schemathesis.Case) -> None:  # type: ignore[type-arg]
            case.call_and_validate(headers=headers, checks=CHECKS)

        ask()

    assert len(operations) == len(results) > 20
