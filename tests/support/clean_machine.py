"""A machine with nothing on it, for those who follow a page to the letter.

Its root is a folder, and what only an administrator or systemd can do is done by stand-ins; all else is what is
installed here. Commands are those of the page, to the letter, but for the places that they name.
"""

import os
import shlex
import subprocess
import sys
from pathlib import Path

from support import systemctl
from support.tools import tool

STAND_INS = {
    "useradd": "exit 0",
    "chown": "exit 0",
    # runuser -u USER -- PROGRAM…
    "runuser": 'shift 3; exec "$@"',
    "python3": f'exec {shlex.quote(sys.executable)} "$@"',
    # Nobody here but ourselves can own what is made.
    "install": """
words=()
while [ $# -gt 0 ]; do
  case "$1" in -o|-g) shift 2 ;; *) words+=("$1"); shift ;; esac
done
exec /usr/bin/install "${words[@]}"
""",
}


class CleanMachine:
    """Runs the blocks of a page.

    Args:
        root: What stands in for `/`.
        wheels: A folder with what pip is to find there, before it asks elsewhere.
        constraints: What pip may install, a file.

    Attributes:
        ran: The blocks that were run, as they stand on the page.
    """

    def __init__(self, root: Path, *, wheels: Path, constraints: Path) -> None:
        self.root = root
        self.ran: list[str] = []
        programs = root / "stand-ins"
        stand_ins = STAND_INS | {
            "systemctl": f'exec {shlex.join([sys.executable, systemctl.__file__, str(root)])} "$@"'
        }
        for place in (*systemctl.PLACES, "/var/lib", "/var/backups", "/stand-ins"):
            # What the page makes is not there yet.
            (root / place.lstrip("/")).parent.mkdir(parents=True, exist_ok=True)
        for place in ("etc/systemd/system", "usr/local/bin", "stand-ins"):
            (root / place).mkdir(parents=True, exist_ok=True)
        for name, body in stand_ins.items():
            (programs / name).write_text(f"#!/bin/bash\n{body}\n", "utf-8")
            (programs / name).chmod(0o755)
        kept = {
            name: value for name, value in os.environ.items() if not name.startswith(("COVERAGE", "PYTHON", "FIKS"))
        }
        self._environment = kept | {
            "PATH": os.pathsep.join([str(programs), str(root / "usr/local/bin"), os.environ["PATH"]]),
            "PIP_FIND_LINKS": str(wheels),
            "PIP_CONSTRAINT": str(constraints),
            "PIP_NO_COMPILE": "1",
            "PIP_QUIET": "1",
        }

    def path(self, place: str) -> Path:
        """Where an absolute path of the page is."""
        return self.root / place.lstrip("/")

    def run(self, block: str) -> str:
        """Run a block, and return what it printed; a failure shows its complaints."""
        self.ran.append(block)
        return self._bash(block, "")

    def type_in(self, block: str, answer: str) -> None:
        """Run a block line by line, giving the same answer to what each asks."""
        self.ran.append(block)
        setting_out, *lines = block.splitlines()
        for line in lines:
            self._bash(f"{setting_out}\n{line}", f"{answer}\n")

    def stop(self) -> None:
        """Stop the service, if it runs."""
        self.run("systemctl stop fiksmelding-receiver")

    def _bash(self, block: str, typed: str) -> str:
        done = subprocess.run(
            [tool("bash"), "-euc", systemctl.below(self.root, block)],
            cwd=self.root,
            env=self._environment,
            input=typed,
            capture_output=True,
            text=True,
            check=False,
            start_new_session=True,  # no terminal: who asks for a password reads it from standard input
        )
        assert done.returncode == 0, f"{block}\n{done.stdout}\n{done.stderr}"
        return done.stdout
