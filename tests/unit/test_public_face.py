import importlib
import subprocess
import sys

import pytest

import fiksmelding
from fiksmelding import errors


@pytest.mark.parametrize(
    "package", ["fiksmelding", "fiksmelding.messages", "fiksmelding.envelope", "fiksmelding.simulator"]
)
def test_every_public_name_is_there_and_the_list_is_sorted(package: str) -> None:
    module = importlib.import_module(package)
    names: list[str] = module.__all__
    assert [name for name in names if not hasattr(module, name)] == []
    assert sorted(names, key=_as_ruff_sorts) == names
    assert len(set(names)) == len(names)


def _as_ruff_sorts(name: str) -> tuple[int, str]:
    kind = 0 if name.isupper() else 1 if name[0].isupper() else 2
    return kind, name


def test_every_error_is_public() -> None:
    assert set(errors.__all__) <= set(fiksmelding.__all__)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="Reciever"):
        fiksmelding.Reciever  # noqa: B018


def test_importing_the_package_loads_none_of_the_heavy_parts() -> None:
    heavy = "aiohttp, aiormq, sqlalchemy, lxml, pydantic, typst"
    program = f"import sys, fiksmelding; sys.exit(any(name in sys.modules for name in '{heavy}'.split(', ')))"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
