"""Programs from outside that some tests run: skipped with a line where they are missing, required in CI."""

import os
import shutil
import subprocess

import pytest

HOW_TO_GET = {
    "openssl": "apt install openssl",
    "unzip": "apt install unzip",
    "xmllint": "apt install libxml2-utils",
    "pdftotext": "apt install poppler-utils",
    "java": "apt install default-jdk-headless",
    "mvn": "apt install maven",
    "bash": "apt install bash",
    "chromium": "apt install chromium",
    "chromedriver": "apt install chromium-driver",
    "systemd-analyze": "apt install systemd",
    "promtool": "apt install prometheus",
}


def required() -> bool:
    """Whether a missing service or program fails the run: so it is in CI."""
    return os.environ.get("FIKSMELDING_REQUIRE_SERVICES") == "1"


def tool(name: str) -> str:
    """The path of the program `name`."""
    path = shutil.which(name)
    if path is None:
        text = f"{name} is not installed; to run this test: {HOW_TO_GET[name]}"
        if required():
            pytest.fail(text)
        pytest.skip(text)
    return path


def run(*command: str | os.PathLike[str], data: bytes | None = None) -> bytes:
    """Run a program and return what it printed; a failure shows what it complained of."""
    done = subprocess.run([tool(str(command[0])), *command[1:]], input=data, capture_output=True, check=False)
    assert done.returncode == 0, f"{command[0]} ended with {done.returncode}: {done.stderr.decode(errors='replace')}"
    return done.stdout
