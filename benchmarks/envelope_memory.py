"""5 GB sealed and opened: the peak resident memory above an idle process with the same modules loaded.

Goal (issue 4): at most 64 MB. Each step runs in a process of its own, since a peak never goes down again. Needs 5 GB of
room in the temporary folder. `FIKSMELDING_BENCH_BYTES` makes it smaller.
"""

import hashlib
import io
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding

from fiksmelding.envelope import Signer, load_certificates, load_private_key, open_envelope, seal
from fiksmelding.simulator.pki import Authority

SIZE = int(os.environ.get("FIKSMELDING_BENCH_BYTES", "5000000000"))
GOAL_MB = 64
PART = 1024 * 1024


class Noise(io.RawIOBase):
    """A stream of `size` bytes that do not compress, made as it is read."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self._left = size
        self._part = os.urandom(PART + 1)
        self._turn = 0
        self.digest = hashlib.sha256()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]  # typeshed: any buffer
        size = min(len(buffer), self._left, PART)
        start = self._turn % (PART - size + 1)
        part = self._part[start : start + size]
        buffer[:size] = part
        self.digest.update(part)
        self._left -= size
        self._turn += 1
        return size


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def step(name: str, folder: Path) -> None:
    """What a process of its own does; prints seconds, peak and digest."""
    start = time.perf_counter()
    digest = ""
    key = load_private_key((folder / "key.pem").read_bytes())
    certificate = load_certificates((folder / "certificate.pem").read_bytes())[0]
    if name == "seal":
        source = Noise(SIZE)
        with (folder / "envelope").open("wb") as out:
            seal(
                {"stor.bin": io.BufferedReader(source)}, signer=Signer(key, certificate), recipient=certificate, out=out
            )
        digest = source.digest.hexdigest()
    elif name == "open":
        hashed = hashlib.sha256()
        with (
            (folder / "envelope").open("rb") as sealed,
            open_envelope(sealed, keys=[key]) as envelope,
            envelope.files["stor.bin"].open() as reader,
        ):
            while part := reader.read(PART):
                hashed.update(part)
        digest = hashed.hexdigest()
    print(time.perf_counter() - start, peak_mb(), digest)


def main() -> None:
    credential = Authority.new().business("964338531", "Mottaker")
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        (folder / "key.pem").write_bytes(credential.key_pem)
        (folder / "certificate.pem").write_bytes(credential.certificate.public_bytes(Encoding.PEM))
        results: dict[str, tuple[float, float, str]] = {}
        for name in ("idle", "seal", "open"):
            command = [sys.executable, "-m", "benchmarks.envelope_memory", name, temporary]
            printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
            words = printed.strip("\n").split(" ")
            results[name] = (float(words[0]), float(words[1]), words[2])
    idle = results["idle"][1]
    if results["seal"][2] != results["open"][2]:
        sys.exit("what was opened is not what was sealed")
    for name in ("seal", "open"):
        seconds, peak, _ = results[name]
        print(
            f"{SIZE / 1e9:.1f} GB, {name}: {peak - idle:.0f} MB above idle (goal {GOAL_MB}; idle {idle:.0f} MB), "
            f"{seconds:.0f} s, {SIZE / 1e6 / seconds:.0f} MB/s"
        )


if __name__ == "__main__":
    step(sys.argv[1], Path(sys.argv[2]))
