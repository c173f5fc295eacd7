"""Both directions with KS's Java libraries: what they seal we open, what we seal they open."""

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from fiksmelding.envelope import decrypt, encrypt, open_container, open_envelope, seal
from fiksmelding.simulator.pki import Credential
from support.envelopes import noise, signer
from support.java_peer import JavaPeer, java_peer
from support.java_process import JavaFailed

pytestmark = [pytest.mark.interop, pytest.mark.timeout(600)]

FILES = {
    "nothing": {"tom.bin": b""},
    "one byte": {"a.bin": b"a"},
    "one block": {"blokk.bin": noise(16)},
    "1 KB": {"tekst.txt": b"blaabaer" * 125},
    "1 MB": {"stor.pdf": noise(1_000_000)},
    "100 MB": {"enorm.bin": noise(100_000_000)},
    "100 MB that compress": {"enorm.txt": noise(50_000_000).hex().encode()},
    "a report": {"bekymringsmelding.json": b'{"a": 1}' * 200, "bekymringsmelding.pdf": noise(30_000)},
    "many, with Norwegian names": {f"blåbær og rømmegrøt {number} ÆØÅ.txt": noise(number * 97) for number in range(60)},
}


@pytest.fixture(scope="module")
def peer(
    tmp_path_factory: pytest.TempPathFactory, sender_credential: Credential, recipient_credential: Credential
) -> Iterator[JavaPeer]:
    folder = tmp_path_factory.mktemp("java")
    with java_peer(folder, sender=sender_credential, recipient=recipient_credential) as running:
        yield running


@pytest.mark.parametrize("files", FILES.values(), ids=FILES.keys())
def test_java_opens_what_we_seal(
    files: dict[str, bytes],
    peer: JavaPeer,
    tmp_path: Path,
    sender_credential: Credential,
    recipient_credential: Credential,
) -> None:
    envelope, plain = tmp_path / "envelope.cms", tmp_path / "plain.zip"
    with envelope.open("wb") as out:
        streams = {name: io.BytesIO(content) for name, content in files.items()}
        seal(streams, signer=signer(sender_credential), recipient=recipient_credential.certificate, out=out)
    peer.open(envelope, plain)
    with zipfile.ZipFile(plain) as archive:
        assert archive.namelist() == list(files)
        assert all(archive.read(name) == content for name, content in files.items())


@pytest.mark.parametrize("files", FILES.values(), ids=FILES.keys())
def test_we_open_what_java_seals(
    files: dict[str, bytes], peer: JavaPeer, tmp_path: Path, recipient_credential: Credential
) -> None:
    folder = tmp_path / "files"
    folder.mkdir()
    for name, content in files.items():
        (folder / name).write_bytes(content)
    sealed = tmp_path / "envelope.cms"
    peer.seal([folder / name for name in files], sealed)
    with sealed.open("rb") as source, open_envelope(source, keys=[recipient_credential.key]) as envelope:
        assert list(envelope.files) == list(files)
        assert all(envelope.files[name].read() == data for name, data in files.items())
        assert envelope.signer.organisation_number == "974760673"


@pytest.mark.parametrize("size", [0, 1, 16, 1000, 1_000_000])
def test_the_print_copy_goes_both_ways(
    size: int, peer: JavaPeer, tmp_path: Path, recipient_credential: Credential
) -> None:
    plain, ours, theirs, back = (tmp_path / name for name in ("plain", "ours", "theirs", "back"))
    plain.write_bytes(noise(size))
    with ours.open("wb") as out:
        encrypt(io.BytesIO(noise(size)), recipient=recipient_credential.certificate, out=out)
    peer.decrypt(ours, back)
    assert back.read_bytes() == noise(size)
    peer.encrypt(plain, theirs)
    with theirs.open("rb") as source:
        assert decrypt(source, keys=[recipient_credential.key]).read() == noise(size)


def test_we_open_a_xades_container_of_the_java_library(peer: JavaPeer, tmp_path: Path) -> None:
    contents = {"a b æøå.txt": b"a", "stor.bin": noise(3_000_000)}
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    container = tmp_path / "container.asice"
    peer.xades([tmp_path / name for name in contents], container)
    with container.open("rb") as source, open_container(source) as opened:
        assert {name: file.read() for name, file in opened.files.items()} == contents
        assert opened.signer.organisation_number == "974760673"
        assert opened.signer.signed_at is not None


def test_java_refuses_what_was_altered(peer: JavaPeer, tmp_path: Path, recipient_credential: Credential) -> None:
    """The Java side really verifies here: otherwise the tests above would show little."""
    plain, sealed = tmp_path / "a.txt", tmp_path / "envelope.cms"
    plain.write_bytes(b"a")
    peer.seal([plain], sealed)
    damaged = bytearray(sealed.read_bytes())
    damaged[len(damaged) // 2] ^= 1
    sealed.write_bytes(damaged)
    with pytest.raises(JavaFailed):
        peer.open(sealed, tmp_path / "plain.zip")
