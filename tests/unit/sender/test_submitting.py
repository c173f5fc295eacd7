"""Handing a report over: taken, not taken, refused, or not known."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from fiksmelding.alarms import AlarmKind
from fiksmelding.errors import (
    AccessRefused,
    FiksmeldingError,
    JournalError,
    JournalUnavailable,
    NotFound,
    PlatformUnavailable,
    RequestRefused,
)
from fiksmelding.fiks import OutcomeUnknown
from fiksmelding.journal import EventKind
from fiksmelding.journal.outbox import Outbox, Outgoing, OutgoingState, Step
from fiksmelding.sender import SendStep
from fiksmelding.sender.recording import retry
from fiksmelding.simulator.pki import Authority
from support.shipping import COPIES, Shipping

MakeShipping = Callable[..., Shipping]


def lost(*, taken: bool = False) -> OutcomeUnknown:
    return OutcomeUnknown("No answer came.", taken=taken, status=201 if taken else None, path="/x")


async def test_a_report_is_handed_over_once_as_it_was_sealed(shipping: Shipping) -> None:
    accepted = await shipping.accepted()
    assert [(str(report_id), copies) for report_id, copies in shipping.platform.taken.items()] == [
        (accepted.report_id, COPIES)
    ]
    assert await shipping.kinds() == ["queued", "submitting", "submitted"]
    assert shipping.steps == [SendStep.SUBMITTING, SendStep.HANDED_OVER, SendStep.ACCEPTED]
    assert [progress.kind.value for progress in shipping.told] == ["submitting", "submitted"]
    assert (accepted.uncertain, shipping.alarms) == (False, [])


async def test_a_platform_that_is_down_for_hours_is_tried_with_growing_waits_and_one_alarm(shipping: Shipping) -> None:
    kept = await shipping.keep()
    shipping.platform.troubles = [PlatformUnavailable("down", status=503)] * 60
    dues: list[timedelta] = []
    while shipping.clock.now() - kept.order.kept_at < timedelta(hours=3):
        waiting = await shipping.walk_on()
        assert waiting.state is OutgoingState.QUEUED
        assert waiting.due_at is not None
        dues.append(waiting.due_at - shipping.clock.now())
    assert timedelta(seconds=0.5) <= dues[0] <= timedelta(seconds=1)
    assert timedelta(seconds=150) <= dues[-1] <= timedelta(seconds=300)
    assert shipping.alarmed() == [AlarmKind.UNSENT]
    shipping.platform.troubles.clear()
    assert (await shipping.walk_on()).state is OutgoingState.ACCEPTED
    assert len(shipping.platform.taken) == 1


@pytest.mark.parametrize("status", [401, 403])
async def test_what_is_wrong_with_our_access_is_not_the_report_s_fault(shipping: Shipping, status: int) -> None:
    await shipping.keep()
    shipping.platform.troubles = [AccessRefused("not recognised", status=status)] * 2
    waiting = await shipping.walk_on(2)
    assert waiting.state is OutgoingState.QUEUED
    assert shipping.alarmed() == [AlarmKind.ACCESS_REFUSED]
    assert (await shipping.walk_on()).state is OutgoingState.ACCEPTED


@pytest.mark.parametrize("error", [NotFound("no such office", status=404), RequestRefused("too large", status=413)])
async def test_what_is_refused_waits_for_a_person_who_hears_of_it_daily(
    shipping: Shipping, error: FiksmeldingError
) -> None:
    await shipping.keep()
    shipping.platform.troubles = [error]
    refused = await shipping.walk_on()
    assert (refused.state, refused.reason) == (OutgoingState.REFUSED, str(error))
    await shipping.walk_on(2)
    assert shipping.alarmed() == [AlarmKind.SUBMIT_REFUSED] * 3
    assert shipping.platform.submissions == 1
    await retry(shipping.outbox, await shipping.outbox.get(refused.id), at=shipping.clock.now())
    assert (await shipping.walk_on()).state is OutgoingState.ACCEPTED
    assert len(shipping.platform.taken) == 1


async def test_a_lost_answer_is_told_and_the_report_is_sent_again_only_after_the_time_to_decide(
    shipping: Shipping,
) -> None:
    await shipping.keep()
    shipping.platform.troubles = [lost()]
    uncertain = await shipping.walk_on()
    assert (uncertain.state, uncertain.uncertain) == (OutgoingState.UNCERTAIN, True)
    assert shipping.alarmed() == [AlarmKind.OUTCOME_UNKNOWN]
    assert await shipping.walk(timedelta(hours=3, minutes=59)) is None
    accepted = await shipping.walk(timedelta(minutes=1))
    assert accepted is not None
    assert (accepted.state, accepted.uncertain) == (OutgoingState.ACCEPTED, True)
    assert shipping.alarmed() == [AlarmKind.OUTCOME_UNKNOWN, AlarmKind.SENT_AGAIN]
    second = [event for event in await shipping.outbox.events(accepted.id) if event.kind is EventKind.SUBMITTING][1]
    assert second.detail["possible_repetition"] == 1
    assert list(shipping.platform.taken.values()) == [COPIES], "the very same bytes, so that receivers know it again"


async def test_by_policy_it_waits_for_a_person_however_long_that_takes(make: MakeShipping) -> None:
    shipping = make(uncertain="wait")
    await shipping.keep()
    shipping.platform.troubles = [lost()]
    uncertain = await shipping.walk_on(4)
    assert uncertain.state is OutgoingState.UNCERTAIN
    assert shipping.platform.submissions == 1
    assert shipping.alarmed() == [AlarmKind.OUTCOME_UNKNOWN] * 4
    found = await shipping.outbox.accept(
        uncertain.id, "8b0f6a50-0000-4000-8000-000000000001", due_at=shipping.clock.now(), at=shipping.clock.now()
    )
    assert found.state is OutgoingState.ACCEPTED


async def test_what_was_taken_without_an_id_is_never_sent_again_by_itself(shipping: Shipping) -> None:
    await shipping.keep()
    shipping.platform.troubles = [lost(taken=True)]
    untraced = await shipping.walk_on(3)
    assert untraced.state is OutgoingState.UNTRACED
    assert shipping.platform.submissions == 1
    assert shipping.alarmed() == [AlarmKind.OUTCOME_UNKNOWN] * 3


async def test_a_crash_in_the_call_is_an_unknown_outcome(shipping: Shipping) -> None:
    await shipping.keep()
    [claimed] = await shipping.outbox.claim(shipping.clock.now(), owner="dead", lease=timedelta(minutes=1), limit=1)
    begun = Step(event=EventKind.SUBMITTING, state=OutgoingState.SUBMITTING, due_at=shipping.clock.now(), submissions=1)
    await shipping.outbox.record(claimed, begun, at=shipping.clock.now())
    uncertain = await shipping.walk(timedelta(minutes=2))
    assert uncertain is not None
    assert (uncertain.state, uncertain.uncertain) == (OutgoingState.UNCERTAIN, True)
    assert shipping.platform.submissions == 0


async def test_that_the_platform_took_it_is_recorded_however_long_the_outbox_is_down(
    shipping: Shipping, monkeypatch: pytest.MonkeyPatch
) -> None:
    await shipping.keep()
    faults = [JournalUnavailable("disk full")] * 3
    accept = Outbox.accept

    async def sometimes(outbox: Outbox, *given: str, **more: object) -> Outgoing:
        if faults:
            raise faults.pop()
        return await accept(outbox, *given, **more)  # type: ignore[arg-type]

    async def no_wait(seconds: float) -> None:
        shipping.clock.advance(timedelta(seconds=seconds))

    monkeypatch.setattr(Outbox, "accept", sometimes)
    monkeypatch.setattr(shipping.clock, "sleep", no_wait)
    walked = await shipping.walk()
    assert walked is not None
    assert walked.state is OutgoingState.ACCEPTED
    assert shipping.platform.submissions == 1


async def test_a_report_whose_key_has_expired_meanwhile_is_not_sent(shipping: Shipping) -> None:
    await shipping.keep(keys_for=timedelta(hours=1))
    refused = await shipping.walk(timedelta(hours=2))
    assert refused is not None
    assert refused.state is OutgoingState.REFUSED
    assert "expired" in str(refused.reason)
    assert shipping.platform.submissions == 0


async def test_a_report_whose_key_was_revoked_meanwhile_is_not_sent(shipping: Shipping) -> None:
    await shipping.keep()
    shipping.platform.valid = False
    refused = await shipping.walk(timedelta(hours=2))
    assert refused is not None
    assert refused.state is OutgoingState.REFUSED
    assert "send the report again" in str(refused.reason)


async def test_a_key_that_was_merely_replaced_is_no_hindrance(shipping: Shipping, authority: Authority) -> None:
    await shipping.keep()
    shipping.platform.receiver, shipping.platform.valid = authority.business("964338531", "Bergen kommune (ny)"), True
    walked = await shipping.walk(timedelta(hours=2))
    assert walked is not None
    assert walked.state is OutgoingState.ACCEPTED


async def test_what_is_with_the_platform_is_not_sent_again_by_hand(shipping: Shipping) -> None:
    accepted = await shipping.accepted()
    with pytest.raises(JournalError, match="not sent again"):
        await retry(shipping.outbox, accepted, at=shipping.clock.now())
