"""Whose certificate the platform may show."""

import ssl
from pathlib import Path

import pytest

from fiksmelding.errors import PlatformUnavailable, SettingsError
from fiksmelding.fiks import FiksSession
from fiksmelding.simulator.pki import Authority, Credential
from fiksmelding.tls import client_context
from support.embedded_broker import server_tls
from support.fake_clock import FakeClock
from support.platform import answer, running_platform, settings_for


@pytest.fixture(scope="module")
def tls(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> ssl.SSLContext:
    return server_tls(authority.server("127.0.0.1"), tmp_path_factory.mktemp("tls"))


async def test_a_certificate_of_the_configured_root_is_trusted(
    tls: ssl.SSLContext, authority: Authority, tmp_path: Path, recipient_credential: Credential
) -> None:
    (tmp_path / "roots.pem").write_bytes(authority.roots_pem)
    async with running_platform(tls) as platform:
        platform.then(answer(200, {}))
        settings = settings_for(platform.url, tmp_path, recipient_credential, ca_file="roots.pem")
        async with FiksSession(settings) as session:
            await session.request("GET", "/x", repeatable=False)
    assert platform.url.startswith("https:")


async def test_any_other_certificate_is_refused_and_gets_no_secret(
    tls: ssl.SSLContext, tmp_path: Path, recipient_credential: Credential
) -> None:
    async with running_platform(tls) as platform:
        settings = settings_for(platform.url, tmp_path, recipient_credential)
        async with FiksSession(settings, clock=FakeClock()) as session:
            with pytest.raises(PlatformUnavailable, match=r"platform\.ca_file"):
                await session.request("GET", "/x", repeatable=False)
    assert (platform.seen, platform.assertions) == ([], [])


def test_a_context_verifies_certificate_and_name_with_tls_1_2_at_least() -> None:
    context = client_context(None)
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2


def test_a_missing_file_of_certificates_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"roots\.pem"):
        client_context(tmp_path / "roots.pem")
