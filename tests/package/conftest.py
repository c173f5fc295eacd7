"""What is released, built once, and installed once into an environment of its own (make package)."""

import venv

import pytest

from support.documents import ROOT
from support.released import Installed, Released, build


@pytest.fixture(scope="session")
def released(tmp_path_factory: pytest.TempPathFactory) -> Released:
    """The wheel and the source distribution, both built from the checkout."""
    folder = tmp_path_factory.mktemp("released")
    build(ROOT, folder, "--sdist", "--wheel")
    [wheel], [source] = folder.glob("*.whl"), folder.glob("*.tar.gz")
    return Released(wheel, source)


@pytest.fixture(scope="session")
def installed(released: Released, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """The wheel where a user has it, with the versions of what it needs that we test with."""
    new = Installed(tmp_path_factory.mktemp("installed") / "venv")
    venv.create(new.folder, with_pip=True)
    wanted = f"fiksmelding[simulator,postgres] @ {released.wheel.as_uri()}"
    install = ["install", "--quiet", "--no-compile", "--constraint", str(ROOT / "constraints.txt"), wanted]
    new.run("python", "-m", "pip", *install, folder=ROOT.parent)
    return new
