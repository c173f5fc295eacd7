"""A disk that is really full: a small file system in memory, or, where none may be mounted, a limit of the system's."""

import resource
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SIZE = 6_000_000
FILLER = 4_500_000


class SmallDisk:
    """Room for six megabytes, of which most is taken until `make_room`.

    Attributes:
        folder: Where the room is.
        mounted: Whether it is a file system of its own.
    """

    def __init__(self, folder: Path, *, mounted: bool) -> None:
        self.folder = folder
        self._filler = folder / "filler"
        self.mounted = mounted
        if mounted:
            self._filler.write_bytes(b"0" * FILLER)

    def make_room(self) -> None:
        """Let more be written."""
        if self.mounted:
            self._filler.unlink()
        else:
            _limit_files(resource.getrlimit(resource.RLIMIT_FSIZE)[1])


@contextmanager
def small_disk(folder: Path, *, may_mount: bool = True) -> Iterator[SmallDisk]:
    """A full disk in `folder`.

    Args:
        folder: Where it is to be; made when absent.
        may_mount: Whether to try a file system of its own. Without, or where that is not allowed, no file can grow
            beyond the limit that the system sets for this process: the write is refused by the system all the same.
    """
    folder.mkdir(exist_ok=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "none", str(folder)]
    if may_mount and subprocess.run(mount, check=False, capture_output=True).returncode == 0:
        try:
            yield SmallDisk(folder, mounted=True)
        finally:
            subprocess.run(["umount", "--lazy", folder], check=True)
        return
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    _limit_files(SIZE - FILLER)
    try:
        yield SmallDisk(folder, mounted=False)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def _limit_files(size: int) -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
