"""The folder handler: each report becomes a folder of files, complete or not there at all."""

import asyncio
import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from uuid import uuid4

from fiksmelding.files import sync_folder
from fiksmelding.receiver.report import Registered, Report

JSON_NAME = "bekymringsmelding.json"
XML_NAME = "bekymringsmelding.xml"
PDF_NAME = "bekymringsmelding.pdf"
ABOUT_NAME = "report.json"


class FolderHandler:
    """Stores each report as a folder `<report id>/` with the report as JSON, XML and PDF, and `report.json` about it.

    A folder is written under a temporary name, synced to disk, and renamed: whoever sees it sees all of it. A report
    that is there already is not written again.

    Args:
        folder: Where the folders go; made when absent. It holds personal data: give it to the case worker alone.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def __call__(self, report: Report) -> Registered:
        """Store a report; returns when it is on disk.

        Raises:
            OSError: It could not be stored; nothing of it is left.
        """
        files = await _files_of(report)
        return Registered(reference=await asyncio.to_thread(self._store, report, files))

    async def confirm(self, reference: str, report: Report) -> bool:
        """Read back: whether the folder is there with every file as it should be."""
        files = await _files_of(report)
        return await asyncio.to_thread(_holds, self._folder / reference, files)

    def _store(self, report: Report, files: Mapping[str, bytes]) -> str:
        self._folder.mkdir(parents=True, exist_ok=True)
        # A second name for the rare case that the first is taken by another report.
        for name in (report.id, f"{report.id}-{report.melding_id}"):
            target = self._folder / name
            if not target.exists():
                self._write(target, files)
                return name
            if _holds(target, files):
                return name
        raise FileExistsError(f"the folder of report {report.id} holds another report")

    def _write(self, target: Path, files: Mapping[str, bytes]) -> None:
        partial = self._folder / f".{target.name}.{uuid4().hex}.partial"
        partial.mkdir(mode=0o700)
        try:
            for name, content in files.items():
                _write_synced(partial / name, content)
            sync_folder(partial)
            partial.rename(target)
        except BaseException:
            shutil.rmtree(partial, ignore_errors=True)
            raise
        sync_folder(self._folder)


async def _files_of(report: Report) -> dict[str, bytes]:
    found = {
        JSON_NAME: await report.json(),
        XML_NAME: await asyncio.to_thread(report.message.to_xml) if report.message is not None else None,
        PDF_NAME: await report.pdf(),
    }
    files = {name: content for name, content in found.items() if content is not None}
    return {**files, ABOUT_NAME: _about(report, files)}


def whole_reports(folder: Path) -> Iterator[str]:
    """The references of the reports in a folder of `FolderHandler` that have every file, as long as it was written.

    Blocks.

    Raises:
        OSError: The folder cannot be read.
    """
    with os.scandir(folder) as found:
        for entry in found:
            if not entry.name.startswith(".") and entry.is_dir() and _is_whole(Path(entry.path)):
                yield entry.name


def _is_whole(folder: Path) -> bool:
    try:
        listed = json.loads((folder / ABOUT_NAME).read_bytes())["files"]
        return all((folder / name).stat().st_size == facts["bytes"] for name, facts in listed.items())
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return False  # whatever is wrong with it: it is not what was written there


def _about(report: Report, files: Mapping[str, bytes]) -> bytes:
    listed = {name: {"bytes": len(data), "sha256": _digest(data)} for name, data in files.items()}
    return json.dumps(about(report) | {"files": listed}, ensure_ascii=False, indent=2).encode() + b"\n"


def about(report: Report) -> dict[str, object]:
    """What is known about a report beside its content; nothing that changes from one attempt to the next."""
    return {
        "id": report.id,
        "melding_id": report.melding_id,
        "melding_type": report.melding_type,
        "structured": report.structured,
        "problems": [{"path": problem.path, "reason": problem.reason} for problem in report.problems],
        "received_at": report.received_at.isoformat(),
        "signer": {
            "name": report.signer.name,
            "organisation_number": report.signer.organisation_number,
            "trusted": report.signer.verdict.trusted,
            "findings": list(report.signer.verdict.reasons),
        },
    }


def _holds(folder: Path, files: Mapping[str, bytes]) -> bool:
    """Whether the folder is complete and holds this report.

    The report itself is compared, not what is told about it: a resend has other metadata and perhaps a new PDF.
    """
    if not (folder / ABOUT_NAME).is_file():
        return False
    name = JSON_NAME if JSON_NAME in files else PDF_NAME
    try:
        stored = (folder / name).read_bytes()
    except FileNotFoundError:
        return False
    return stored == files[name]


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _write_synced(path: Path, content: bytes) -> None:
    with path.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
