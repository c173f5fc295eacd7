import logging
from datetime import timedelta

import pytest

from fiksmelding.alarms import REMEMBERED, Alarm, AlarmKind, Alarms
from support.clocks import StillClock


def test_an_alarm_is_logged_and_handed_on(caplog: pytest.LogCaptureFixture) -> None:
    told: list[Alarm] = []
    clock = StillClock()
    Alarms(clock, told.append).sound(AlarmKind.RECEIPT_REFUSED, "refused", entry_id="7")
    assert told == [Alarm(kind=AlarmKind.RECEIPT_REFUSED, text="refused", at=clock.now(), entry_id="7")]
    [line] = caplog.records
    assert (line.levelno, line.getMessage(), line.__dict__["event"], line.__dict__["entry_id"]) == (
        logging.CRITICAL,
        "refused",
        "receipt_refused",
        "7",
    )


def test_the_same_alarm_is_told_once_an_hour_and_logged_each_time(caplog: pytest.LogCaptureFixture) -> None:
    told: list[Alarm] = []
    clock = StillClock()
    alarms = Alarms(clock, told.append)
    for _ in range(3):
        alarms.sound(AlarmKind.NOT_FOUND_AGAIN, "gone", entry_id="7")
        clock.advance(timedelta(minutes=20))
    assert len(told) == 1
    assert len(caplog.records) == 3
    alarms.sound(AlarmKind.NOT_FOUND_AGAIN, "gone", entry_id="7")
    alarms.sound(AlarmKind.NOT_FOUND_AGAIN, "gone", entry_id="8")
    assert [alarm.entry_id for alarm in told] == ["7", "7", "8"]


def test_a_condition_that_is_over_is_told_again_when_it_comes_back() -> None:
    told: list[Alarm] = []
    alarms = Alarms(StillClock(), told.append)
    for _ in range(2):
        alarms.sound(AlarmKind.JOURNAL_DOWN, "down")
        alarms.sound(AlarmKind.JOURNAL_DOWN, "down")
        alarms.over(AlarmKind.JOURNAL_DOWN, "up")
    assert [alarm.over for alarm in told] == [False, True, False, True]


def test_who_is_told_cannot_stop_the_road(caplog: pytest.LogCaptureFixture) -> None:
    def broken(_alarm: Alarm) -> None:
        raise RuntimeError("Lille Testesen")

    Alarms(StillClock(), broken).sound(AlarmKind.DOCUMENT_MISSING, "gone")
    assert "not handed on: RuntimeError" in caplog.text
    assert "Testesen" not in caplog.text


def test_what_was_told_is_not_remembered_without_bound() -> None:
    alarms = Alarms(StillClock())
    for number in range(REMEMBERED + 10):
        alarms.sound(AlarmKind.QUARANTINED, "set aside", entry_id=str(number))
    assert len(alarms._told) == REMEMBERED
