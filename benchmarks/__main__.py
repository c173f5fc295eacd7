"""`make bench`: runs the quick benchmarks, or those named on the command line, one after the other.

Each is a module of this package with a `main()` that prints its figures: ratios against a peer or a limit, measured in
the same run on the same machine. Absolute figures stand beside them for orientation only. One that takes long says
`BY_NAME_ONLY = True` and runs only by its name; numbers on the command line are its parameters.
"""

import importlib
import pkgutil
import sys

import benchmarks


def names() -> list[str]:
    found = (module.name for module in pkgutil.iter_modules(benchmarks.__path__))
    return sorted(name for name in found if not name.startswith("_"))


def run(name: str, *, by_name: bool) -> None:
    module = importlib.import_module(f"benchmarks.{name}")
    if by_name or not getattr(module, "BY_NAME_ONLY", False):
        print(f"== {name}", flush=True)
        module.main()


if __name__ == "__main__":
    chosen = [word for word in sys.argv[1:] if not word.isdecimal()]
    for one in chosen or names():
        run(one, by_name=bool(chosen))
