import json
import logging
import socket
from pathlib import Path

import aiohttp
import pytest

from fiksmelding.errors import FiksmeldingError
from fiksmelding.messages import MessageType
from fiksmelding.simulator import Keys, Refusal, Simulator
from support.documents import example, example_document
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


async def test_the_ids_are_the_same_in_every_world_and_the_passwords_are_not(keys: Keys) -> None:
    async with Simulator(keys=keys) as first, Simulator(keys=keys) as second:
        one, other = first.party("bergen"), second.party("bergen")

    assert (one.account.id, one.integration.id, one.client.id) == (
        other.account.id,
        other.integration.id,
        other.client.id,
    )
    assert one.integration.password != other.integration.password


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
