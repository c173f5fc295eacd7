"""`fiksmelding send`: reports out of files into the outbox, and on to the platform."""

import asyncio
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from fiksmelding.cli.documents import parse_document, read_document
from fiksmelding.cli.output import Exit, complaints, console
from fiksmelding.config import Settings
from fiksmelding.errors import FiksmeldingError, SettingsError
from fiksmelding.journal.outbox import FOR_A_PERSON, OutgoingState
from fiksmelding.messages import Bekymringsmelding, Feilmelding
from fiksmelding.sender import Sender, Sent

AT_ONCE = 8
UNSETTLED = (OutgoingState.QUEUED, OutgoingState.SUBMITTING)


@dataclass(frozen=True, slots=True)
class Errand:
    """What is to be sent.

    Attributes:
        files: The reports.
        to: The municipality; as each report says when None.
        district: The office; as each report says, or the standard one, when None.
        keys: Under which keys, one for each file; None for none.
        given_type: Message type of JSON files; told by their content when None.
        pdf: The PDF of a single report, when there is one already.
        wait: How long to wait for the platform to take them, in seconds.
    """

    files: Sequence[Path]
    to: str | None
    district: str | None
    keys: Sequence[str] | None
    given_type: str | None
    pdf: Path | None
    wait: float


@dataclass(frozen=True, slots=True)
class _Result:
    file: str
    id: str | None = None
    state: str | None = None
    receiver: str | None = None
    report_id: str | None = None
    repeated: bool = False
    error: str | None = None


async def send(settings: Settings, errand: Errand, *, yes: bool, as_json: bool) -> Exit:
    """Send every file, several at once, and tell what became of each.

    Args:
        settings: Account, platform, outbox and policies.
        errand: What is to be sent.
        yes: Send without asking.
        as_json: Print JSON.

    Raises:
        FiksmeldingError: The sender cannot be opened, or the only report cannot be sent.
    """
    if not yes and not (sys.stdin.isatty() and console.is_terminal):
        raise SettingsError("Nobody can be asked here whether to send.", advice="Give --yes.")
    async with Sender(settings) as sender:
        if not yes and not await _confirmed(sender, errand):
            console.print("Nothing was sent.")
            return Exit.PROBLEM
        results = await _send_all(sender, errand)
    if as_json:
        console.print_json(json.dumps([asdict(result) for result in results]))
    else:
        _show(results)
    fine = all(result.error is None and result.state not in FOR_A_PERSON for result in results)
    return Exit.FINE if fine else Exit.PROBLEM


async def _confirmed(sender: Sender, errand: Errand) -> bool:
    """Show what would be sent, and ask."""
    table = Table(title="To be sent")
    for name in ("file", "kind", "to", "to look at again"):
        table.add_column(name, overflow="fold")
    for file in errand.files:
        report = _read(file, errand)
        office = await sender.office(report, to=errand.to, district=errand.district)
        kind = " ".join(report.message_type.rsplit(".", 2)[1:])
        advice = "\n".join(dict.fromkeys(one.text for one in report.advice()))
        table.add_row(str(file), kind, office.name, advice)
    console.print(table)
    question = f"Send {len(errand.files)} report{'s' * (len(errand.files) > 1)}? [y/N] "
    return (await asyncio.to_thread(console.input, question, markup=False)).strip().lower() in {"y", "yes", "j", "ja"}


async def _send_all(sender: Sender, errand: Errand) -> Sequence[_Result]:
    if len(errand.files) == 1:
        # Whatever hinders the only one is told as an error is.
        kept: Sequence[tuple[Path, Sent | str]] = [(errand.files[0], await _send_one(sender, errand, 0))]
    else:
        kept = await _send_many(sender, errand)
    try:
        async with asyncio.timeout(errand.wait):
            while await sender.outbox.count(*UNSETTLED):
                await sender.change()
    except TimeoutError:
        pass  # they are durable, and go on later
    return [await _result(sender, file, what) for file, what in kept]


async def _send_many(sender: Sender, errand: Errand) -> Sequence[tuple[Path, Sent | str]]:
    kept: dict[int, Sent | str] = {}
    waiting = iter(range(len(errand.files)))
    columns = (TextColumn("sending"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=complaints, transient=True, disable=not complaints.is_terminal) as display:
        task = display.add_task("", total=len(errand.files))

        async def work() -> None:
            for number in waiting:
                try:
                    kept[number] = await _send_one(sender, errand, number)
                except (FiksmeldingError, OSError) as error:
                    kept[number] = str(error)
                display.advance(task)

        async with asyncio.TaskGroup() as tasks:
            for _ in range(AT_ONCE):
                tasks.create_task(work())
    return [(file, kept[number]) for number, file in enumerate(errand.files)]


async def _send_one(sender: Sender, errand: Errand, number: int) -> Sent:
    pdf = None if errand.pdf is None else await asyncio.to_thread(errand.pdf.read_bytes)
    report = await asyncio.to_thread(_read, errand.files[number], errand)
    key = None if errand.keys is None else errand.keys[number]
    return await sender.send(report, to=errand.to, district=errand.district, key=key, pdf=pdf)


async def _result(sender: Sender, file: Path, what: Sent | str) -> _Result:
    if isinstance(what, str):
        return _Result(str(file), error=what)
    outgoing = await sender.outbox.get(what.id)
    return _Result(
        str(file),
        outgoing.id,
        outgoing.state.value,
        outgoing.order.receiver,
        outgoing.report_id,
        what.repeated,
        outgoing.reason,
    )


def _read(file: Path, errand: Errand) -> Bekymringsmelding:
    message = parse_document(read_document(file, sys.stdin.buffer), errand.given_type)
    if isinstance(message, Feilmelding):
        raise FiksmeldingError(f"{file} is a feilmelding, not a report.")
    return message


def _show(results: Sequence[_Result]) -> None:
    table = Table()
    for name in ("file", "id", "state", "to", "error"):
        table.add_column(name, overflow="fold")
    for result in results:
        table.add_row(result.file, result.id or "", result.state or "", result.receiver or "", result.error or "")
    console.print(table)
    if any(result.state in UNSETTLED for result in results):
        console.print("What is QUEUED is kept; `fiksmelding outbox run` hands it over.", highlight=False)
