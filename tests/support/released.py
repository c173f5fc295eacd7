"""What is released, and an environment in which nothing else is installed."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Released:
    """The two files that a release consists of."""

    wheel: Path
    source: Path


@dataclass(frozen=True)
class Installed:
    """A virtual environment with the wheel in it, and nothing of the checkout."""

    folder: Path

    @property
    def programs(self) -> Path:
        """Where its programs are."""
        return self.folder / ("Scripts" if os.name == "nt" else "bin")

    def run(self, *command: str | Path, folder: Path, data: str | None = None) -> str:
        """Run one of its programs in a folder, and return what it printed; a failure shows its complaints."""
        program = self.programs / command[0]
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("COVERAGE", "PYTHON"))}
        done = subprocess.run(
            [program, *command[1:]],
            cwd=folder,
            env=environment,
            input=data,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
        return done.stdout


def build(source: Path, to: Path, *kinds: str) -> None:
    """Build from a folder, with what is installed here."""
    command = [sys.executable, "-m", "build", *kinds, "--no-isolation", "--outdir", str(to), str(source)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
