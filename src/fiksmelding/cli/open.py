"""`fiksmelding open`: what is in an envelope, who signed it, and its files."""

import json
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from rich.markup import escape
from rich.table import Table

from fiksmelding.cli.output import console
from fiksmelding.cli.progress import progress, watched
from fiksmelding.envelope import (
    OpenedEnvelope,
    Trust,
    decrypt,
    load_certificates,
    load_private_key,
    load_revocation_list,
    open_container,
    open_envelope,
)
from fiksmelding.errors import FiksmeldingError, SettingsError

ZIP_MAGIC = b"PK\x03\x04"
COPY = 1024 * 1024
"""Bytes copied at a time."""


def open_file(
    path: Path,
    *,
    keys: Sequence[Path],
    trust: Path | None,
    out: Path | None,
    as_json: bool,
    password_file: Path | None = None,
    raw: Path | None = None,
    allow_sha1: bool = False,
) -> None:
    """Verify an envelope, or a bare container, tell what it holds, and write its files to `out` if given.

    Args:
        path: The envelope or container.
        keys: Files with private keys.
        trust: Folder with certificates (`.pem`, `.crt`, `.cer`) a signer may chain to, and revocation lists (`.crl`).
        out: Folder to write the files to; nothing in it is overwritten.
        as_json: Tell it to a program.
        password_file: File with the password of the private keys.
        raw: Write what was encrypted there, whatever it is, and look no further.
        allow_sha1: Accept SHA-1 in digests of files too.

    Raises:
        EnvelopeError: It cannot be opened or believed; nothing is written.
        FiksmeldingError: A file would overwrite another.
        OSError: Something cannot be read or written.
    """
    password = password_file.read_bytes().rstrip(b"\r\n") if password_file else None
    private_keys = [load_private_key(key.read_bytes(), password) for key in keys]
    with path.open("rb") as source:
        bare = source.read(len(ZIP_MAGIC)) == ZIP_MAGIC
        source.seek(0)
        if not private_keys and (raw is not None or not bare):
            raise SettingsError("The envelope is encrypted: give its private key with --key.")
        if raw is not None:
            _write_raw(source, private_keys, raw)
            return
        policy = _trust(trust, allow_sha1=allow_sha1)
        received_at = datetime.now(UTC)
        with (
            open_container(source, trust=policy, received_at=received_at)
            if bare
            else open_envelope(source, keys=private_keys, trust=policy, received_at=received_at)
        ) as opened:
            _tell(opened, as_json=as_json)
            if out is not None:
                _write(opened, out)


def _write_raw(source: BinaryIO, keys: Sequence[RSAPrivateKey], target: Path) -> None:
    """Write what was encrypted. Nothing vouches for it: no signature is looked at."""
    with decrypt(source, keys=keys) as content, _new_file(target) as out:
        shutil.copyfileobj(content, out, COPY)


def _trust(folder: Path | None, *, allow_sha1: bool) -> Trust:
    files = sorted(folder.iterdir()) if folder is not None else []
    certificates = [one for one in files if one.suffix in {".pem", ".crt", ".cer"}]
    lists = [one for one in files if one.suffix == ".crl"]
    return Trust(
        roots=tuple(root for file in certificates for root in load_certificates(file.read_bytes())),
        crls=tuple(load_revocation_list(file.read_bytes()) for file in lists),
        sha1="accept" if allow_sha1 else "signature",
    )


def _tell(opened: OpenedEnvelope, *, as_json: bool) -> None:
    signer = opened.signer
    if as_json:
        told = {
            "files": [{"name": file.name, "bytes": file.size} for file in opened.files.values()],
            "signer": {
                "name": signer.name,
                "organisationNumber": signer.organisation_number,
                "trusted": signer.verdict.trusted,
                "digest": signer.digest,
                "chain": signer.verdict.chain,
                "validity": signer.verdict.validity,
                "keyUsage": signer.verdict.key_usage,
                "revocation": signer.verdict.revocation,
                "findings": list(signer.verdict.reasons),
            },
        }
        console.print_json(json.dumps(told))
        return
    table = Table("file", "bytes")
    for file in opened.files.values():
        table.add_row(escape(file.name), str(file.size))
    console.print(table)
    trusted = "trusted" if signer.verdict.trusted else "not checked against a root, or not trusted"
    told_signer = f"signed by {signer.name} ({signer.organisation_number or 'no organisation number'}): {trusted}"
    console.print(escape(told_signer), soft_wrap=True, highlight=False)
    for reason in signer.verdict.reasons:
        console.print(escape(f"  {reason}"), soft_wrap=True, highlight=False)


def _write(opened: OpenedEnvelope, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with progress(sum(file.size for file in opened.files.values())) as display:
        for file in opened.files.values():
            # The container's reader has refused every name that leads elsewhere.
            target = folder.joinpath(*PurePosixPath(file.name).parts)
            target.parent.mkdir(parents=True, exist_ok=True)
            content = watched(display, file.open(), size=file.size, name=file.name)
            with content, _new_file(target) as out:
                shutil.copyfileobj(content, out, COPY)


@contextmanager
def _new_file(target: Path) -> Iterator[BinaryIO]:
    """A file that was not there before, whole or not at all."""
    try:
        out = target.open("xb")
    except FileExistsError:
        raise FiksmeldingError(f"{target} is there already; nothing was overwritten.") from None
    try:
        with out:
            yield out
    except BaseException:
        target.unlink(missing_ok=True)
        raise
