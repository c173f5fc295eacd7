"""Reaches a running simulator from another process, by the folder it keeps its files in."""

import json
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Self

import aiohttp
from pydantic import BaseModel, JsonValue, TypeAdapter, ValidationError

from fiksmelding.errors import FiksmeldingError
from fiksmelding.simulator.fault_script import FaultScript
from fiksmelding.simulator.simulator import CONTROL_FILE

__all__ = ["ControlClient"]

JSON: TypeAdapter[JsonValue] = TypeAdapter(JsonValue)
JSON_OBJECT = TypeAdapter(dict[str, JsonValue])
JSON_OBJECTS = TypeAdapter(list[dict[str, JsonValue]])
TIMEOUT = aiohttp.ClientTimeout(total=660)  # A wait may last ten minutes.


class _ControlFile(BaseModel):
    control_url: str


class ControlClient:
    """Calls the control API of the simulator in a folder. Use it with `async with`.

    Args:
        folder: The folder the simulator was given.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._http: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        path = self._folder / CONTROL_FILE
        try:
            found = _ControlFile.model_validate_json(path.read_bytes())
        except (OSError, ValidationError) as error:
            raise self._not_running() from error
        self._http = aiohttp.ClientSession(found.control_url, timeout=TIMEOUT)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._http is not None:
            await self._http.close()

    async def submit(
        self, data: bytes, *, message_type: str, account: str = "bergen", bydelsnummer: str | None = None
    ) -> str:
        """Submit a report's JSON; returns the report's id.

        Raises:
            FiksmeldingError: No simulator runs there, or it refuses.
        """
        wanted = {"messageType": message_type, "account": account, "bydelsnummer": bydelsnummer}
        query = {name: value for name, value in wanted.items() if value is not None}
        answer = JSON_OBJECT.validate_json(await self._call("POST", "/control/reports", query, data))
        return str(answer["id"])

    async def reports(self) -> list[dict[str, JsonValue]]:
        """Every report, as the control API describes it, oldest first.

        Raises:
            FiksmeldingError: No simulator runs there.
        """
        return JSON_OBJECTS.validate_json(await self._call("GET", "/control/reports"))

    async def receipts(self, report_id: str) -> list[dict[str, JsonValue]]:
        """Every receipt that came for a report, oldest first.

        Raises:
            FiksmeldingError: No simulator runs there, or it has no such report.
        """
        return JSON_OBJECTS.validate_json(await self._call("GET", f"/control/reports/{report_id}/receipts"))

    async def ask(self, path: str) -> JsonValue:
        """The answer to any call that changes nothing, as `/control/accounts`.

        Raises:
            FiksmeldingError: No simulator runs there, or it refuses.
        """
        return JSON.validate_json(await self._call("GET", path))

    async def wait_for(self, report_id: str, tilstand: str, *, seconds: float = 10.0) -> dict[str, JsonValue]:
        """The report when it has come to a state, has ended otherwise, or `seconds` are over.

        Raises:
            FiksmeldingError: No simulator runs there, or it has no such report.
        """
        query = {"tilstand": tilstand, "seconds": str(seconds)}
        return JSON_OBJECT.validate_json(await self._call("GET", f"/control/reports/{report_id}", query))

    async def advance(self, by: timedelta) -> None:
        """Push the simulator's clock forward.

        Raises:
            FiksmeldingError: No simulator runs there, or it refuses.
        """
        await self._order("/control/clock/advance", json.dumps({"seconds": by.total_seconds()}))

    async def add_faults(self, script: FaultScript) -> None:
        """Let faults wait for what they fit.

        Raises:
            FiksmeldingError: No simulator runs there, or it refuses.
        """
        await self._order("/control/faults", script.model_dump_json())

    async def has_case_system(self, account: str, *, has: bool) -> None:
        """Say whether a municipality has a case system; without one, its reports wait for `fetch_by_hand`.

        Raises:
            FiksmeldingError: No simulator runs there, or there is no such account.
        """
        await self._order(f"/control/accounts/{account}", json.dumps({"caseSystem": has}))

    async def fetch_by_hand(self, report_id: str) -> bytes:
        """Fetch a report as a person does where there is no case system: the envelope.

        Raises:
            FiksmeldingError: No simulator runs there, or the report does not wait to be fetched.
        """
        return await self._call("POST", f"/control/reports/{report_id}/fetch", {}, b"{}")

    async def add_incidents(self, *names: str) -> None:
        """Let the faults of incidents wait for what they fit.

        Raises:
            FiksmeldingError: No simulator runs there, or there is no incident of that name.
        """
        await self._order("/control/faults", json.dumps({"incidents": names}))

    async def clear_faults(self) -> None:
        """Call every fault off.

        Raises:
            FiksmeldingError: No simulator runs there.
        """
        await self._call("DELETE", "/control/faults")

    async def sever_connections(self) -> None:
        """Cut every AMQP connection.

        Raises:
            FiksmeldingError: No simulator runs there.
        """
        await self._order("/control/connections/sever")

    async def silence_connections(self) -> None:
        """Leave every AMQP connection half open.

        Raises:
            FiksmeldingError: No simulator runs there, or it runs on a RabbitMQ.
        """
        await self._order("/control/connections/silence")

    async def _order(self, path: str, body: str = "{}") -> None:
        await self._call("POST", path, {}, body.encode())

    async def _call(
        self, method: str, path: str, query: dict[str, str] | None = None, body: bytes | None = None
    ) -> bytes:
        if self._http is None:
            raise FiksmeldingError("The control client is not open: use `async with`.")
        headers = {"Content-Type": "application/json"} if body is not None else {}
        try:
            async with self._http.request(method, path, params=query, data=body, headers=headers) as response:
                answer = await response.read()
        except (aiohttp.ClientError, TimeoutError) as error:
            raise self._not_running() from error
        if response.status >= 400:
            raise FiksmeldingError(f"The simulator refuses: {_message(answer)}")
        return answer

    def _not_running(self) -> FiksmeldingError:
        return FiksmeldingError(
            f"No simulator runs in {self._folder}.", advice=f"Start one: fiksmelding simulator --dir {self._folder}"
        )


def _message(answer: bytes) -> str:
    try:
        return str(JSON_OBJECT.validate_json(answer).get("message", ""))
    except ValidationError:
        return "its answer cannot be read"
