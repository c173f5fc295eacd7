"""What goes wrong is drawn wholly from the seed."""

from typing import Literal

import pytest
from chaos.faults import Target, available
from chaos.plan import Options, Plan, draw

EVERYWHERE = {
    Target.RECEIVER, Target.CLOCK, Target.BROKER, Target.WAY_TO_BROKER, Target.WAY_TO_PLATFORM,
    Target.PLATFORM, Target.DELIVERY, Target.HANDLER,
}  # fmt: skip


def drawn(seed: int = 1, faults: int | None = None) -> Plan:
    return draw(Options(reports=300, minutes=1.0, seed=seed, faults=faults))


def test_the_same_seed_draws_the_same_and_another_seed_another() -> None:
    assert drawn() == drawn()
    assert drawn().faults != drawn(seed=2).faults
    assert drawn().report_ids != drawn(seed=2).report_ids


def test_a_run_of_300_reports_has_more_than_30_faults_of_every_kind_there_is() -> None:
    plan = drawn()
    assert len(plan.faults) > 30
    assert {fault.target for fault in plan.faults} == EVERYWHERE
    assert [fault.number for fault in plan.faults] == list(range(1, len(plan.faults) + 1))
    assert all(1 <= fault.after <= 300 for fault in plan.faults)


def test_a_long_run_has_as_many_faults_as_befit_it() -> None:
    assert len(draw(Options(reports=20_000, minutes=20.0, seed=1)).faults) == 500


def test_the_database_is_struck_where_there_is_a_server() -> None:
    plan = draw(Options(reports=300, minutes=1.0, seed=1, journal="postgresql", broker="rabbitmq", processes=3))
    assert {fault.target for fault in plan.faults} == EVERYWHERE | {Target.DATABASE, Target.WAY_TO_DATABASE}
    assert {fault.process for fault in plan.faults} == {0, 1, 2}


@pytest.mark.parametrize("seed", range(5))
def test_a_report_meets_one_misbehaviour_of_the_case_system_at_most(seed: int) -> None:
    plan = drawn(seed, faults=200)
    struck = [fault.after for fault in plan.faults if fault.target is Target.HANDLER]
    assert len(struck) == len(set(struck)) == len(plan.misbehaviours())


@pytest.mark.parametrize("journal", ["sqlite", "postgresql"])
def test_senders_meet_every_kind_of_fault_that_there_is_for_them(journal: Literal["sqlite", "postgresql"]) -> None:
    options = Options(reports=300, minutes=1.0, seed=1, side="sender", journal=journal, processes=3, faults=200)
    plan = draw(options)
    assert draw(options) == plan
    there_are = available("sender", journal, "embedded", misbehaving=True)
    drawn_kinds = {(fault.target, fault.kind) for fault in plan.faults}
    assert drawn_kinds == {(target, kind) for target, kinds in there_are.items() for kind in kinds}
    assert Target.DATABASE in there_are
    assert not {Target.RECEIVER, Target.BROKER, Target.WAY_TO_BROKER, Target.HANDLER} & there_are.keys()
