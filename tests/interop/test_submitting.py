"""The same report handed in by our sender and with KS's own libraries: the platform sees the same."""

import asyncio
import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from fiksmelding import Sender
from fiksmelding.envelope import decrypt
from fiksmelding.journal.outbox import OutgoingState
from fiksmelding.messages import MessageType
from fiksmelding.simulator import Keys, Simulator
from support.envelopes import opened
from support.ks_client import KsClient, ks_client, write_settings, write_trust_store
from support.multipart import parts
from support.platform import Seen
from support.recording_proxy import recording_proxy
from support.senders import report, school

pytestmark = [pytest.mark.interop, pytest.mark.timeout(300)]

HEADERS = ("IntegrasjonId", "IntegrasjonPassord")


@pytest.fixture(scope="module")
def java(keys: Keys, tmp_path_factory: pytest.TempPathFactory) -> Iterator[KsClient]:
    root = keys.authority.root.certificate
    with ks_client(write_trust_store(tmp_path_factory.mktemp("trust") / "trust.p12", root)) as running:
        yield running


def told(seen: Seen) -> dict[str, object]:
    """What of a request means something to the platform."""
    found = parts(seen)
    return {
        "path": seen.path,
        "query": seen.query,
        "headers": {name: seen.headers[name] for name in HEADERS},
        "authorization": seen.headers["Authorization"].split()[0],
        "media type": seen.headers["Content-Type"].split(";")[0],
        "parts": {name: (part.media_type, part.filename) for name, part in found.items()},
    }


def names_in(envelope: bytes, fiks: Simulator) -> set[str]:
    """The container's entries; signatures are named after a UUID, and KS's libraries add an optional manifest."""
    with decrypt(io.BytesIO(envelope), keys=[fiks.party("bergen").credential.key]) as plain:
        names = {name.lower() for name in zipfile.ZipFile(io.BytesIO(plain.read())).namelist()}
    kinds = {"META-INF/signature".lower() if name.endswith(".p7s") else name for name in names}
    return kinds - {"meta-inf/manifest.xml"}


@pytest.mark.parametrize("message_type", [MessageType.OFFENTLIG_V2, MessageType.PRIVAT_V2])
async def test_the_platform_sees_the_same_request_and_finds_the_same_in_it(
    java: KsClient, fiks: Simulator, tmp_path: Path, message_type: MessageType
) -> None:
    bergen, printer = fiks.party("bergen").credential, fiks.platform.world.print_credential
    async with recording_proxy(fiks.api_url) as proxy:
        settings = school(fiks)
        settings = settings.model_copy(update={"platform": settings.platform.model_copy(update={"api_url": proxy.url})})
        async with Sender(settings) as sender, asyncio.timeout(30):
            sent = await sender.send(report(message_type), to="Bergen", district="01")
            ours_id = (await sent.until(OutgoingState.ACCEPTED)).report_id
        ours = proxy.submission()
        files = opened(parts(ours)["asice"].content, bergen)
        for name, content in files.items():
            (tmp_path / name).write_bytes(content)
        properties = write_settings(fiks, "skole", tmp_path)
        properties.write_text(properties.read_text("utf-8").replace(f"api.url={fiks.api_url}", f"api.url={proxy.url}"))
        words = (properties, message_type.split(".")[-2], "4601", "01", *(tmp_path / name for name in files))
        theirs_id = await asyncio.to_thread(java.tell, "submit", *words)
        theirs = proxy.submission()

    assert told(ours) == told(theirs)
    ours_sealed, theirs_sealed = parts(ours), parts(theirs)
    assert opened(theirs_sealed["asice"].content, bergen) == files
    assert names_in(ours_sealed["asice"].content, fiks) == names_in(theirs_sealed["asice"].content, fiks)
    letters = []
    for sealed in (ours_sealed, theirs_sealed):
        with decrypt(io.BytesIO(sealed["bekymringsmelding"].content), keys=[printer.key]) as letter:
            letters.append(letter.read())
    assert letters == [files["bekymringsmelding.pdf"]] * 2
    at_the_platform = [fiks.report(str(one)) for one in (ours_id, theirs_id)]
    assert len({(one.message_type, one.account_id, one.bydelsnummer, one.sender_id) for one in at_the_platform}) == 1
    assert all(one.message_type == message_type for one in at_the_platform)
