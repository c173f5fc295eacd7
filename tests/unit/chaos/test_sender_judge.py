"""The judge of the sending side convicts a bad sender of each thing it can do wrong, and nobody else."""

from dataclasses import replace

import pytest
from chaos.sender_judge import Acceptance, Claim, Wanted, judge
from chaos.verdict import Verdict
from chaos.words import Statement

WANTED = Wanted("k1", "hash", frozenset({"s1"}))
TAKEN = Acceptance("r1", "hash", "sealed", taken_at=10, delivered_at=20)
CLAIM = Claim("s1", "k1", "DELIVERED", "r1", uncertain=False, repetitions=0)
ACCEPTED = Statement("s1", "ACCEPTED", "r1", at=11)
DELIVERED = Statement("s1", "DELIVERED", None, at=21)


def verdict(
    *,
    wanted: tuple[Wanted, ...] = (WANTED,),
    taken: tuple[Acceptance, ...] = (TAKEN,),
    claims: tuple[Claim, ...] = (CLAIM,),
    said: tuple[Statement, ...] = (ACCEPTED, DELIVERED),
) -> Verdict:
    return judge(wanted, taken, claims, said)


def blamed(found: Verdict) -> dict[str, list[str]]:
    return {what: list(ids) for what, ids in found.complaints().items() if ids}


def test_a_report_taken_once_and_followed_to_its_end_is_fine() -> None:
    found = verdict()
    assert found.blameless
    assert (found.reports, found.registered, found.answered) == (1, 1, 1)


def test_a_report_that_is_nowhere_is_lost() -> None:
    assert blamed(verdict(taken=(), claims=(), said=())) == {"lost": ["k1"], "unanswered": ["k1"]}


@pytest.mark.parametrize("state", ["UNCERTAIN", "UNTRACED"])
@pytest.mark.parametrize("taken", [(), (TAKEN,)])
def test_a_report_that_is_told_to_be_uncertain_is_not_lost_and_needs_no_more(
    state: str, taken: tuple[Acceptance, ...]
) -> None:
    found = verdict(taken=taken, claims=(replace(CLAIM, state=state, report_id=None, uncertain=True),), said=())
    assert found.blameless
    assert (found.registered, found.answered, list(found.uncertain)) == (len(taken), 1, ["k1"])


@pytest.mark.parametrize("state", ["QUEUED", "SUBMITTING", "REFUSED"])
def test_a_report_that_still_waits_at_the_end_is_unanswered_and_not_lost(state: str) -> None:
    assert blamed(verdict(taken=(), claims=(replace(CLAIM, state=state, report_id=None),), said=())) == {
        "unanswered": ["k1"]
    }


def test_a_report_that_is_followed_for_ever_is_unanswered() -> None:
    assert blamed(verdict(claims=(replace(CLAIM, state="ACCEPTED"),))) == {"unanswered": ["k1"]}


def test_a_report_taken_twice_is_fine_only_when_that_was_told_beforehand() -> None:
    taken = (TAKEN, replace(TAKEN, report_id="r2"))
    told = replace(CLAIM, uncertain=True, repetitions=1)
    assert verdict(taken=taken, claims=(told,)).blameless
    assert blamed(verdict(taken=taken)) == {"twice": ["k1"]}
    assert blamed(verdict(taken=(*taken, replace(TAKEN, report_id="r3")), claims=(told,))) == {"twice": ["k1"]}
    assert verdict(taken=taken).registered == 0


def test_a_repetition_that_was_sealed_anew_is_twice_for_no_receiver_would_know_it() -> None:
    taken = (TAKEN, replace(TAKEN, report_id="r2", sealed="other"))
    assert blamed(verdict(taken=taken, claims=(replace(CLAIM, uncertain=True, repetitions=1),))) == {"twice": ["k1"]}


def test_whoever_says_that_a_report_is_accepted_before_the_platform_has_it_is_early() -> None:
    assert blamed(verdict(said=(replace(ACCEPTED, at=9), DELIVERED))) == {"early": ["k1"]}
    assert blamed(verdict(said=(ACCEPTED, replace(DELIVERED, at=19)))) == {"early": ["k1"]}


def test_an_outbox_that_says_what_is_not_true_is_early() -> None:
    assert blamed(verdict(taken=(replace(TAKEN, delivered_at=None),), said=(ACCEPTED,))) == {"early": ["k1"]}
    assert blamed(verdict(taken=(), said=())) == {"lost": ["k1"], "early": ["k1"], "contradicted": ["k1"]}


def test_one_report_under_two_ids_is_contradicted_whether_the_caller_or_the_outbox_has_them() -> None:
    assert blamed(verdict(wanted=(replace(WANTED, sent_ids=frozenset({"s1", "s2"})),))) == {"contradicted": ["k1"]}
    assert blamed(verdict(claims=(CLAIM, replace(CLAIM, sent_id="s2")))) == {"contradicted": ["k1"]}


def test_an_id_that_the_platform_never_gave_is_contradicted() -> None:
    assert blamed(verdict(claims=(replace(CLAIM, report_id="r9"),))) == {"contradicted": ["k1"]}


def test_a_caller_who_never_got_an_id_is_unanswered() -> None:
    assert blamed(verdict(wanted=(replace(WANTED, sent_ids=frozenset()),))) == {"unanswered": ["k1"]}


def test_what_belongs_to_no_report_is_told() -> None:
    assert blamed(verdict(taken=(TAKEN, replace(TAKEN, report_id="r9", content="")))) == {"stray": ["r9"]}
    assert blamed(verdict(claims=(CLAIM, replace(CLAIM, sent_id="s9", key="")))) == {"stray": ["s9"]}
    assert blamed(verdict(said=(ACCEPTED, DELIVERED, replace(ACCEPTED, sent_id="s8")))) == {"stray": ["s8"]}
