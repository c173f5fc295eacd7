"""The case system of the chaos runs remembers every call, also across its own death."""

from pathlib import Path

from chaos.case_system import CaseSystem, Misbehaviour, read_misbehaviours, write_misbehaviours


def test_it_answers_the_same_reference_for_the_same_key_and_notes_that_it_was_asked_again(tmp_path: Path) -> None:
    path = tmp_path / "cases.db"
    with CaseSystem(path) as cases:
        cases.ask("r1", melding_id="m1", content="hash", told_repeat=False)
        first = cases.store("r1", melding_id="m1", content="hash")
    with CaseSystem(path) as cases:
        cases.ask("r1", melding_id="m1", content="hash", told_repeat=True)
        assert cases.store("r1", melding_id="m1", content="hash") == first
        assert cases.has(first)
        assert not cases.has("SAK-r2")
        assert [(call.had_already, call.told_repeat) for call in cases.calls()] == [(False, False), (True, True)]
        [case] = cases.cases()
        assert case.had_at is not None
        assert cases.calls()[0].asked_at < case.had_at < cases.calls()[1].asked_at


def test_it_misbehaves_at_the_first_call_for_a_report_only(tmp_path: Path) -> None:
    write_misbehaviours(tmp_path / "wrong.json", {"r1": Misbehaviour.LIES})
    with CaseSystem(tmp_path / "cases.db", read_misbehaviours(tmp_path / "wrong.json")) as cases:
        answers = [cases.ask(key, melding_id="m", content="hash", told_repeat=True) for key in ("r2", "r1", "r1")]
        assert answers == [None, Misbehaviour.LIES, None]
        assert [call.misbehaviour for call in cases.calls()] == answers


def test_it_proves_that_a_report_is_there_only_after_it_is_on_disk(tmp_path: Path) -> None:
    with CaseSystem(tmp_path / "cases.db") as cases, CaseSystem(tmp_path / "cases.db") as other:
        reference = cases.store("r1", melding_id="m1", content="hash")
        assert other.has(reference)
        assert other.cases() == cases.cases()
