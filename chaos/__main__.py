"""`make chaos`: one run; exit status 1 if a report was lost, doubled in silence, answered too early or not at all."""

import argparse
import asyncio
import logging
import shutil
import sys
import tempfile
from pathlib import Path

import pytest

from chaos.narrator import Narrator
from chaos.plan import Options
from chaos.running import Outcome, run
from chaos.telling import closing_line, complaints
from fiksmelding.cli.signals import on_stop_signal

REPORTS_PER_MINUTE = 150
ENDED_EARLY = 130


def _options(words: argparse.Namespace) -> Options:
    processes = words.senders if words.side == "sender" else words.receivers
    return Options(
        reports=words.reports,
        minutes=words.reports / REPORTS_PER_MINUTE if words.minutes is None else words.minutes,
        seed=words.seed,
        side=words.side,
        processes=processes or (1 if words.journal == "sqlite" else 3),
        journal=words.journal,
        broker=words.broker,
        faults=words.faults,
        broken=words.broken,
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m chaos", description=__doc__)
    parser.add_argument("--reports", type=int, default=300, help="how many reports arrive")
    parser.add_argument("--minutes", type=float, help="in how many minutes; as many as are comfortable when not given")
    parser.add_argument("--seed", type=int, default=1, help="what is drawn from: the same seed, the same faults")
    parser.add_argument("--faults", type=int, help="how many faults; as many as befit the reports when not given")
    parser.add_argument("--side", choices=["receiver", "sender"], default="receiver", help="who is put to the test")
    parser.add_argument("--receivers", type=int, help="how many receivers; SQLite serves one")
    parser.add_argument("--senders", type=int, help="how many senders; on SQLite one at a time hands over")
    parser.add_argument("--journal", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--broker", choices=["embedded", "rabbitmq"], default="embedded")
    parser.add_argument("--folder", type=Path, help="where everything is kept; a temporary folder when not given")
    parser.add_argument("--broken", action="store_true", help="with what answers too early: must fail")
    return parser


def main() -> int:
    """Returns the exit status."""
    parser = _parser()
    words = parser.parse_args()
    options = _options(words)
    if options.side == "receiver" and options.journal == "sqlite" and options.processes != 1:
        parser.error("a SQLite journal serves one receiver")
    if options.side == "sender" and options.broker != "embedded":
        parser.error("senders have no broker")
    wanted: Path | None = words.folder
    folder = wanted or Path(tempfile.mkdtemp(prefix="fiksmelding-chaos-"))
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        parser.error(f"{folder} is not empty: the records of two runs would be taken for one")
    folder.chmod(0o755)  # PostgreSQL, which is another user when we are root, has to come through
    logging.basicConfig(filename=folder / "platform.log", format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    with Narrator(folder / "run.log") as narrator:
        try:
            outcome = asyncio.run(_run(options, folder.resolve(), narrator))
        except asyncio.CancelledError:
            narrator.tell("ended before its end, with all that it had started")
            return ENDED_EARLY
        except (pytest.skip.Exception, pytest.fail.Exception) as missing:
            parser.error(str(missing))
        _tell(outcome, folder, narrator)
    if outcome.fine and wanted is None:
        shutil.rmtree(folder, ignore_errors=True)
    return 0 if outcome.fine else 1


async def _run(options: Options, folder: Path, narrator: Narrator) -> Outcome:
    """Run; whoever ends it, with Ctrl-C or SIGTERM, ends with it what it has started."""
    running = asyncio.ensure_future(run(options, folder, narrator))

    def end() -> None:
        if not running.cancelling():  # who asks twice must not break off what puts things in order
            running.cancel()

    on_stop_signal(end)
    return await running


def _tell(outcome: Outcome, folder: Path, narrator: Narrator) -> None:
    for line in complaints(outcome, folder):
        narrator.tell(line)
    print(closing_line(outcome))  # noqa: T201 - the command's result


if __name__ == "__main__":
    sys.exit(main())
