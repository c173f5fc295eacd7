"""`fiksmelding open`, `seal` and `keys …`: names, options and help."""

from pathlib import Path
from typing import Annotated

import typer

from fiksmelding.cli.options import JsonOption
from fiksmelding.cli.output import errors_told

envelope_app = typer.Typer()
keys_app = typer.Typer(help="Key pairs and certificates of an account.", no_args_is_help=True)
PasswordOption = Annotated[
    Path | None, typer.Option("--password-file", help="File with the password of the private key.")
]


@envelope_app.command("open")
def _open(
    file: Annotated[Path, typer.Argument(help="An envelope, or a bare container.")],
    *,
    keys: Annotated[list[Path] | None, typer.Option("--key", help="A private key; may be repeated.")] = None,
    password_file: PasswordOption = None,
    trust: Annotated[
        Path | None, typer.Option("--trust", help="Folder with certificates a signer may chain to, and CRLs.")
    ] = None,
    allow_sha1: Annotated[bool, typer.Option("--allow-sha1", help="Accept SHA-1 in digests of files too.")] = False,
    listing: Annotated[
        bool, typer.Option("--list", help="Only tell what it holds; the same as without --out.")
    ] = False,
    out: Annotated[Path | None, typer.Option("--out", help="Folder to write the files to.")] = None,
    raw: Annotated[
        Path | None, typer.Option("--raw", help="Write what was encrypted to this file, whatever it is.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Verify an envelope, tell what it holds and who signed it, and write its files if asked."""
    from fiksmelding.cli.open import open_file

    if listing and (out is not None or raw is not None):
        raise typer.BadParameter("--list writes nothing: leave out --out and --raw.")
    with errors_told():
        open_file(
            file,
            keys=keys or (),
            trust=trust,
            out=out,
            as_json=as_json,
            password_file=password_file,
            raw=raw,
            allow_sha1=allow_sha1,
        )


@envelope_app.command("seal")
def _seal(
    files: Annotated[list[Path], typer.Argument(help="What goes in.")],
    *,
    to: Annotated[Path, typer.Option("--to", help="Certificate of the one who may open it.")],
    sign_key: Annotated[Path, typer.Option("--sign-key", help="Private key that signs.")],
    sign_cert: Annotated[Path, typer.Option("--sign-cert", help="Its certificate, chain allowed.")],
    out: Annotated[Path, typer.Option("--out", help="The envelope.")],
) -> None:
    """Sign files and encrypt them for the holder of a certificate."""
    from fiksmelding.cli.seal import seal_files

    with errors_told():
        seal_files(files, to=to, sign_key=sign_key, sign_cert=sign_cert, out=out)


@keys_app.command("new")
def _new(
    out: Annotated[Path, typer.Argument(help="Folder for key.pem and certificate.pem; nothing is overwritten.")],
    *,
    name: Annotated[str, typer.Option("--name", help="The organisation's name.")],
    organisation: Annotated[str, typer.Option("--organisation", help="Its organisation number, nine digits.")],
    days: Annotated[int, typer.Option("--days", min=1, help="How long the certificate is valid.")] = 1095,
    password_file: PasswordOption = None,
) -> None:
    """Make a key pair and a self-signed certificate for an account."""
    from fiksmelding.cli.keys import new_key

    with errors_told():
        new_key(out, name=name, organisation=organisation, days=days, password_file=password_file)


@keys_app.command("show")
def _show(files: Annotated[list[Path], typer.Argument(help="Certificates.")]) -> None:
    """Tell in plain words what certificates say."""
    from fiksmelding.cli.keys import show_keys

    with errors_told():
        show_keys(files)


@keys_app.command("check")
def _check(
    key: Annotated[Path, typer.Argument(help="A private key.")],
    certificate: Annotated[Path, typer.Argument(help="A certificate.")],
    *,
    password_file: PasswordOption = None,
) -> None:
    """Tell whether a private key and a certificate belong together. Exit status 1 if not."""
    from fiksmelding.cli.keys import check_key

    with errors_told():
        raise typer.Exit(check_key(key, certificate, password_file=password_file))
