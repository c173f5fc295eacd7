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


@pytest.mark.parametrize("module", ["fiksmelding", "fiksmelding.cli"])
def test_neither_the_package_nor_its_command_loads_a_heavy_part_before_it_is_used(module: str) -> None:
    heavy = "aiohttp, aiormq, alembic, cryptography, lxml, pydantic, sqlalchemy, typst"
    program = f"import sys, {module}; print(*sorted({{*'{heavy}'.split(', ')}} & {{*sys.modules}}))"
    loaded = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout.split()
    assert loaded == []
