"""The bekymringsmelding API, as a sender's system calls it."""

import asyncio
from collections.abc import Mapping
from uuid import UUID, uuid4

import pytest

from fiksmelding.config import Settings
from fiksmelding.errors import (
    AccessRefused,
    FiksmeldingError,
    NotFound,
    PlatformUnavailable,
    RequestRefused,
    SettingsError,
)
from fiksmelding.fiks import Bydel, FiksSession, Kommune, OutcomeUnknown, Reports
from fiksmelding.messages import MessageType
from support.fake_clock import FakeClock
from support.multipart import parts
from support.platform import Handler, Platform, answer, error, hang_up

ORGANISATION = UUID("3a0d8f0e-1c54-4f0e-8f2e-5a5c4f0b8f22")
REPORT = uuid4()
ASICE = bytes(range(256)) * 900
PRINT_COPY = b"the print copy"


@pytest.fixture
def settings(settings: Settings) -> Settings:
    account = settings.account.model_copy(update={"organisation_id": ORGANISATION})
    return settings.model_copy(update={"account": account})


@pytest.fixture
def reports(session: FiksSession) -> Reports:
    return Reports(session)


async def submit(reports: Reports, message_type: MessageType = MessageType.PRIVAT_V2) -> UUID:
    return await reports.submit(message_type, "4601", "02", asice=ASICE, print_copy=PRINT_COPY)


DISTRICT = {"bydelsnummer": "02", "bydelsnavn": "Bergenhus", "standardMottaker": True, "stottetVersjon": "V2", "ny": 1}


async def test_municipalities_and_districts_are_read(reports: Reports, platform: Platform) -> None:
    kommune = {"kommunenr": "4601", "navn": "Bergen", "bydeler": [DISTRICT]}
    bydel = Bydel("02", "Bergenhus", standard_mottaker=True, stottet_versjon="V2")
    platform.then(*(answer(200, content) for content in ([kommune], kommune, [DISTRICT], DISTRICT, [])))
    assert await reports.kommuner(sprak_kode="nn") == (Kommune("4601", "Bergen", (bydel,)),)
    assert await reports.kommune("4601") == Kommune("4601", "Bergen", (bydel,))
    assert await reports.bydeler("4601") == (bydel,)
    assert await reports.bydel("4601", "02") == bydel
    assert await reports.bydeler("1103") == ()
    base = "/bekymringsmelding/api/v2/kommuner"
    paths = [base, f"{base}/4601", f"{base}/4601/bydeler", f"{base}/4601/bydeler/02", f"{base}/1103/bydeler"]
    assert [seen.path for seen in platform.seen] == paths
    assert [dict(seen.query) for seen in platform.seen[:2]] == [{"sprakKode": "nn"}, {}]


@pytest.mark.parametrize(
    ("said", "takes"), [("V1", False), ("V2", True), ("V3", True), (None, False), ("", False), ("V²", False)]
)
def test_a_receiver_of_version_2_or_later_takes_version_2(said: str | None, takes: bool) -> None:
    assert Bydel("00", stottet_versjon=said).takes_version_2 is takes


async def test_version_1_of_the_api_says_less(session: FiksSession, platform: Platform) -> None:
    less = {"bydelsnummer": "00", "bydelsnavn": "Tromsø", "standardMottaker": True}
    key = {"nokkel": "PEM", "validFrom": "2026-01-01T00:00:00", "serial": "1"}
    platform.then(answer(200, [less]), answer(200, {"printOffentligNokkel": key, "fiksIOOffentligNokkel": key}))
    old = Reports(session, version=1)
    assert not (await old.bydeler("5501"))[0].takes_version_2
    assert (await old.keys("5501", "00")).fiks_io_offentlig_nokkel.gyldig
    assert all("/api/v1/" in seen.path for seen in platform.seen)


@pytest.mark.parametrize("message_type", [MessageType.PRIVAT_V2, MessageType.OFFENTLIG_V1])
async def test_a_report_is_handed_in_as_the_contract_says(
    message_type: MessageType, reports: Reports, platform: Platform
) -> None:
    platform.then(answer(201, {"uuid": str(REPORT)}))
    assert await submit(reports, message_type) == REPORT
    (seen,) = platform.seen
    kind, version = message_type.split(".")[-2:]
    place = f"mottak/fagsystem/{ORGANISATION}/4601/02/{kind}"
    assert (seen.method, seen.path) == ("POST", f"/bekymringsmelding/api/{version}/{place}")
    found = parts(seen)
    assert {name: part.content for name, part in found.items()} == {"bekymringsmelding": PRINT_COPY, "asice": ASICE}
    assert {name: part.filename for name, part in found.items()} == {
        "bekymringsmelding": "bekymringsmelding.pdf",
        "asice": "asice.zip",
    }
    for header in ("Authorization", "IntegrasjonId", "IntegrasjonPassord"):
        assert header in seen.headers


@pytest.mark.parametrize("trouble", [hang_up, error(500), error(502), error(504)], ids=["lost", "500", "502", "504"])
async def test_without_an_answer_the_outcome_is_unknown_and_nothing_is_sent_again(
    trouble: Handler, reports: Reports, platform: Platform, clock: FakeClock
) -> None:
    platform.then(trouble)
    with pytest.raises(OutcomeUnknown) as caught:
        await submit(reports)
    assert not caught.value.taken
    assert len(platform.seen) == 1
    assert clock.slept == []


@pytest.mark.parametrize("content", [{}, {"uuid": "no uuid"}, {"uuid": None}, []])
async def test_a_201_without_an_id_means_taken(content: object, reports: Reports, platform: Platform) -> None:
    platform.then(answer(201, content))
    with pytest.raises(OutcomeUnknown) as caught:
        await submit(reports)
    assert caught.value.taken


@pytest.mark.parametrize("status", [429, 503])
async def test_a_platform_that_says_not_now_has_not_taken_it(status: int, reports: Reports, platform: Platform) -> None:
    platform.then(error(status))
    with pytest.raises(PlatformUnavailable) as caught:
        await submit(reports)
    assert not isinstance(caught.value, OutcomeUnknown)
    assert len(platform.seen) == 1


async def test_without_a_connection_it_was_not_taken(settings: Settings, clock: FakeClock, platform: Platform) -> None:
    nowhere = settings.platform.model_copy(update={"api_url": "http://127.0.0.1:9"})
    async with FiksSession(settings.model_copy(update={"platform": nowhere}), clock=clock) as session:
        with pytest.raises(PlatformUnavailable) as caught:
            await submit(Reports(session))
    assert not isinstance(caught.value, OutcomeUnknown)


async def test_without_a_token_it_was_not_taken(reports: Reports, platform: Platform) -> None:
    platform.token_answers.extend([error(503)] * 4)
    with pytest.raises(PlatformUnavailable) as caught:
        await submit(reports)
    assert not isinstance(caught.value, OutcomeUnknown)
    assert platform.seen == []


async def test_half_a_report_is_no_report(settings: Settings, clock: FakeClock) -> None:
    """The connection breaks while the body is on its way: what came can be no report."""

    async def break_off(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(65_536)
        writer.transport.abort()

    server = await asyncio.start_server(break_off, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    urls = {"api_url": f"http://127.0.0.1:{port}"}
    changed = settings.model_copy(update={"platform": settings.platform.model_copy(update=urls)})
    async with server, FiksSession(changed, clock=clock) as session:
        with pytest.raises(PlatformUnavailable) as caught:
            await Reports(session).submit(
                MessageType.PRIVAT_V2, "4601", "02", asice=bytes(64 * 1024 * 1024), print_copy=PRINT_COPY
            )
    assert not isinstance(caught.value, OutcomeUnknown)


@pytest.mark.parametrize(
    ("trouble", "kind"),
    [
        (error(401, "Autentisering feilet for integrasjon med id x"), AccessRefused),
        (error(403), AccessRefused),
        (error(404), NotFound),
        (error(400), RequestRefused),
        (error(413), RequestRefused),
    ],
)
async def test_a_refusal_is_told_by_its_kind(
    trouble: Handler, kind: type[FiksmeldingError], reports: Reports, platform: Platform
) -> None:
    platform.then(trouble)
    with pytest.raises(kind):
        await submit(reports)


async def test_the_states_of_a_report_are_read_unknown_ones_too(reports: Reports, platform: Platform) -> None:
    states: list[Mapping[str, object]] = [
        {"bekymringsmeldingId": str(REPORT), "tidspunkt": "2026-03-02T09:15:00", "tilstand": "AKSEPTERT"},
        {"tidspunkt": "2026-03-02T09:15:01Z", "tilstand": "NOE_NYTT", "beskrivelse": None},
    ]
    platform.then(answer(200, states))
    read = await reports.status(REPORT)
    assert [state.tilstand for state in read] == ["AKSEPTERT", "NOE_NYTT"]
    path = f"/bekymringsmelding/api/v2/mottak/fagsystem/{ORGANISATION}/bekymringsmelding/{REPORT}/status"
    assert platform.seen[0].path == path


async def test_looking_up_is_tried_again(reports: Reports, platform: Platform) -> None:
    platform.then(hang_up, error(500), answer(200, []))
    assert await reports.bydeler("4601") == ()


@pytest.mark.parametrize(("kommune", "bydel"), [("460", "02"), ("4601", "2"), ("٤٦٠١", "02"), ("4601", "02\n")])
async def test_what_is_no_number_is_not_asked_for(
    kommune: str, bydel: str, reports: Reports, platform: Platform
) -> None:
    with pytest.raises(RequestRefused):
        await reports.keys(kommune, bydel)
    assert platform.seen == []


async def test_only_reports_are_submitted(reports: Reports) -> None:
    with pytest.raises(RequestRefused):
        await submit(reports, MessageType.MOTTATT)


async def test_without_our_organisation_nothing_is_submitted(session: FiksSession) -> None:
    session._settings = session._settings.model_copy(
        update={"account": session._settings.account.model_copy(update={"organisation_id": None})}
    )
    with pytest.raises(SettingsError, match="organisation_id"):
        await submit(Reports(session))
