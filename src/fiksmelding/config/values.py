"""What a value of the settings may be: paths beside the file, addresses, secrets."""

import re
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, ValidationInfo

from fiksmelding.errors import SettingsError

SQLITE_PREFIX = "sqlite:///"
NAME_AND_PORT = re.compile(r"(?P<name>\[[0-9a-fA-F:.]+\]|[^\s:/@?#\[\]]+)(:(?P<port>\d{1,5}))?")


def _beside_the_file(path: Path, info: ValidationInfo) -> Path:
    folder = (info.context or {}).get("folder")
    return path if folder is None else folder / path


def _sqlite_beside_the_file(url: str, info: ValidationInfo) -> str:
    if not url.startswith(SQLITE_PREFIX):
        return url
    return SQLITE_PREFIX + _beside_the_file(Path(url.removeprefix(SQLITE_PREFIX)), info).as_posix()


def host_and_port(text: str, port: int) -> tuple[str, int]:
    """The parts of `name` or `name:port`; the port is `port` when the text has none."""
    found = NAME_AND_PORT.fullmatch(text)
    if found is None or not 1 <= int(found["port"] or port) <= 65535:
        raise ValueError("not a name, or name:port")
    return found["name"].strip("[]"), int(found["port"] or port)


def _name_with_or_without_port(text: str) -> str:
    host_and_port(text, 1)
    return text


def _name_with_port(text: str) -> str:
    try:
        host_and_port(text, 0)
    except ValueError:
        raise ValueError("not name:port") from None
    return text


FilePath = Annotated[Path, AfterValidator(_beside_the_file)]
Address = Annotated[str, AfterValidator(_name_with_or_without_port)]
"""`name` or `name:port`."""
AddressWithPort = Annotated[str, AfterValidator(_name_with_port)]
"""`name:port`."""
JournalUrl = Annotated[
    str, Field(pattern=r"^(sqlite:///.+|postgres(ql)?://.+)"), AfterValidator(_sqlite_beside_the_file)
]


class Table(BaseModel):
    """A table of the settings: immutable, and without any key that is not described."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def secret(given: SecretStr | None, file: Path | None, name: str) -> SecretStr:
    """A secret, from where it is kept.

    Args:
        given: The secret itself, if it is in the settings.
        file: The file that holds it otherwise; white space at its end is dropped.
        name: What to set where there is neither.

    Raises:
        SettingsError: It is given nowhere, or its file cannot be read.
    """
    if given is not None:
        return given
    if file is None:
        raise SettingsError(f"There is no secret: set {name}.")
    try:
        return SecretStr(file.read_text("utf-8").rstrip())
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{name} cannot be read: {error.__class__.__name__}.") from error


def optional_secret(given: SecretStr | None, file: Path | None, name: str) -> SecretStr | None:
    """A secret, from where it is kept; None when it is given nowhere. Arguments and errors as for `secret`."""
    return None if given is None and file is None else secret(given, file, name)
