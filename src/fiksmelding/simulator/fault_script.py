"""Faults in a TOML file or a call of the control API."""

import tomllib
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError

from fiksmelding.errors import SettingsError
from fiksmelding.simulator.faults import HttpFault, MessageFault
from fiksmelding.simulator.incidents import INCIDENTS

__all__ = ["FaultScript"]


def _known_incident(name: str) -> str:
    if name not in INCIDENTS:
        raise ValueError(f"there is no incident of that name; there are {', '.join(INCIDENTS)}")
    return name


class FaultScript(BaseModel):
    """Faults in a file: `[[http]]` and `[[message]]` tables with the attributes of both, and names of incidents.

    Attributes:
        incidents: Names of `fiksmelding.simulator.incidents`.
        http: Faults of calls.
        message: Faults of messages.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    incidents: tuple[Annotated[str, AfterValidator(_known_incident)], ...] = ()
    http: tuple[HttpFault, ...] = ()
    message: tuple[MessageFault, ...] = ()

    @property
    def faults(self) -> tuple[HttpFault | MessageFault, ...]:
        """All of them, in the order of the attributes."""
        of_incidents = (fault for name in self.incidents for fault in INCIDENTS[name].faults)
        return (*of_incidents, *self.http, *self.message)

    @classmethod
    def load(cls, path: Path) -> "FaultScript":
        """Read a TOML file.

        Raises:
            SettingsError: It cannot be read, or is no script of faults.
        """
        try:
            return cls.model_validate(tomllib.loads(path.read_text("utf-8")))
        except OSError as error:
            raise SettingsError(f"{path} cannot be read: {error.strerror}.") from error
        except (tomllib.TOMLDecodeError, UnicodeDecodeError, ValidationError) as error:
            raise SettingsError(f"{path} is no script of faults: {error}") from error
