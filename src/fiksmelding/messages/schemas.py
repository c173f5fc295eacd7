"""Where the XML schemas are: in the installed package, or in the checkout it runs from."""

from functools import cache
from importlib.resources import files
from pathlib import Path

from lxml import etree

__all__ = ["load_schema", "schema_folder"]


def schema_folder() -> Path:
    """The folder with the XSD files: inside the wheel, or at the top of the checkout."""
    packaged = Path(str(files("fiksmelding"))) / "schemas"
    return packaged if packaged.is_dir() else Path(__file__).resolve().parents[3] / "schemas"


@cache
def load_schema(name: str) -> etree.XMLSchema:
    """A compiled schema, which threads may share.

    Args:
        name: The file's name, such as `bekymringsmelding-v2.xsd`.
    """
    return etree.XMLSchema(file=str(schema_folder() / name))
