"""Files that outlive a power failure."""

import os
from pathlib import Path

__all__ = ["sync_folder"]


def sync_folder(folder: Path) -> None:
    """Let new names in a folder outlive a power failure. Blocks.

    Raises:
        OSError: It cannot be done.
    """
    if os.name == "nt":
        return  # Windows keeps names by itself, and opens no folder.
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
