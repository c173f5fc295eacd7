"""Where the XML schemas are: in the installed package, or in the checkout it runs from."""

import threading
from importlib.resources import files
from pathlib import Path

from lxml import etree

__all__ = ["load_schema", "schema_folder"]


def schema_folder() -> Path:
    """The folder with the XSD files: inside the wheel, or at the top of the checkout."""
    packaged = Path(str(files("fiksmelding"))) / "schemas"
    return packaged if packaged.is_dir() else Path(__file__).resolve().parents[3] / "schemas"


class _Loaded(threading.local):
    """Compiled schemas by name. Each thread has its own: a schema keeps the errors of its latest validation."""

    def __init__(self) -> None:
        self.by_name: dict[str, etree.XMLSchema] = {}


_loaded = _Loaded()


def load_schema(name: str) -> etree.XMLSchema:
    """A compiled schema, for use in the thread that asked for it.

    Args:
        name: The file's name, such as `bekymringsmelding-v2.xsd`.
    """
    if name not in _loaded.by_name:
        _loaded.by_name[name] = etree.XMLSchema(file=str(schema_folder() / name))
    return _loaded.by_name[name]
