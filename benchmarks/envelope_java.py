"""Envelopes beside KS's Java libraries: same machine, same files, in turns, both warmed up.

Goals (issue 4): a 30 KB report opens in at most a third of Java's time and seals in at most half; 100 MB is verified
and then read out at 2.5 times Java's rate or better, and sealed at 3 times or better. Java hands content out unverified
in one pass; we verify all of it first and then read it once more.

Java's compiler needs some thousand envelopes until it has made the code as fast as it gets, so that many go before.
Below each ratio stands how much of OpenSSL's own limit is reached: what the primitives alone take, one after the
other, of what the whole takes, both in processor time.
"""

import hashlib
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from fiksmelding.envelope import open_envelope, seal
from fiksmelding.simulator.pki import Authority, Credential
from support.envelopes import noise, signer
from support.java_peer import JavaPeer, java_peer

PART = 1024 * 1024
OAEP = padding.OAEP(mgf=padding.MGF1(hashes.SHA256()), algorithm=hashes.SHA256(), label=None)


class Measure:
    """Takes times in turns, a block of each, and compares medians: what else the machine does disturbs both alike."""

    def __init__(self, *, blocks: int, block: int, warm_up: int) -> None:
        self._blocks = blocks
        self._block = block
        self._warm_up = warm_up

    def medians(self, java: Callable[[], float], ours: Callable[[], float]) -> tuple[float, float]:
        """Median milliseconds of Java and of ours."""
        times: tuple[list[float], list[float]] = ([], [])
        for action in (java, ours):
            for _ in range(self._warm_up):
                action()
        for _ in range(self._blocks):
            for action, taken in zip((java, ours), times, strict=True):
                taken.extend(action() for _ in range(self._block))
        return statistics.median(times[0]), statistics.median(times[1])


def milliseconds(action: Callable[[], object]) -> float:
    start = time.perf_counter()
    action()
    return (time.perf_counter() - start) * 1000


def open_and_read(path: Path, credential: Credential) -> None:
    with path.open("rb") as source, open_envelope(source, keys=[credential.key]) as envelope:
        for file in envelope.files.values():
            with file.open() as reader:
                while reader.read(PART):
                    pass


def seal_files(files: list[Path], out: Path, sender: Credential, recipient: Credential) -> None:
    with out.open("wb") as sink:
        streams = {file.name: file.open("rb") for file in files}
        try:
            seal(streams, signer=signer(sender), recipient=recipient.certificate, out=sink)
        finally:
            for stream in streams.values():
                stream.close()


def report(peer: JavaPeer, folder: Path, sender: Credential, recipient: Credential) -> None:
    files = [folder / "bekymringsmelding.json", folder / "bekymringsmelding.pdf"]
    files[0].write_bytes(b'{"melding": "lorem ipsum"}' * 80)
    files[1].write_bytes(noise(30_000))
    theirs, ours = folder / "java.cms", folder / "ours.cms"
    private, public = rsa_limits(recipient)
    seal_ours = partial(seal_files, files, ours, sender, recipient)
    java, us = Measure(blocks=12, block=25, warm_up=300).medians(
        lambda: peer.seal(files, theirs), lambda: milliseconds(seal_ours)
    )
    show("30 KB report sealed", java, us, goal=2)
    show_share("RSA private and public operation", private + public, processor_time(seal_ours, times=300))
    measure = Measure(blocks=20, block=25, warm_up=2500)
    for name, envelope in (("Java's", theirs), ("ours", ours)):
        open_ours = partial(open_and_read, envelope, recipient)
        java, us = measure.medians(partial(peer.read, envelope), partial(milliseconds, open_ours))
        show(f"30 KB report opened ({name})", java, us, goal=3)
        show_share("RSA private operation", private, processor_time(open_ours, times=300))


def large(peer: JavaPeer, folder: Path, sender: Credential, recipient: Credential) -> None:
    size = 100_000_000
    file = folder / "large.pdf"
    file.write_bytes(noise(size))
    theirs, ours = folder / "java-large.cms", folder / "ours-large.cms"
    measure = Measure(blocks=5, block=1, warm_up=2)
    digest, encrypt, decrypt = bulk_limits(size)
    seal_ours = partial(seal_files, [file], ours, sender, recipient)
    java, us = measure.medians(lambda: peer.seal([file], theirs), lambda: milliseconds(seal_ours))
    show("100 MB sealed", java, us, goal=3, size=size)
    show_share("SHA-256 and AES", digest + encrypt, processor_time(seal_ours, times=3))
    for name, envelope in (("Java's", theirs), ("ours", ours)):
        open_ours = partial(open_and_read, envelope, recipient)
        java, us = measure.medians(partial(peer.read, envelope), partial(milliseconds, open_ours))
        show(f"100 MB verified and read ({name})", java, us, goal=2.5, size=size)
        show_share("SHA-256 once and AES twice", digest + 2 * decrypt, processor_time(open_ours, times=3))


def rsa_limits(credential: Credential) -> tuple[float, float]:
    """Median milliseconds of one RSA private and one public operation."""
    content_key = os.urandom(32)
    encrypted = credential.key.public_key().encrypt(content_key, OAEP)
    private = processor_time(lambda: credential.key.decrypt(encrypted, OAEP), times=300)
    return private, processor_time(lambda: credential.key.public_key().encrypt(content_key, OAEP), times=300)


def bulk_limits(size: int) -> tuple[float, float, float]:
    """Median milliseconds that SHA-256, AES encryption and AES decryption alone take for `size` bytes."""
    part, parts = bytes(PART), size // PART
    cipher = Cipher(AES(os.urandom(32)), CBC(os.urandom(16)))
    encryptor, decryptor = cipher.encryptor(), cipher.decryptor()
    out = bytearray(PART + AES.block_size // 8)
    actions = (
        lambda: hashlib.sha256(part).digest(),
        lambda: encryptor.update_into(part, out),
        lambda: decryptor.update_into(part, out),
    )
    digest, encrypt, decrypt = (parts * processor_time(action, times=300) for action in actions)
    return digest, encrypt, decrypt


def processor_time(action: Callable[[], object], *, times: int) -> float:
    """Median milliseconds of processor time that an action takes, which what else the machine does changes little."""
    taken = []
    for _ in range(times):
        start = time.process_time()
        action()
        taken.append((time.process_time() - start) * 1000)
    return statistics.median(taken)


def show_share(what: str, limit: float, took: float) -> None:
    print(
        f"  {what} alone: {limit:.2f} of {took:.2f} ms, so {limit / took:.0%} of OpenSSL's limit is reached", flush=True
    )


def show(what: str, java: float, us: float, *, goal: float, size: int = 0) -> None:
    rate = f", {size / us / 1000:.0f} MB/s (Java {size / java / 1000:.0f})" if size else ""
    print(f"{what}: {java / us:.1f} times Java (goal {goal}); {us:.2f} ms, Java {java:.2f} ms{rate}", flush=True)


def main() -> None:
    authority = Authority.new()
    sender = authority.business("974760673", "Avsender")
    recipient = authority.business("964338531", "Mottaker")
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        with java_peer(folder, sender=sender, recipient=recipient) as peer:
            report(peer, folder, sender, recipient)
            large(peer, folder, sender, recipient)


if __name__ == "__main__":
    main()
