import json
import logging
import socket
from pathlib import Path

import aiohttp
import pytest

from fiksmelding.errors import FiksmeldingError, SettingsError
from fiksmelding.messages import MessageType
from fiksmelding.simulator import Keys, Refusal, Simulator
from support.documents import example, example_document
from support.envelopes import opened
from support.platform_client import PlatformClient


async def test_it_serves_on_free_ports_and_is_gone_afterwards(keys: Keys) -> None:
    async with Simulator(keys=keys) as first, Simulator(keys=keys) as second:
        folder, control = first.folder, json.loads((first.folder / "simulator.json").read_text())
        assert len({first.api_url, second.api_url, first.amqp_url, second.amqp_url, first.control_url}) == 5
        assert control["api_url"] == first.api_url
        assert first.accounts == ("bergen", "oslo", "tromso", "skole")

    assert not folder.exists()
    async with aiohttp.ClientSession() as http:
        for url in (str(control["api_url"]), str(control["control_url"])):
            with pytest.raises(aiohttp.ClientConnectorError):
                await http.get(url)


async def test_a_folder_that_was_given_is_kept_and_can_be_used_again(keys: Keys, tmp_path: Path) -> None:
    for _ in range(2):
        async with Simulator(folder=tmp_path / "fiks", keys=keys) as fiks:
            settings = fiks.settings_for("bergen")
            number = fiks.party("bergen").account.organisation.number
        assert not (tmp_path / "fiks" / "simulator.json").exists()

    own = keys.business(number, "Bergen kommune (test)")
    assert settings.account.private_keys[0].read_bytes() == own.key_pem


async def test_it_runs_once_at_a_time_and_bodies_of_an_earlier_run_are_gone(keys: Keys, tmp_path: Path) -> None:
    left_behind = tmp_path / "dokumentlager" / "incoming"
    left_behind.parent.mkdir()
    left_behind.touch()

    async with Simulator(keys=keys, folder=tmp_path) as fiks:
        with pytest.raises(FiksmeldingError, match="already"):
            await fiks.__aenter__()
        assert fiks.api_url
        assert not left_behind.exists()


async def test_a_port_that_is_taken_is_told_and_nothing_stays_open(keys: Keys, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        for ports in ({"api_port": port}, {"amqp_port": port}):
            simulator = Simulator(folder=tmp_path, keys=keys, **ports)
            with pytest.raises(OSError, match="in use"):
                await simulator.__aenter__()
            with pytest.raises(FiksmeldingError, match="not running"):
                _ = simulator.api_url
    assert not (tmp_path / "simulator.json").exists()


async def test_a_folder_that_cannot_be_made_is_told(keys: Keys, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")

    with pytest.raises(OSError, match="file"):
        await Simulator(folder=tmp_path / "file", keys=keys).__aenter__()


async def test_an_account_that_is_not_there_is_told_with_those_that_are(fiks: Simulator) -> None:
    with pytest.raises(Refusal, match="bergen, oslo, tromso, skole"):
        fiks.settings_for("trondheim")


async def test_the_ids_are_the_same_in_every_world_and_the_secrets_are_not(fiks: Simulator) -> None:
    async with Simulator() as another:
        one, other = fiks.party("bergen"), another.party("bergen")

    assert (one.account.id, one.integration.id, one.client.id) == (
        other.account.id,
        other.integration.id,
        other.client.id,
    )
    assert one.integration.password != other.integration.password
    assert one.credential.key_pem != other.credential.key_pem


async def test_keys_and_passwords_in_a_folder_outlive_the_run_and_what_was_sealed_can_still_be_opened(
    tmp_path: Path,
) -> None:
    async with Simulator(folder=tmp_path) as fiks:
        first, envelope = fiks.party("bergen"), await fiks.seal_for("bergen", {"a.txt": b"a"})
    async with Simulator(folder=tmp_path) as fiks:
        second, roots = fiks.party("bergen"), fiks.keys.authority.roots_pem
        async with PlatformClient(fiks) as client:
            assert await client.token()

    assert first.integration.password == second.integration.password
    assert first.account.certificate == second.account.certificate
    assert opened(envelope, second.credential) == {"a.txt": b"a"}
    assert Keys(folder=tmp_path / "keys").authority.roots_pem == roots
    assert all(file.stat().st_mode & 0o077 == 0 for file in (tmp_path / "keys").iterdir())


def test_a_lost_root_is_made_anew_with_all_below_it(tmp_path: Path) -> None:
    before = Keys(folder=tmp_path).business("974760673", "Bergen skole (test)")
    (tmp_path / "root.pem").unlink()

    keys = Keys(folder=tmp_path)

    after = keys.business("974760673", "Bergen skole (test)")
    assert after.chain == (keys.authority.issuing.certificate,) != before.chain
    assert Keys(folder=tmp_path).business("974760673", "Bergen skole (test)").key_pem == after.key_pem


def test_a_damaged_key_file_is_told(tmp_path: Path) -> None:
    Keys(folder=tmp_path).business("974760673", "Bergen skole (test)")
    root, issuing = tmp_path / "root.pem", tmp_path / "issuing.pem"

    for damaged in (root.read_bytes()[:200], issuing.read_bytes().split(b"-----BEGIN CERT")[0] + root.read_bytes()):
        issuing.write_bytes(damaged)
        with pytest.raises(SettingsError, match="start anew"):
            Keys(folder=tmp_path).business("974760673", "Bergen skole (test)")


async def test_the_log_at_its_most_talkative_holds_no_secret_and_nothing_of_a_report(
    fiks: Simulator, bergen: PlatformClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    message = example_document(MessageType.PRIVAT_V2)
    report_id = await fiks.submit(example(MessageType.PRIVAT_V2), message_type=MessageType.PRIVAT_V2)
    token = await bergen.token()
    await bergen.answer(await bergen.receive(), MessageType.FEILET, b"no envelope")
    await fiks.wait_for(report_id, "LEVERT")
    await bergen.get("/fiks-io/katalog/api/v1/kontoer/x", IntegrasjonPassord="wrong-password")

    told = "\n".join(record.getMessage() for record in caplog.records if record.name.startswith("fiksmelding"))
    assert report_id in told
    secrets = [
        token,
        "wrong-password",
        bergen.party.integration.password.get_secret_value(),
        "PRIVATE KEY",
        str(message["melding"]),
        "Navnesen",
    ]
    assert [secret for secret in secrets if secret in told] == []
