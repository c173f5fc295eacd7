"""Stands in for systemctl where systemd does not run: what a unit says is started and stopped, as a process of its own.

`python systemctl.py ROOT COMMAND…`, where ROOT is the folder that stands in for `/`.
"""

import configparser
import os
import select
import shlex
import signal
import subprocess
import sys
from pathlib import Path

PLACES = (
    "/opt/fiksmelding",
    "/etc/fiksmelding",
    "/etc/systemd/system",
    "/usr/local/bin",
    "/var/backups/fiksmelding",
    "/var/lib/fiksmelding",
)
"""What the pages write to."""


def below(root: Path, text: str) -> str:
    """The same text, with every place below another root."""
    for place in PLACES:
        text = text.replace(place, f"{root}{place}")
    return text


class Units:
    """The units in `/etc/systemd/system`."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._folder = root / "etc/systemd/system"

    def enable(self, name: str) -> None:
        """Start it now; a timer's service runs once, as it will on the first morning."""
        if name.endswith(".timer"):
            self._service(name.removesuffix(".timer"), wait=True)
        else:
            self.start(name)

    def start(self, name: str) -> None:
        """Start a service."""
        process = self._service(name, wait=False)
        self._pid_file(name).write_text(str(process.pid), "utf-8")

    def stop(self, name: str) -> None:
        """Stop it in order, and wait for its end; one that is not there is no mistake."""
        file = self._pid_file(name)
        if not file.exists():
            return
        end = os.pidfd_open(int(file.read_text("utf-8")))
        signal.pidfd_send_signal(end, signal.SIGTERM)
        ended, _, _ = select.select([end], [], [], float(self._unit(name)["TimeoutStopSec"]))
        if not ended:
            raise SystemExit(f"{name} did not stop in time.")
        file.unlink()

    def active(self, name: str) -> bool:
        """Whether it runs."""
        return self._pid_file(name).exists() and self._alive(int(self._pid_file(name).read_text("utf-8")))

    def _service(self, name: str, *, wait: bool) -> "subprocess.Popen[bytes]":
        unit = self._unit(name)
        with (self._root / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(
                shlex.split(below(self._root, unit["ExecStart"])),
                cwd=below(self._root, unit["WorkingDirectory"]),
                umask=int(unit["UMask"], 8),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        if wait and process.wait() != 0:
            raise SystemExit(f"{name} ended with {process.returncode}.")
        return process

    def _unit(self, name: str) -> configparser.SectionProxy:
        parser = configparser.ConfigParser(strict=False, interpolation=None)
        parser.optionxform = str  # type: ignore[assignment,method-assign]
        parser.read(self._folder / f"{name}.service", "utf-8")
        return parser["Service"]

    def _pid_file(self, name: str) -> Path:
        return self._root / f"{name}.pid"

    def _alive(self, pid: int) -> bool:
        ended, _, _ = select.select([os.pidfd_open(pid)], [], [], 0)
        return not ended


def main(root: Path, words: list[str]) -> None:
    """Do what the words say."""
    units = Units(root)
    match words:
        case ["daemon-reload"]:
            pass
        case ["enable", "--now", name]:
            units.enable(name)
        case ["start", name]:
            units.start(name)
        case ["stop", name]:
            units.stop(name)
        case ["is-active" | "status" as asked, name]:
            active = units.active(name)
            detail = " (running)" if active and asked == "status" else ""
            sys.stdout.write(f"{'active' if active else 'inactive'}{detail}\n")
            raise SystemExit(0 if active else 3)
        case _:
            raise SystemExit(f"systemctl {shlex.join(words)} is not known here.")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
