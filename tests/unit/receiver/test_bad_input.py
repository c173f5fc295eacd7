import pytest

from fiksmelding.envelope import Trust
from fiksmelding.journal import EventKind, State
from fiksmelding.simulator.pki import Authority, Credential
from support.arrivals import NOON, arrival
from support.roads import CaseSystem, Journeys, privat_json
from unit.receiver.conftest import MakeJourneys

FEILET = "no.ks.fiks.bekymringsmelding.feilet.v1"


def bodies(journeys: Journeys, case: str) -> bytes:
    sealed = journeys.report()
    match case:
        case "empty":
            return b""
        case "no envelope":
            return b"this is plain text, not an envelope"
        case "truncated":
            return sealed[: len(sealed) // 2]
        case "tampered":
            middle = len(sealed) // 2
            return sealed[:middle] + bytes([sealed[middle] ^ 1]) + sealed[middle + 1 :]
        case "neither json nor pdf":
            return journeys.sealed({"readme.txt": b"hello"})
        case _:
            return journeys.sealed({"bekymringsmelding.json": b"{}"})


CASES = ["empty", "no envelope", "truncated", "tampered", "neither json nor pdf", "invalid json and no pdf"]


@pytest.mark.parametrize("case", CASES)
async def test_what_cannot_be_opened_is_kept_and_set_aside_and_answered_at_the_deadline(
    journeys: Journeys, case_system: CaseSystem, case: str
) -> None:
    body = bodies(journeys, case)
    entry = await journeys.walk(await journeys.keep(body))
    assert entry.state is State.QUARANTINED
    assert entry.reason
    assert journeys.platform.sent == []
    assert b"".join([piece async for piece in journeys.journal.payload(entry)]) == body
    assert (await journeys.journal.events(entry.id))[-1].kind is EventKind.QUARANTINED
    entry = await journeys.walk_later(entry)
    assert journeys.clock.now() == entry.arrival.deadline_at
    assert entry.state is State.RECEIPTED
    assert [sent.melding_type for sent in journeys.platform.sent] == [FEILET]
    assert case_system.calls == []


async def test_an_envelope_for_another_key_is_set_aside(
    journeys: Journeys, authority: Authority, case_system: CaseSystem
) -> None:
    stranger = authority.business("971032081", "En annen kommune (test)")
    journeys.recipient = stranger
    entry = await journeys.walk(await journeys.keep(journeys.report()))
    assert entry.state is State.QUARANTINED
    assert (entry.reason or "").startswith("DecryptionFailed: ")
    assert case_system.calls == []


async def test_an_untrusted_signer_is_set_aside_when_the_policy_asks_for_a_chain(
    make: MakeJourneys, authority: Authority
) -> None:
    strangers = Authority.new()
    journeys = make(trust=Trust(roots=(authority.root.certificate,), policy="require_chain"))
    journeys.clock.advance(journeys.sender.certificate.not_valid_before_utc - NOON)
    good = await journeys.walk(await journeys.keep(journeys.report()))
    assert good.state is not State.QUARANTINED
    journeys.sender = strangers.business("974760673", "Ikke den du tror")
    bad = await journeys.walk(await journeys.keep(journeys.report(privat_json("noe annet"))))
    assert bad.state is State.QUARANTINED
    assert (bad.reason or "").startswith("SignatureInvalid: The signer is not trusted")


@pytest.mark.parametrize("missing", [("melding-id",), ("avsender-id",), ("type",)])
async def test_a_delivery_without_required_headers_is_kept_and_waits_for_a_person(
    journeys: Journeys, missing: tuple[str, ...]
) -> None:
    complete = arrival()
    delivery = type(complete)(
        konto_id=complete.konto_id,
        melding_id=None if "melding-id" in missing else complete.melding_id,
        melding_type=None if "type" in missing else complete.melding_type,
        avsender_id=None if "avsender-id" in missing else complete.avsender_id,
        missing=missing,
        received_at=complete.received_at,
        deadline_at=complete.deadline_at,
    )
    entry = await journeys.walk(await journeys.keep(journeys.report(), delivery))
    assert entry.state is State.QUARANTINED
    assert missing[0] in (entry.reason or "")
    assert entry.due_at is None


async def test_an_unknown_type_of_our_protocol_is_answered_at_the_deadline(journeys: Journeys) -> None:
    newer = arrival(melding_type="no.ks.fiks.bekymringsmelding.privat.v9")
    entry = await journeys.walk(await journeys.keep(journeys.report(), newer))
    assert (entry.state, entry.reason) == (State.QUARANTINED, "unknown message type")
    entry = await journeys.walk_later(entry)
    assert [sent.melding_type for sent in journeys.platform.sent] == [FEILET]


@pytest.mark.parametrize("kind", ["no.ks.fiks.arkiv.v1.opprett", ""])
async def test_a_message_of_another_protocol_is_kept_and_not_answered(journeys: Journeys, kind: str) -> None:
    entry = await journeys.walk(await journeys.keep(journeys.report(), arrival(melding_type=kind)))
    assert entry.state is State.QUARANTINED
    assert entry.due_at is None


@pytest.mark.parametrize("json_bytes", [b"{}", b"not json", b'{"melding": 7}', b"\xff\xfe", b"[" * 5000])
async def test_a_report_that_no_schema_accepts_is_handed_on_unstructured(
    journeys: Journeys, case_system: CaseSystem, json_bytes: bytes
) -> None:
    entry = await journeys.walk(await journeys.keep(journeys.report(json_bytes)))
    assert entry.state is State.RECEIPTED
    assert list(case_system.stored.values()) == [json_bytes]
    assert list(case_system.structured.values()) == [False]


async def test_a_report_that_no_schema_accepts_is_rejected_when_the_policy_says_so(
    make: MakeJourneys, case_system: CaseSystem
) -> None:
    journeys = make(unstructured=False)
    await journeys.walk(await journeys.keep(journeys.report(b"{}")))
    assert [sent.melding_type for sent in journeys.platform.sent] == [FEILET]
    assert case_system.calls == []


async def test_a_report_under_the_wrong_type_is_read_by_the_schema_that_accepts_it(
    journeys: Journeys, case_system: CaseSystem
) -> None:
    wrong = arrival(melding_type="no.ks.fiks.bekymringsmelding.offentlig.v2")
    await journeys.walk(await journeys.keep(journeys.report(), wrong))
    assert list(case_system.structured.values()) == [True]


async def test_bad_input_does_not_stop_a_good_report(journeys: Journeys, recipient_credential: Credential) -> None:
    for case in CASES:
        await journeys.walk(await journeys.keep(bodies(journeys, case), arrival(received_at=NOON)))
    good = await journeys.walk(await journeys.keep(journeys.report(privat_json("et godt formulert innhold"))))
    assert good.state is State.RECEIPTED
