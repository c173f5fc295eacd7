"""OpenSSL opens what we seal, and we open what OpenSSL seals."""

import io
from pathlib import Path

import pytest

from fiksmelding.envelope import decrypt, seal
from fiksmelding.simulator.pki import Authority, Credential
from support.envelopes import REPORT, opened, sealed, signer
from support.tools import run

OAEP = ("-keyopt", "rsa_padding_mode:oaep", "-keyopt", "rsa_oaep_md:sha256")


@pytest.fixture
def recipient_files(tmp_path: Path, recipient_credential: Credential) -> tuple[Path, Path]:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    key.write_bytes(recipient_credential.key_pem)
    certificate.write_bytes(recipient_credential.certificate_pem)
    return key, certificate


@pytest.mark.parametrize("size", [0, 100, 3_000_000])
def test_openssl_unzip_and_openssl_again_read_what_we_seal(
    *,
    size: int,
    tmp_path: Path,
    recipient_files: tuple[Path, Path],
    authority: Authority,
    sender_credential: Credential,
    recipient_credential: Credential,
) -> None:
    sealed_file, container, roots = tmp_path / "sealed.cms", tmp_path / "container.zip", tmp_path / "roots.pem"
    roots.write_bytes(authority.roots_pem)
    content = bytes(range(256)) * (size // 256)
    with sealed_file.open("wb") as out:
        seal(
            {"blåbær.bin": io.BytesIO(content), "b.txt": b"b"},
            signer=signer(sender_credential),
            recipient=recipient_credential.certificate,
            out=out,
        )
    run(
        "openssl",
        "cms",
        "-decrypt",
        "-inform",
        "DER",
        "-in",
        sealed_file,
        "-inkey",
        recipient_files[0],
        "-out",
        container,
    )
    run("unzip", "-tq", container)
    assert run("unzip", "-p", container, "bl*.bin") == content
    manifest, signature = tmp_path / "manifest.xml", tmp_path / "signature.p7s"
    manifest.write_bytes(run("unzip", "-p", container, "META-INF/asicmanifest.xml"))
    signature.write_bytes(run("unzip", "-p", container, "META-INF/signature-*.p7s"))
    verify = ("openssl", "cms", "-verify", "-binary", "-inform", "DER", "-in", signature, "-content", manifest)
    assert run(*verify, "-CAfile", roots, "-purpose", "any") == manifest.read_bytes()


@pytest.mark.parametrize("stream", [(), ("-stream",)], ids=["DER", "streamed BER"])
@pytest.mark.parametrize("cipher", ["-aes128", "-aes-192-cbc", "-aes256"])
@pytest.mark.parametrize(
    "key_options", [OAEP, ("-keyopt", "rsa_padding_mode:oaep"), ()], ids=["SHA-256", "SHA-1", "v1.5"]
)
def test_we_open_what_openssl_seals(
    *,
    stream: tuple[str, ...],
    cipher: str,
    key_options: tuple[str, ...],
    recipient_files: tuple[Path, Path],
    sender_credential: Credential,
    recipient_credential: Credential,
) -> None:
    envelope = io.BytesIO(sealed(REPORT, sender_credential, recipient_credential))
    container = decrypt(envelope, keys=[recipient_credential.key]).read()
    command = ("openssl", "cms", "-encrypt", "-binary", "-outform", "DER", cipher, *stream)
    theirs = run(*command, "-recip", recipient_files[1], *key_options, data=container)
    assert opened(theirs, recipient_credential) == REPORT
