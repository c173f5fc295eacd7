"""The Norwegian pages, walked from a machine with nothing on it to a report, a restore and an upgrade."""

import json
import re
import shutil
import tarfile
import tomllib
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, load_pem_private_key, pkcs12
from cryptography.x509 import load_pem_x509_certificates

from fiksmelding.messages import MessageType
from fiksmelding.simulator import Keys, Simulator, SimulatorThread
from support.clean_machine import CleanMachine
from support.documentation import Page
from support.documents import ROOT, example
from support.rabbitmq import free_port
from support.released import Released, build
from support.tools import tool

pytestmark = [pytest.mark.package, pytest.mark.timeout(400)]

SETTING_UP = Page("docs/kommune/installere.md")
DAILY = Page("docs/kommune/drift.md")
PASSWORD = "et passord fra Buypass"
NEWER = "99.0.0"


@pytest.fixture
def fiks(keys: Keys, tmp_path: Path) -> Iterator[SimulatorThread]:
    """KS, as far as the municipality sees it."""
    with SimulatorThread(Simulator(folder=tmp_path / "fiks", keys=keys)) as running:
        yield running


@pytest.fixture
def constraints(tmp_path: Path, released: Released) -> Path:
    """What pip may install: the versions that we test with, and this version of ours until a newer one is out."""
    file = tmp_path / "constraints.txt"
    version = released.wheel.name.split("-")[1]
    file.write_text(f"{(ROOT / 'constraints.txt').read_text('utf-8')}fiksmelding=={version}\n", "utf-8")
    return file


@pytest.fixture
def machine(tmp_path: Path, released: Released, constraints: Path) -> Iterator[CleanMachine]:
    """The municipality's server."""
    tool("openssl")
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    shutil.copy(released.wheel, wheels)
    new = CleanMachine(tmp_path / "machine", wheels=wheels, constraints=constraints)
    yield new
    new.stop()


def hand_over(fiks: SimulatorThread, machine: CleanMachine) -> str:
    """What KS and the keyboard give: the account's key, password, ids and addresses; returns where it is monitored."""
    given = tomllib.loads(fiks.write_settings("bergen").read_text("utf-8"))
    folder = fiks.simulator.folder
    keys = machine.path("/etc/fiksmelding/keys")
    # The platform has a key of the account already; it stands for the one that the page makes and uploads.
    shutil.copy(folder / "bergen/private-key.pem", keys / "konto-2026/key.pem")
    shutil.copy(folder / "bergen/password.txt", keys / "integrasjonspassord")
    shutil.copy(folder / "roots.pem", keys)
    [written] = SETTING_UP.code("3.", "toml")
    ours = [given["account"]["id"], given["integration"]["id"], given["maskinporten"]["client_id"]]
    for shown, own in zip(re.findall(r'id = "([0-9a-f-]{36})"', written), ours, strict=True):
        written = written.replace(shown, own)
    issuer = f'[maskinporten]\nissuer = "{given["maskinporten"]["issuer"]}"'
    written = written.replace("[maskinporten]", issuer).replace("/var/lib", f"{machine.root}/var/lib")
    broker = f'host = "{given["broker"]["host"]}"\nport = {given["broker"]["port"]}\nca_file = "keys/roots.pem"'
    [canary], [metrics] = (
        [code for code in SETTING_UP.code("5.", "toml") if f"[{table}]" in code] for table in ("canary", "metrics")
    )
    monitored = f"127.0.0.1:{free_port()}"
    watched = metrics.replace("127.0.0.1:9464", monitored)
    addresses = f'[platform]\napi_url = "{given["platform"]["api_url"]}"\n\n[broker]\n{broker}\n'
    machine.path("/etc/fiksmelding/fiksmelding.toml").write_text(
        f"{written}\n{addresses}\n{canary}\n{watched}", "utf-8"
    )
    return monitored


def bought_certificate(folder: Path) -> bytes:
    """The business certificate as it is bought: key and certificate in one file, with a password."""
    key = load_pem_private_key((folder / "bergen/private-key.pem").read_bytes(), None)
    certificate, *chain = load_pem_x509_certificates((folder / "bergen/certificate.pem").read_bytes())
    protection = BestAvailableEncryption(PASSWORD.encode())
    return pkcs12.serialize_key_and_certificates(b"virksomhet", key, certificate, chain, protection)  # type: ignore[arg-type]


def report_arrives(fiks: SimulatorThread) -> None:
    report_id = fiks.submit(example(MessageType.PRIVAT_V2), message_type=MessageType.PRIVAT_V2)
    fiks.wait_for(report_id, "LEVERT", timeout=60)


def newer_version(released: Released, folder: Path, constraints: Path, wheels: Path) -> None:
    """Let a newer version come out."""
    with tarfile.open(released.source) as archive:
        archive.extractall(folder, filter="data")
    [source] = folder.iterdir()
    (source / "PKG-INFO").unlink()  # which would keep the old version
    (source / "src/fiksmelding/_version.py").write_text(f'__version__ = "{NEWER}"\n', "utf-8")
    build(source, wheels, "--wheel")
    constraints.write_text(re.sub("fiksmelding==.*", f"fiksmelding=={NEWER}", constraints.read_text("utf-8")), "utf-8")


def test_an_operator_comes_from_nothing_to_a_report_a_restore_and_an_upgrade_by_the_pages_alone(
    machine: CleanMachine, fiks: SimulatorThread, released: Released, constraints: Path, tmp_path: Path
) -> None:
    install, short_command = SETTING_UP.code("1.")
    machine.run(install)
    assert machine.run(short_command).startswith("fiksmelding ")

    account_key, business_certificate, look = SETTING_UP.code("2.")
    machine.run(account_key)
    fiks.write_settings("bergen")
    bought = machine.path("/etc/fiksmelding/keys/virksomhet.p12")
    bought.write_bytes(bought_certificate(fiks.simulator.folder))
    machine.type_in(business_certificate, PASSWORD)
    assert "is the private key of virksomhet.pem" in machine.run(look)

    monitored = hand_over(fiks, machine)
    [rights] = SETTING_UP.code("3.")
    told = machine.run(rights)
    assert "nobody-listening" in told
    assert "1 warning" in told

    [start] = SETTING_UP.code("6.")
    assert "active (running)" in machine.run(start)
    report_arrives(fiks)
    with urllib.request.urlopen(f"http://{monitored}/readyz") as ready:
        assert json.load(ready)["ready"] is True
    first, examine = SETTING_UP.code("7.")
    [name] = machine.run(first).split()
    assert (machine.path("/var/lib/fiksmelding/reports") / name / "bekymringsmelding.pdf").is_file()
    assert "warning" not in machine.run(examine)

    [each_day] = DAILY.code("Hver dag")
    timer, compare, *_ = DAILY.code("Avstemming")
    assert machine.run(each_day).startswith("active\n")
    machine.run(timer)
    assert "Nothing is missing." in machine.run(compare)

    [backup], [restore], [upgrade] = (DAILY.code(name) for name in ("Sikkerhetskopi", "Gjenopprette", "Oppgradere"))
    machine.run(backup)
    report_arrives(fiks)
    machine.run(restore)
    report_arrives(fiks)
    newer_version(released, tmp_path / "newer", constraints, tmp_path / "wheels")
    assert f"fiksmelding {NEWER}\nThe event log is whole." in machine.run(upgrade)
    report_arrives(fiks)

    [statistics] = DAILY.code("Statistikk")
    machine.run(statistics)
    assert len(machine.run(first).split()) == 4
    assert "Nothing is missing." in machine.run(compare)
    machine.stop()
    shown = [block for page in (SETTING_UP, DAILY) for block in page.blocks if block.language == "sh"]
    assert [str(block) for block in shown if block.code not in machine.ran and block.mark != "not run"] == []
    # What the service logs under ordinary circumstances is nothing: the page says so.
    assert (machine.root / "fiksmelding-receiver.log").read_text("utf-8") == ""
