"""The `fiksmelding` command as its user has it: a process of its own."""

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

PATIENCE_SECONDS = 60


@dataclass(frozen=True)
class Ended:
    """What a finished command left."""

    status: int
    out: str
    complaints: str


async def command(*words: str | Path, data: bytes | None = None) -> Ended:
    """Run a command to its end."""
    process = await _start(*words)
    try:
        out, complaints = await asyncio.wait_for(process.communicate(data), PATIENCE_SECONDS)
    finally:
        await _end(process)
    assert process.returncode is not None
    return Ended(process.returncode, out.decode(), complaints.decode())


@asynccontextmanager
async def running(*words: str | Path) -> AsyncIterator[Process]:
    """A command that runs for the length of the block, then, unless it has ended, is asked to stop as services are."""
    process = await _start(*words)
    try:
        yield process
        if process.returncode is None:
            process.terminate()
        await asyncio.wait_for(process.communicate(), PATIENCE_SECONDS)
    finally:
        await _end(process)


async def _start(*words: str | Path) -> Process:
    program = [sys.executable, "-m", "fiksmelding", *map(str, words)]
    return await asyncio.create_subprocess_exec(*program, stdin=PIPE, stdout=PIPE, stderr=PIPE)


async def _end(process: Process) -> None:
    if process.returncode is None:
        process.kill()
        await process.wait()
