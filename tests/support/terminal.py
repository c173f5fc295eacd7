"""Someone with a folder and terminals, who types what a page says."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from support.tools import tool


class Terminal:
    """Runs blocks of a page in a folder.

    Args:
        folder: Where it is.
        stack: What ends that which was left running.
    """

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self._folder = folder
        self._stack = stack

    @property
    def _environment(self) -> dict[str, str]:
        # The virtual environment that a page makes is the one that runs this test.
        path = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
        return os.environ | {"PATH": path, "COLUMNS": "200"}

    def run(self, block: str) -> str:
        """Run a block to its end, and return what it printed; a failure shows its complaints."""
        done = subprocess.run(
            [tool("bash"), "-euc", block],
            cwd=self._folder,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def leave_running(self, block: str, *, until: str) -> "subprocess.Popen[str]":
        """Start it in a terminal of its own, and wait for a line that begins so."""
        process = subprocess.Popen(
            [tool("bash"), "-euc", f"exec {block.strip()}"],
            cwd=self._folder, env=self._environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        self._stack.callback(_end, process)
        assert process.stdout is not None
        said = []
        for line in process.stdout:
            said.append(line)
            if line.startswith(until):
                return process
        raise AssertionError("".join(said))


@contextmanager
def terminal(folder: Path) -> Iterator[Terminal]:
    """Terminals in a folder; what still runs at the end is stopped."""
    with ExitStack() as stack:
        yield Terminal(folder, stack)


def _end(process: "subprocess.Popen[str]") -> None:
    process.terminate()
    process.communicate()
