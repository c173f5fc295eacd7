"""The commands on files: seal, open, keys."""

import io
import json
import re
import stat
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from fiksmelding.cli.keys import check_key, describe, new_key, show_keys
from fiksmelding.cli.open import open_file
from fiksmelding.cli.output import Exit
from fiksmelding.cli.seal import seal_files
from fiksmelding.envelope import decrypt, load_certificates, load_private_key
from fiksmelding.errors import DecryptionFailed, FiksmeldingError, SettingsError
from fiksmelding.simulator.pki import Authority, Credential
from support.envelopes import noise, sealed


class Workplace:
    """A folder with keys and files in it."""

    def __init__(self, folder: Path, sender: Credential, recipient: Credential, authority: Authority) -> None:
        self.folder = folder
        for name, credential in (("sender", sender), ("recipient", recipient)):
            (folder / f"{name}.key").write_bytes(credential.key_pem)
            (folder / f"{name}.pem").write_bytes(credential.certificate_pem)
        (folder / "roots").mkdir()
        (folder / "roots" / "root.pem").write_bytes(authority.roots_pem)
        self.file = folder / "blå rapport.pdf"
        self.file.write_bytes(noise(400_000))
        self.envelope = folder / "envelope.cms"

    def seal(self) -> None:
        seal_files(
            [self.file],
            to=self.folder / "recipient.pem",
            sign_key=self.folder / "sender.key",
            sign_cert=self.folder / "sender.pem",
            out=self.envelope,
        )

    def open(self, *, out: Path | None = None, as_json: bool = False, raw: Path | None = None) -> None:
        open_file(
            self.envelope,
            keys=[self.folder / "recipient.key"],
            trust=self.folder / "roots",
            out=out,
            as_json=as_json,
            raw=raw,
        )


@pytest.fixture
def place(
    tmp_path: Path, sender_credential: Credential, recipient_credential: Credential, authority: Authority
) -> Workplace:
    return Workplace(tmp_path, sender_credential, recipient_credential, authority)


def test_a_sealed_file_is_opened_and_its_signer_told(place: Workplace, capsys: pytest.CaptureFixture[str]) -> None:
    place.seal()
    place.open(out=place.folder / "out")
    assert (place.folder / "out" / "blå rapport.pdf").read_bytes() == noise(400_000)
    told = capsys.readouterr().out
    assert "blå rapport.pdf" in told
    assert "signed by Bergen skole (test) (974760673): trusted" in told


def test_a_program_is_told_as_json(place: Workplace, capsys: pytest.CaptureFixture[str]) -> None:
    place.seal()
    place.open(as_json=True)
    told = json.loads(capsys.readouterr().out)
    assert told["files"] == [{"name": "blå rapport.pdf", "bytes": 400_000}]
    assert told["signer"]["organisationNumber"] == "974760673"
    assert told["signer"]["trusted"] is True
    assert told["signer"]["chain"] == "good"


def test_opening_overwrites_nothing(place: Workplace) -> None:
    place.seal()
    out = place.folder / "out"
    out.mkdir()
    (out / "blå rapport.pdf").write_bytes(b"mine")
    with pytest.raises(FiksmeldingError, match="there already"):
        place.open(out=out)
    assert (out / "blå rapport.pdf").read_bytes() == b"mine"


def test_what_was_encrypted_can_be_written_as_it_is(place: Workplace) -> None:
    place.seal()
    raw = place.folder / "container.zip"
    place.open(raw=raw)
    assert raw.read_bytes().startswith(b"PK")
    open_file(raw, keys=[], trust=None, out=place.folder / "out", as_json=False)
    assert (place.folder / "out" / "blå rapport.pdf").exists()
    with pytest.raises(FiksmeldingError, match="there already"):
        place.open(raw=raw)


def test_a_failed_write_leaves_nothing_behind(place: Workplace, recipient_credential: Credential) -> None:
    place.seal()
    envelope = bytearray(place.envelope.read_bytes())
    place.envelope.write_bytes(envelope[:-20])
    with pytest.raises(FiksmeldingError):
        place.open(out=place.folder / "out", raw=place.folder / "raw")
    assert not (place.folder / "out").exists()
    assert not (place.folder / "raw").exists()


def test_an_envelope_needs_its_key(place: Workplace) -> None:
    place.seal()
    with pytest.raises(SettingsError, match="--key"):
        open_file(place.envelope, keys=[], trust=None, out=None, as_json=False)
    with pytest.raises(DecryptionFailed):
        open_file(place.envelope, keys=[place.folder / "sender.key"], trust=None, out=None, as_json=False)


def test_sealing_with_another_key_than_the_certificates_is_refused(place: Workplace) -> None:
    with pytest.raises(SettingsError, match="is not the key of the certificate"):
        seal_files(
            [place.file],
            to=place.folder / "recipient.pem",
            sign_key=place.folder / "recipient.key",
            sign_cert=place.folder / "sender.pem",
            out=place.envelope,
        )
    assert not place.envelope.exists()


def test_two_files_of_one_name_are_refused(place: Workplace) -> None:
    with pytest.raises(SettingsError, match="same name"):
        seal_files(
            [place.file, place.file],
            to=place.folder / "recipient.pem",
            sign_key=place.folder / "sender.key",
            sign_cert=place.folder / "sender.pem",
            out=place.envelope,
        )


@pytest.mark.parametrize("password", [None, b"hemmelig"])
def test_a_new_key_opens_what_is_sealed_for_it(
    password: bytes | None, tmp_path: Path, sender_credential: Credential
) -> None:
    password_file = None
    if password:
        password_file = tmp_path / "password"
        password_file.write_bytes(password + b"\n")
    new_key(tmp_path / "new", name="Bergen kommune", organisation="964338531", password_file=password_file, bits=2048)
    key = load_private_key((tmp_path / "new" / "key.pem").read_bytes(), password)
    certificate = load_certificates((tmp_path / "new" / "certificate.pem").read_bytes())[0]
    envelope = sealed({"a": b"a"}, sender_credential, Credential(key, certificate))
    assert decrypt(io.BytesIO(envelope), keys=[key]).read().startswith(b"PK")
    check = check_key(tmp_path / "new" / "key.pem", tmp_path / "new" / "certificate.pem", password_file=password_file)
    assert check is Exit.FINE
    if sys.platform != "win32":
        assert stat.S_IMODE((tmp_path / "new" / "key.pem").stat().st_mode) == 0o600


def test_a_new_key_overwrites_none(tmp_path: Path) -> None:
    new_key(tmp_path, name="X", organisation="964338531", bits=2048)
    before = (tmp_path / "key.pem").read_bytes()
    with pytest.raises(FiksmeldingError, match="there already"):
        new_key(tmp_path, name="X", organisation="964338531", bits=2048)
    assert (tmp_path / "key.pem").read_bytes() == before


@pytest.mark.parametrize("number", ["", "12345678", "1234567890", "٩٧٤٧٦٠٦٧٣", "96433853a"])
def test_a_wrong_organisation_number_is_refused(number: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="nine digits"):
        new_key(tmp_path, name="X", organisation=number, bits=2048)


def test_a_key_and_another_certificate_do_not_belong_together(place: Workplace) -> None:
    assert check_key(place.folder / "sender.key", place.folder / "recipient.pem") is Exit.PROBLEM


def test_a_certificate_is_told_in_plain_words(
    authority: Authority, place: Workplace, capsys: pytest.CaptureFixture[str]
) -> None:
    show_keys([place.folder / "sender.pem"])
    told = capsys.readouterr().out
    for expected in ("organisation number: 974760673", "RSA, 2048 bits", "signing, being sealed for", "issuing certif"):
        assert expected in told
    now = datetime.now(UTC)
    day = timedelta(days=1)
    for begin, end, words in ((-9, -1, "EXPIRED"), (1, 9, "NOT YET VALID"), (-1, 30, r"expires in \d+ days")):
        one = authority.business("910258028", "X", not_before=now + begin * day, not_after=now + end * day)
        assert any(re.search(words, line) for line in describe(one.certificate, now))
