"""`make bench`: runs every benchmark, or those named on the command line, one after the other.

Each is a module of this package with a `main()` that prints its figures: ratios against a peer or a limit, measured in
the same run on the same machine. Absolute figures stand beside them for orientation only.
"""

import importlib
import pkgutil
import sys

import benchmarks


def names() -> list[str]:
    found = (module.name for module in pkgutil.iter_modules(benchmarks.__path__))
    return sorted(name for name in found if not name.startswith("_"))


def run(name: str) -> None:
    print(f"== {name}", flush=True)
    importlib.import_module(f"benchmarks.{name}").main()


if __name__ == "__main__":
    for chosen in sys.argv[1:] or names():
        run(chosen)
