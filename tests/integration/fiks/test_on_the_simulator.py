"""Our session, catalog, sending, document store and consumer against the whole simulated platform."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from pydantic import SecretStr
from yarl import URL

from fiksmelding.broker import Consumer, Credentials, Delivery
from fiksmelding.config import Settings
from fiksmelding.errors import AccessRefused, NotFound, PlatformUnavailable, RequestRefused
from fiksmelding.fiks import Catalog, Documents, FiksSession, Outbound
from fiksmelding.simulator import Simulator
from support.fake_clock import FakeClock
from support.tcp_proxy import TcpProxy


@pytest.fixture
async def oslo(fiks: Simulator) -> AsyncIterator[FiksSession]:
    async with FiksSession(fiks.settings_for("oslo"), clock=FakeClock()) as session:
        yield session


@pytest.fixture
async def bergen(fiks: Simulator) -> AsyncIterator[FiksSession]:
    async with FiksSession(fiks.settings_for("bergen"), clock=FakeClock()) as session:
        yield session


def changed(settings: Settings, table: str, **values: object) -> Settings:
    return settings.model_copy(update={table: getattr(settings, table).model_copy(update=values)})


class Arrivals:
    """A consumer of an account, whose deliveries wait for the test."""

    def __init__(self, session: FiksSession, settings: Settings) -> None:
        self.deliveries: asyncio.Queue[Delivery] = asyncio.Queue()
        self._session = session
        self._settings = settings

    def consumer(self) -> Consumer:
        queue = f"fiksio.konto.{self._session.account_id}"
        return Consumer(
            self._settings.broker, queue=queue, credentials=self._credentials, on_delivery=self._keep, clock=FakeClock()
        )

    async def next(self) -> Delivery:
        return await asyncio.wait_for(self.deliveries.get(), 10)

    async def _credentials(self) -> Credentials:
        integration = self._settings.integration
        token = await self._session.access_token(max_age=0)
        return Credentials.of_integration(integration.id, integration.secret(), token)

    async def _keep(self, delivery: Delivery) -> None:
        await delivery.ack()
        self.deliveries.put_nowait(delivery)


async def test_an_account_and_its_key_are_found(oslo: FiksSession, bergen: FiksSession, fiks: Simulator) -> None:
    catalog = Catalog(oslo)
    account = await catalog.account(bergen.account_id)
    assert account.konto_id == bergen.account_id
    assert account.kommunenummer == "4601"
    found = await catalog.lookup(
        f"ORG_NO.{account.organisasjonsnummer}",
        melding_protokoll="no.ks.fiks.bekymringsmelding.v2",
        sikkerhetsniva=4,
    )
    assert found == account
    key = await catalog.public_key(bergen.account_id)
    assert key == fiks.party("bergen").credential.certificate
    for call in (catalog.account, catalog.public_key, catalog.queue):
        with pytest.raises(NotFound):
            await call(uuid4())


async def test_how_full_a_queue_is_and_who_consumes_from_it_is_told(
    oslo: FiksSession, bergen: FiksSession, fiks: Simulator
) -> None:
    catalog, arrivals = Catalog(oslo), Arrivals(bergen, fiks.settings_for("bergen"))
    await Outbound(oslo).send(
        melding_type="no.ks.fiks.arkiv.v1.opprett", mottaker_konto_id=bergen.account_id, body=b"1"
    )
    status = await catalog.queue(bergen.account_id)
    assert (status.gyldig_mottaker, status.antall_konsumenter, status.antall_uavhentede_meldinger) == (True, 0, 1)
    async with arrivals.consumer():
        await arrivals.next()
        assert (await catalog.queue(bergen.account_id)).antall_konsumenter == 1


async def test_a_message_sent_is_delivered_with_all_it_was_given(
    oslo: FiksSession, bergen: FiksSession, fiks: Simulator
) -> None:
    arrivals = Arrivals(bergen, fiks.settings_for("bergen"))
    answered = uuid4()
    async with arrivals.consumer():
        sent = await Outbound(oslo).send(
            melding_type="no.ks.fiks.bekymringsmelding.mottatt.v1",
            mottaker_konto_id=bergen.account_id,
            svar_paa_melding=answered,
            ttl=timedelta(hours=24),
            headers={"klientMeldingId": "k-1", "klientKorrelasjonsId": "æøå", "klientKorrelasjonId": "æøå"},
            body=b"sealed",
        )
        delivery = await arrivals.next()
    metadata = delivery.metadata
    assert metadata.missing == ()
    assert metadata.melding_id == str(sent.melding_id)
    assert metadata.melding_type == "no.ks.fiks.bekymringsmelding.mottatt.v1"
    assert metadata.avsender_id == str(oslo.account_id)
    assert metadata.svar_til == str(answered)
    assert (metadata.klient_melding_id, metadata.klient_korrelasjons_id) == ("k-1", "æøå")
    assert metadata.expiration_ms is not None
    assert 86_000_000 < metadata.expiration_ms <= 86_400_000
    assert (delivery.body, delivery.redelivered) == (b"sealed", False)


async def test_a_large_body_comes_from_the_document_store(
    oslo: FiksSession, bergen: FiksSession, fiks: Simulator
) -> None:
    body = bytes(range(256)) * 4 * 8192
    arrivals = Arrivals(bergen, fiks.settings_for("bergen"))
    async with arrivals.consumer():
        sent = await Outbound(oslo).send(
            melding_type="no.ks.fiks.bekymringsmelding.mottatt.v1", mottaker_konto_id=bergen.account_id, body=body
        )
        delivery = await arrivals.next()
    assert delivery.metadata.dokumentlager_id == str(sent.dokumentlager_id)
    assert delivery.body == b""
    store = Documents(bergen)
    pieces = [piece async for piece in store.download(UUID(delivery.metadata.dokumentlager_id))]
    assert b"".join(pieces) == body
    with pytest.raises(NotFound):
        async for _ in store.download(uuid4()):
            pass


@pytest.mark.parametrize("serves_ranges", [True, False])
async def test_a_download_over_a_connection_that_breaks_again_and_again_is_whole(
    serves_ranges: bool, oslo: FiksSession, bergen: FiksSession, fiks: Simulator
) -> None:
    body = bytes(range(256)) * 4 * 8192
    fiks.platform.documents.serves_ranges = serves_ranges
    sent = await Outbound(oslo).send(melding_type="t", mottaker_konto_id=bergen.account_id, body=body)
    assert sent.dokumentlager_id is not None
    api = URL(fiks.api_url)
    async with TcpProxy(api.host or "", api.port or 0) as proxy:
        settings = changed(fiks.settings_for("bergen"), "platform", api_url=str(api.with_port(proxy.port)))
        clock = FakeClock()
        async with FiksSession(settings, clock=clock) as session:
            received = b""
            async for piece in Documents(session).download(sent.dokumentlager_id):
                if len(received) // 2_000_000 < len(received + piece) // 2_000_000:
                    proxy.cut()
                received += piece
            assert received == body
    assert len(clock.slept) >= 4


async def test_a_token_the_platform_thinks_expired_is_replaced_within_the_call(
    oslo: FiksSession, bergen: FiksSession, fiks: Simulator
) -> None:
    """Our clock stands still, so only the platform's 401 can tell us."""
    first = await oslo.access_token()
    fiks.clock.advance(timedelta(hours=1))
    await Outbound(oslo).send(melding_type="t", mottaker_konto_id=bergen.account_id)
    assert await oslo.access_token() != first


@pytest.mark.parametrize(
    ("table", "values"),
    [
        ("integration", {"password": SecretStr("wrong")}),
        ("integration", {"id": uuid4()}),
        ("maskinporten", {"client_id": "nobody"}),
        ("maskinporten", {"issuer": "https://elsewhere/"}),
        ("maskinporten", {"scope": "ks:other"}),
    ],
    ids=["password", "integration", "client", "issuer", "scope"],
)
async def test_wrong_credentials_of_each_kind_are_refused_and_not_repeated(
    table: str, values: dict[str, object], fiks: Simulator, bergen: FiksSession
) -> None:
    settings = fiks.settings_for("oslo")
    settings = changed(settings, "maskinporten", token_url=fiks.issuer.rstrip("/") + "/token")
    clock = FakeClock()
    async with FiksSession(changed(settings, table, **values), clock=clock) as session:
        with pytest.raises(AccessRefused) as caught:
            await Outbound(session).send(melding_type="t", mottaker_konto_id=bergen.account_id)
    assert "wrong" not in str(caught.value)
    assert clock.slept == []


async def test_sending_to_nobody_is_refused_for_good(oslo: FiksSession) -> None:
    with pytest.raises((NotFound, RequestRefused)):
        await Outbound(oslo).send(melding_type="t", mottaker_konto_id=uuid4())


async def test_a_platform_that_is_gone_is_unavailable(fiks: Simulator) -> None:
    settings = changed(fiks.settings_for("oslo"), "platform", api_url="http://127.0.0.1:9")
    async with FiksSession(settings, clock=FakeClock()) as session:
        with pytest.raises(PlatformUnavailable):
            await Catalog(session).account(uuid4())
