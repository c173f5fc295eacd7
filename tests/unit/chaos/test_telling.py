"""What a run tells at the end: one line when all is well; whom it concerns, and how to see it again, when not."""

from dataclasses import replace
from pathlib import Path

from chaos.plan import Options, Plan, draw
from chaos.running import Outcome
from chaos.telling import again, closing_line, complaints
from chaos.verdict import Verdict

PLAN: Plan = draw(Options(reports=3, minutes=0.5, seed=7, faults=2))
AGAIN = "REPORTS=3 MINUTES=0.5 SEED=7 SIDE=receiver RECEIVERS=1 JOURNAL=sqlite BROKER=embedded FAULTS=2"
FINE = Outcome(
    plan=PLAN,
    struck={1: 2.0, 2: 60.0},
    verdict=Verdict(reports=3, registered=3, answered=3),
    submitted=dict(zip(PLAN.report_ids, (1.0, 30.0, 59.0), strict=True)),
    log_is_whole=True,
    statuses=[0],
    crashes=[],
)


def told(outcome: Outcome) -> list[str]:
    return list(complaints(outcome, Path("traces")))


def test_a_run_without_fault_ends_with_one_line() -> None:
    assert FINE.fine
    assert closing_line(FINE) == "chaos: reports=3 faults=2 registered=3 answered=3 lost=0 twice=0 early=0"
    assert told(FINE) == []


def test_a_lost_report_is_named_with_the_faults_near_it_and_the_way_to_see_it_again() -> None:
    lost = PLAN.report_ids[0]
    outcome = replace(FINE, verdict=Verdict(reports=3, registered=2, answered=3, lost=[lost]))
    assert not outcome.fine
    lines = told(outcome)
    assert lines[:2] == ["lost: 1", f"  {lost}"]
    assert f"    near it: {PLAN.faults[0]}" in lines
    assert lines[-2:] == [
        "what is left of the run: traces",
        f"the same again: make chaos {AGAIN}",
    ]


def test_a_log_that_is_not_whole_a_receiver_that_crashed_and_one_that_does_not_stop_are_faults_too() -> None:
    for outcome, line in (
        (replace(FINE, log_is_whole=False), "the event log is not whole: see traces/verify.log"),
        (replace(FINE, crashes=["receiver 0 ended by itself"]), "receiver 0 ended by itself"),
        (replace(FINE, statuses=[0, -9]), "receivers ended with status 0, -9 when they were asked to stop"),
    ):
        assert not outcome.fine
        assert line in told(outcome)


def test_what_the_platform_gave_up_is_told_and_is_no_fault_of_ours() -> None:
    outcome = replace(FINE, verdict=Verdict(reports=3, registered=2, answered=2, by_letter=[PLAN.report_ids[0]]))
    assert outcome.fine
    assert told(outcome) == ["given up by the platform after three broken deliveries, and sent by letter: 1"]


def test_what_was_told_to_be_uncertain_is_no_fault_and_a_run_of_senders_is_seen_again_without_a_broker() -> None:
    plan = draw(Options(reports=3, minutes=0.5, seed=7, faults=2, side="sender", processes=2))
    verdict = Verdict(reports=3, registered=3, answered=3, uncertain=list(plan.report_ids[:1]))
    outcome = replace(FINE, plan=plan, verdict=verdict)
    assert outcome.fine
    assert told(outcome) == ["told to be uncertain at some time, and so perhaps there twice: 1"]
    assert again(plan.options) == (
        "make chaos REPORTS=3 MINUTES=0.5 SEED=7 SIDE=sender SENDERS=2 JOURNAL=sqlite FAULTS=2"
    )
