"""A Java program of interop/ beside the tests, told what to do line by line."""

import os
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Self

from support.tools import run, tool

END_SECONDS = 30


class JavaFailed(Exception):
    """The Java side answered with an error."""


class JavaProcess:
    """A program that answers each line, of words between tabs, by `ok` and a value, or by what went wrong.

    Args:
        command: How it is started.
    """

    def __init__(self, command: list[str]) -> None:
        self._command = command

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            encoding="utf-8",
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            self._process.communicate(timeout=END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()

    def ask(self, *words: object) -> str:
        """Give a command, and return the value it is answered with."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write("\t".join(str(word) for word in words) + "\n")
        self._process.stdin.flush()
        answer, _, value = self._process.stdout.readline().strip().partition(" ")
        if answer != "ok":
            raise JavaFailed(value or "the Java process ended")
        return value


def java_command(project: Path, main: str, *options: str) -> list[str]:
    """How a program of a Maven project is started; `build` comes before."""
    class_path = os.pathsep.join([str(project / "target" / "classes"), str(project / "target" / "lib" / "*")])
    return [tool("java"), "-Xmx1g", *options, "-cp", class_path, main]


def build(project: Path) -> None:
    """Compile a Maven project and fetch the libraries it stands on, where that is not done yet."""
    tool("java")
    run("mvn", "-q", "-B", "-f", project, "package")
