"""Sending over Fiks IO."""

import json
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from fiksmelding.errors import PlatformUnavailable, RequestRefused
from fiksmelding.fiks import FiksSession, Outbound
from support.multipart import parts
from support.platform import ACCOUNT, Platform, answer, error, hang_up

MOTTATT = "no.ks.fiks.bekymringsmelding.mottatt.v1"
RECIPIENT = uuid4()
MELDING = uuid4()


def sent(**members: object) -> object:
    return {"meldingId": str(MELDING), "meldingType": MOTTATT, "avsenderKontoId": str(ACCOUNT), **members}


async def test_a_message_without_a_body_has_no_data_part(session: FiksSession, platform: Platform) -> None:
    platform.then(answer(200, sent()))
    taken = await Outbound(session).send(melding_type=MOTTATT, mottaker_konto_id=RECIPIENT)
    assert (taken.melding_id, taken.dokumentlager_id) == (MELDING, None)
    (seen,) = platform.seen
    assert (seen.method, seen.path) == ("POST", "/fiks-io/api/v1/send")
    found = parts(seen)
    assert set(found) == {"metadata"}
    assert found["metadata"].media_type == "application/json"
    assert json.loads(found["metadata"].content) == {
        "avsenderKontoId": str(ACCOUNT),
        "mottakerKontoId": str(RECIPIENT),
        "meldingType": MOTTATT,
    }


async def test_a_full_message_arrives_as_given(session: FiksSession, platform: Platform) -> None:
    body = bytes(range(256)) * 8192
    stored = uuid4()
    platform.then(answer(200, sent(dokumentlagerId=str(stored), ukjent="x")))
    answered = uuid4()
    taken = await Outbound(session).send(
        melding_type=MOTTATT,
        mottaker_konto_id=RECIPIENT,
        svar_paa_melding=answered,
        ttl=timedelta(hours=24),
        headers={"klientMeldingId": "k-1", "klientKorrelasjonsId": "æøå"},
        body=body,
    )
    assert taken.dokumentlager_id == stored
    found = parts(platform.seen[0])
    assert (found["data"].media_type, found["data"].content) == ("application/octet-stream", body)
    metadata = json.loads(found["metadata"].content)
    assert metadata["svarPaMelding"] == str(answered)
    assert metadata["ttl"] == 86_400_000
    assert metadata["headere"] == {"klientMeldingId": "k-1", "klientKorrelasjonsId": "æøå"}


@pytest.mark.parametrize("ttl", [timedelta(0), timedelta(milliseconds=999), timedelta(days=-1)])
async def test_a_life_too_short_is_not_sent(ttl: timedelta, session: FiksSession, platform: Platform) -> None:
    with pytest.raises(RequestRefused, match="second"):
        await Outbound(session).send(melding_type=MOTTATT, mottaker_konto_id=RECIPIENT, ttl=ttl)
    assert platform.seen == []


async def test_an_empty_body_is_not_sent(session: FiksSession, platform: Platform) -> None:
    with pytest.raises(RequestRefused, match="empty"):
        await Outbound(session).send(melding_type=MOTTATT, mottaker_konto_id=RECIPIENT, body=b"")
    assert platform.seen == []


async def test_a_lost_answer_is_not_followed_by_a_second_sending(session: FiksSession, platform: Platform) -> None:
    platform.then(hang_up)
    with pytest.raises(PlatformUnavailable):
        await Outbound(session).send(melding_type=MOTTATT, mottaker_konto_id=RECIPIENT, body=b"sealed")
    assert len(platform.seen) == 1


async def test_a_repeatable_message_is_sent_again_whole(session: FiksSession, platform: Platform) -> None:
    platform.then(hang_up, error(500), answer(200, sent()))
    await Outbound(session).send(
        melding_type=MOTTATT,
        mottaker_konto_id=RECIPIENT,
        body=b"sealed",
        headers={"klientMeldingId": "k"},
        repeatable=True,
    )
    assert [parts(seen)["data"].content for seen in platform.seen] == [b"sealed"] * 3


async def test_a_message_is_sent_again_whole_after_its_token_was_refused(
    session: FiksSession, platform: Platform
) -> None:
    platform.then(error(401, "Klarte ikke å validere access_token"), answer(200, sent()))
    await Outbound(session).send(melding_type=MOTTATT, mottaker_konto_id=RECIPIENT, body=b"sealed")
    assert parts(platform.seen[1])["data"].content == b"sealed"


@pytest.mark.parametrize("content", [{}, {"meldingId": "no uuid"}, {"meldingId": None}])
async def test_an_answer_without_a_melding_id_is_unavailable(
    content: object, session: FiksSession, platform: Platform
) -> None:
    platform.then(answer(200, content))
    with pytest.raises(PlatformUnavailable):
        await Outbound(session).send(melding_type=MOTTATT, mottaker_konto_id=UUID(int=1))
