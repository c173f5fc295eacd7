"""The judge of the chaos runs convicts a bad receiver of each thing it can do wrong, and nobody else."""

from dataclasses import replace

import pytest
from chaos.case_system import Call, Case
from chaos.receiver_judge import Answer, Sending, judge
from chaos.verdict import Verdict

MOTTATT = "no.ks.fiks.bekymringsmelding.mottatt.v1"
FEILET = "no.ks.fiks.bekymringsmelding.feilet.v1"
SENDING = Sending("m1", "r1", "hash")
CALL = Call(1, "r1", "m1", "hash", told_repeat=False, had_already=False, misbehaviour=None, process=7, asked_at=10)
CASE = Case("SAK-r1", "r1", "m1", "hash", had_at=20)
ANSWER = Answer("m1", MOTTATT, "k1", taken_at=30)


def verdict(
    *,
    sendings: tuple[Sending, ...] = (SENDING,),
    calls: tuple[Call, ...] = (CALL,),
    cases: tuple[Case, ...] = (CASE,),
    answers: tuple[Answer, ...] = (ANSWER,),
) -> Verdict:
    return judge(sendings, calls, cases, answers)


def blamed(found: Verdict) -> dict[str, list[str]]:
    return {what: list(ids) for what, ids in found.complaints().items() if ids}


def test_a_report_registered_once_and_answered_then_is_fine() -> None:
    found = verdict()
    assert found.blameless
    assert (found.reports, found.registered, found.answered) == (1, 1, 1)


def test_a_report_that_the_case_system_does_not_have_is_lost_and_its_receipt_early() -> None:
    found = verdict(cases=())
    assert blamed(found) == {"lost": ["r1"], "early": ["r1"]}
    assert found.registered == 0


def test_a_report_stored_with_other_content_is_lost() -> None:
    assert blamed(verdict(cases=(replace(CASE, content="another"),))) == {"lost": ["r1"]}


def test_a_report_that_nobody_heard_of_is_lost_and_unanswered() -> None:
    assert blamed(verdict(calls=(), cases=(), answers=())) == {"lost": ["r1"], "unanswered": ["r1"]}


def test_being_asked_again_with_a_warning_is_no_fault_and_without_is_twice() -> None:
    again = replace(CALL, sequence=2, had_already=True)
    assert verdict(calls=(CALL, replace(again, told_repeat=True))).blameless
    assert blamed(verdict(calls=(CALL, again))) == {"twice": ["r1"]}


def test_a_case_system_that_had_stored_nothing_may_be_asked_again_without_a_warning() -> None:
    assert verdict(calls=(CALL, replace(CALL, sequence=2))).blameless


def test_one_report_under_two_references_is_twice() -> None:
    other = Case("SAK-m2", "m2", "m2", "hash", had_at=21)
    resent = Sending("m2", "r1", "hash")
    found = verdict(sendings=(SENDING, resent), cases=(CASE, other), answers=(ANSWER, Answer("m2", MOTTATT, "k2", 31)))
    assert blamed(found) == {"twice": ["r1"]}
    assert found.registered == 0


def test_a_receipt_taken_before_the_case_system_had_the_report_is_early() -> None:
    assert blamed(verdict(answers=(replace(ANSWER, taken_at=19),))) == {"early": ["r1"]}
    assert blamed(verdict(answers=(replace(ANSWER, taken_at=19), ANSWER))) == {"early": ["r1"]}


def test_a_receipt_for_what_nobody_saw_on_disk_is_early() -> None:
    assert blamed(verdict(cases=(replace(CASE, had_at=None),))) == {"early": ["r1"]}


def test_a_receipt_sent_again_under_its_id_is_one_answer_and_another_id_makes_two() -> None:
    assert verdict(answers=(ANSWER, replace(ANSWER, taken_at=40))).blameless
    assert blamed(verdict(answers=(ANSWER, replace(ANSWER, klient_melding_id="k2")))) == {"contradicted": ["r1"]}


@pytest.mark.parametrize("more", [(), (ANSWER,)])
def test_a_rejection_of_what_was_to_be_registered_is_no_answer(more: tuple[Answer, ...]) -> None:
    found = verdict(answers=(replace(ANSWER, message_type=FEILET), *more))
    assert blamed(found) == {"contradicted": ["r1"]}
    assert found.answered == 0


def test_each_sending_of_a_report_needs_its_answer() -> None:
    resent = Sending("m2", "r1", "hash")
    assert blamed(verdict(sendings=(SENDING, resent))) == {"unanswered": ["r1"]}
    answered = verdict(sendings=(SENDING, resent), answers=(ANSWER, Answer("m2", MOTTATT, "k2", 31)))
    assert answered.blameless
    assert answered.reports == 1


def test_what_belongs_to_no_report_is_told() -> None:
    stray = Answer("m9", MOTTATT, "k9", 31)
    assert blamed(verdict(answers=(ANSWER, stray))) == {"stray": ["m9"]}
    assert blamed(verdict(calls=(CALL, replace(CALL, melding_id="m8")))) == {"stray": ["m8"]}


def test_a_sending_that_the_platform_gave_up_before_we_heard_of_it_goes_by_letter_and_is_not_lost() -> None:
    given_up = replace(SENDING, given_up=True)
    found = verdict(sendings=(given_up,), calls=(), cases=(), answers=())
    assert found.blameless
    assert (found.reports, found.registered, found.answered, list(found.by_letter)) == (1, 0, 0, ["r1"])


def test_a_sending_that_the_platform_gave_up_after_we_kept_it_has_to_be_registered_all_the_same() -> None:
    given_up = replace(SENDING, given_up=True)
    assert verdict(sendings=(given_up,)).blameless
    assert blamed(verdict(sendings=(given_up,), cases=(), answers=())) == {"lost": ["r1"], "unanswered": ["r1"]}
