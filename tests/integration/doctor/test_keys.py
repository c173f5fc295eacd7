"""Keys and certificates that are wrong, and what is found."""

import asyncio
import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from fiksmelding.config import Settings
from fiksmelding.doctor import Condition
from fiksmelding.simulator import HttpFault, Simulator
from fiksmelding.simulator.pki import Authority, Credential
from fiksmelding.simulator.tls import server_context
from support.examining import changed, conditions, examined, text_of
from support.senders import school

SOON = datetime.now(UTC) + timedelta(days=10)
PAST = datetime.now(UTC) - timedelta(hours=1)
LATER = datetime.now(UTC) + timedelta(days=2)


def with_key(settings: Settings, folder: Path, credential: Credential) -> Settings:
    """Another private key before the account's own, and its certificate to sign with."""
    (folder / "new.key").write_bytes(credential.key_pem)
    (folder / "new.key").chmod(0o600)
    (folder / "new.pem").write_bytes(credential.certificate_pem)
    keys = (folder / "new.key", *settings.account.private_keys)
    return changed(settings, "account", private_keys=keys, sign_certificate=folder / "new.pem", sign_key=None)


async def test_a_private_key_that_is_not_the_published_one_s(
    fiks: Simulator, tmp_path: Path, recipient_credential: Credential
) -> None:
    settings = with_key(fiks.settings_for("bergen"), tmp_path, recipient_credential)
    both = await examined(settings, "published key")
    assert conditions(both) == {Condition.NEWEST_KEY_NOT_PUBLISHED}
    assert both.healthy
    wrong = changed(settings, "account", private_keys=settings.account.private_keys[:1])
    assert conditions(await examined(wrong, "published key")) == {Condition.KEY_NOT_PUBLISHED}


async def test_an_account_that_has_published_no_key(fiks: Simulator) -> None:
    account = fiks.party("bergen").account
    fiks.platform.world.register.add(replace(account, certificate=None))
    assert conditions(await examined(fiks.settings_for("bergen"), "published key")) == {Condition.NO_PUBLISHED_KEY}


async def test_a_published_key_that_has_expired(fiks: Simulator) -> None:
    fiks.faults.add(HttpFault(path="/fiks-io/katalog/", certificate="expired", times=None))
    assert conditions(await examined(fiks.settings_for("bergen"), "published key")) == {Condition.NO_PUBLISHED_KEY}


async def test_a_published_key_that_ends_soon(fiks: Simulator, authority: Authority) -> None:
    account = fiks.party("bergen").account
    soon = authority.business("310460109", "Bergen", not_after=SOON).certificate
    fiks.platform.world.register.add(replace(account, certificate=soon))
    diagnosis = await examined(fiks.settings_for("bergen"), "certificates")
    assert conditions(diagnosis) == {Condition.CERTIFICATE_ENDS_SOON}
    assert "the account's published certificate" in text_of(diagnosis, Condition.CERTIFICATE_ENDS_SOON)


@pytest.mark.parametrize(
    ("dates", "condition"),
    [
        ({"not_after": SOON}, Condition.CERTIFICATE_ENDS_SOON),
        ({"not_before": PAST - timedelta(days=9), "not_after": PAST}, Condition.CERTIFICATE_EXPIRED),
        ({"not_before": LATER}, Condition.CERTIFICATE_NOT_YET_VALID),
        ({}, Condition.CERTIFICATES_VALID),
    ],
)
@pytest.mark.parametrize("whose", ["account.sign_certificate", "maskinporten.certificate", "the pinned 4601.pem"])
async def test_certificates_in_files_by_when_they_end(
    dates: dict[str, datetime], condition: Condition, whose: str, fiks: Simulator, authority: Authority
) -> None:
    credential = authority.business("310460109", "Bergen", **dates)
    file = fiks.folder / "pins" / "4601.pem"
    file.parent.mkdir()
    file.write_bytes(credential.certificate_pem)
    table, _, key = whose.partition(".")
    settings = school(fiks, pinned_certificates=file.parent)
    if table in {"account", "maskinporten"}:
        settings = changed(fiks.settings_for("bergen"), table, **{key: file})
    diagnosis = await examined(settings, "certificates", role="both")
    assert conditions(diagnosis) == {condition}
    if condition is not Condition.CERTIFICATES_VALID:
        assert whose in text_of(diagnosis, condition)


@pytest.mark.parametrize("text", [b"", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", None])
async def test_a_key_file_that_is_missing_or_damaged(text: bytes | None, fiks: Simulator, tmp_path: Path) -> None:
    file = tmp_path / "key.pem"
    if text is not None:
        file.write_bytes(text)
    settings = changed(fiks.settings_for("bergen"), "account", private_keys=(file,))
    assert Condition.KEY_UNREADABLE in conditions(await examined(settings, "key files"))
    # What the platform publishes cannot be compared then, and that is said too.
    assert conditions(await examined(settings, "published key")) == {Condition.NOT_EXAMINED}


async def test_a_key_that_does_not_belong_to_its_certificate(
    fiks: Simulator, tmp_path: Path, recipient_credential: Credential
) -> None:
    (tmp_path / "other.pem").write_bytes(recipient_credential.certificate_pem)
    settings = changed(fiks.settings_for("bergen"), "account", sign_certificate=tmp_path / "other.pem")
    diagnosis = await examined(settings, "key files")
    assert conditions(diagnosis) == {Condition.KEY_UNREADABLE}
    assert "does not belong" in text_of(diagnosis, Condition.KEY_UNREADABLE)


@pytest.mark.skipif(os.name == "nt", reason="Windows has other rights on files")
async def test_a_key_that_everybody_can_read(fiks: Simulator) -> None:
    settings = fiks.settings_for("bergen")
    assert conditions(await examined(settings, "key files")) == {Condition.KEYS_READ}
    settings.account.private_keys[0].chmod(0o644)
    assert Condition.KEY_OPEN_TO_OTHERS in conditions(await examined(settings, "key files"))


async def test_a_server_s_tls_certificate_that_is_not_believed(
    fiks: Simulator, tmp_path: Path, sender_credential: Credential
) -> None:
    (tmp_path / "others.pem").write_bytes(Authority.new().roots_pem)
    settings = changed(fiks.settings_for("bergen"), "broker", ca_file=tmp_path / "others.pem")
    diagnosis = await examined(settings, "connections")
    assert Condition.TLS_UNTRUSTED in conditions(diagnosis)
    assert "unable to get local issuer certificate" in text_of(diagnosis, Condition.TLS_UNTRUSTED)


async def test_a_server_s_tls_certificate_that_ends_soon_or_has_expired(fiks: Simulator, authority: Authority) -> None:
    settings = fiks.settings_for("bergen")
    for ends, condition in ((SOON, Condition.CERTIFICATE_ENDS_SOON), (PAST, Condition.TLS_UNTRUSTED)):
        tls = server_context(authority.server("127.0.0.1", not_after=ends))
        async with await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0, ssl=tls) as server:
            port = server.sockets[0].getsockname()[1]
            there = changed(settings, "broker", host="127.0.0.1", port=port)
            diagnosis = await examined(there, "connections")
        assert condition in conditions(diagnosis)
    assert "expired" in text_of(diagnosis, Condition.TLS_UNTRUSTED)
