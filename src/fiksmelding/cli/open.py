"""`fiksmelding open`: what is in an envelope, who signed it, and its files."""

import json
import shutil
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

from cryptography import x509
from rich.markup import escape
from rich.table import Table

from fiksmelding.cli.output import console
from fiksmelding.envelope import (
    OpenedEnvelope,
    Trust,
    load_certificates,
    load_private_key,
    open_container,
    open_envelope,
)
from fiksmelding.errors import FiksmeldingError, SettingsError

ZIP_MAGIC = b"PK\x03\x04"


def open_file(path: Path, *, keys: Sequence[Path], trust: Path | None, out: Path | None, as_json: bool) -> None:
    """Verify an envelope, or a bare container, tell what it holds, and write its files to `out` if given.

    Raises:
        EnvelopeError: It cannot be opened or believed; nothing is written.
        FiksmeldingError: A file would overwrite another.
        OSError: Something cannot be read or written.
    """
    policy = Trust(roots=_roots(trust))
    private_keys = [load_private_key(key.read_bytes()) for key in keys]
    with ExitStack() as stack:
        source = stack.enter_context(path.open("rb"))
        bare = source.read(len(ZIP_MAGIC)) == ZIP_MAGIC
        source.seek(0)
        received_at = datetime.now(UTC)
        if bare:
            opened = stack.enter_context(open_container(source, trust=policy, received_at=received_at))
        elif private_keys:
            opened = stack.enter_context(
                open_envelope(source, keys=private_keys, trust=policy, received_at=received_at)
            )
        else:
            raise SettingsError("The envelope is encrypted: give its private key with --key.")
        _tell(opened, as_json=as_json)
        if out is not None:
            _write(opened, out)


def _roots(folder: Path | None) -> tuple[x509.Certificate, ...]:
    if folder is None:
        return ()
    files = sorted(one for one in folder.iterdir() if one.suffix in {".pem", ".crt", ".cer"})
    return tuple(certificate for file in files for certificate in load_certificates(file.read_bytes()))


def _tell(opened: OpenedEnvelope, *, as_json: bool) -> None:
    signer = opened.signer
    if as_json:
        told = {
            "files": [{"name": file.name, "bytes": file.size} for file in opened.files.values()],
            "signer": {
                "name": signer.name,
                "organisationNumber": signer.organisation_number,
                "trusted": signer.verdict.trusted,
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
    for file in opened.files.values():
        # The container's reader has refused every name that leads elsewhere.
        target = folder.joinpath(*PurePosixPath(file.name).parts)
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            with target.open("xb") as out, file.open() as content:
                shutil.copyfileobj(content, out)
        except FileExistsError:
            raise FiksmeldingError(f"{target} is there already; nothing was overwritten.") from None
