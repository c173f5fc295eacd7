"""Functions of the user's own, named on the command line."""

import importlib
import sys
from collections.abc import Callable
from pathlib import Path

from fiksmelding.errors import SettingsError


def function_named(name: str, option: str) -> Callable[..., object]:
    """The function `module:function`, from what is installed or from the present folder.

    Args:
        name: Its module and name; a dot leads into an object, as in `handlers:case_system.register`.
        option: The option that names it, for what is told when there is none.

    Raises:
        SettingsError: There is no such function.
    """
    module_name, colon, path = name.partition(":")
    if not (module_name and colon and path):
        raise SettingsError(f"{option} is written module:function.")
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    try:
        found: object = importlib.import_module(module_name)
        for part in path.split("."):
            found = getattr(found, part)
    except ImportError as error:
        raise SettingsError(f"{option}: {error}.") from error
    except AttributeError as error:
        raise SettingsError(f"{option}: there is no {path} in {module_name}.") from error
    if not callable(found):
        raise SettingsError(f"{option}: {name} is no function.")
    return found
