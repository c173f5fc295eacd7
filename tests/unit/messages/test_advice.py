"""What a sender is told before sending."""

import json
from typing import Any

import pytest

from fiksmelding.messages import MessageType, OffentligBekymringsmelding, PrivatBekymringsmelding, parse_json
from fiksmelding.messages.advice import MAX_SUBMISSION_BYTES
from fiksmelding.messages.municipalities import MUNICIPALITY_NUMBERS
from fiksmelding.messages.numbers import (
    IdentityFault,
    identity_fault,
    is_organisation_number,
    is_synthetic,
    with_check_digits,
)
from support.documents import EXAMPLE_FILES, example, example_document

CHILD = "/offentligBarn/0"


def offentlig(pointer: str, value: object) -> OffentligBekymringsmelding:
    """The example with one member set."""
    document: Any = example_document(MessageType.OFFENTLIG_V2)
    *steps, last = pointer.strip("/").split("/")
    inner = document
    for step in steps:
        inner = inner[int(step)] if step.isdigit() else inner[step]
    inner[last] = value
    message = parse_json(json.dumps(document).encode(), MessageType.OFFENTLIG_V2)
    assert isinstance(message, OffentligBekymringsmelding)
    return message


@pytest.mark.parametrize("message_type", EXAMPLE_FILES)
def test_the_examples_have_no_problems_and_only_the_advice_that_their_numbers_are_invented(
    message_type: MessageType,
) -> None:
    message = parse_json(example(message_type), message_type)
    assert message.problems() == ()
    assert {advice.code for advice in message.advice()} <= {"fnr-synthetic"}


@pytest.mark.parametrize(
    ("pointer", "value", "code"),
    [
        (f"{CHILD}/fnr", "", "fnr-missing"),
        (f"{CHILD}/fnr", "12345", "fnr-form"),
        (f"{CHILD}/fnr", "1492155005x", "fnr-form"),
        (f"{CHILD}/fnr", "32921550058", "fnr-date"),
        (f"{CHILD}/fnr", "30821550058", "fnr-date"),
        (f"{CHILD}/fnr", "14921550059", "fnr-check-digits"),
        (f"{CHILD}/ufoedt", True, "unborn-with-fnr"),
        (f"{CHILD}/personnavn", "  ", "empty"),
        (f"{CHILD}/adresse/postnummer", "509", "postnummer"),
        (f"{CHILD}/telefonnummer", "spør mor", "telefonnummer"),
        ("/offentligMelder/telefonnummer", "112", "telefonnummer"),
        ("/offentligMelder/telefonnummer", "12345678", "telefonnummer"),
        ("/offentligMelder/epost", "lærer@skole.no", "epost"),
        ("/offentligMelder/epost", "a@-skole.no", "epost"),
        ("/offentligMelder/virksomhet/orgnr", "123456789", "orgnr"),
        ("/kommunenummer", "1201", "kommunenummer"),
        ("/melding/melding", "", "empty"),
        ("/melding/historie", "a\x00b", "control-character"),
        ("/melding/noeAnnet", "x", "unknown-member"),
        ("/foresatte/0/telefonnummer", "0", "telefonnummer"),
    ],
)
def test_advice_names_the_place_and_the_sort(pointer: str, value: object, code: str) -> None:
    found = {(advice.path, advice.code) for advice in offentlig(pointer, value).advice()}
    expected_place = f"{CHILD}/fnr" if code == "unborn-with-fnr" else pointer
    assert (expected_place, code) in found


@pytest.mark.parametrize(
    ("pointer", "value"),
    [
        ("/offentligMelder/telefonnummer", "+47 22 33 44 55"),
        ("/offentligMelder/telefonnummer", "0047 90000001"),
        ("/offentligMelder/telefonnummer", "+46 8 123 456 78"),
        ("/offentligMelder/epost", "ola.nordmann@skole.bergen.kommune.no"),
        ("/offentligMelder/virksomhet/orgnr", "974 760 673"),
        (f"{CHILD}/telefonnummer", ""),
        ("/kommunenummer", "0301"),
    ],
)
def test_what_is_ordinary_gets_no_advice(pointer: str, value: str) -> None:
    assert pointer not in {advice.path for advice in offentlig(pointer, value).advice()}


def test_an_untold_guardian_without_a_reason_is_pointed_out() -> None:
    message = offentlig("/foresatte/0/orientertGrunn", " ")
    assert ("/foresatte/0/orientertGrunn", "not-told-without-reason") in {(a.path, a.code) for a in message.advice()}


def test_an_unborn_child_needs_no_identity_number() -> None:
    document: Any = example_document(MessageType.OFFENTLIG_V2)
    document["offentligBarn"][0] |= {"fnr": "", "ufoedt": True}
    message = parse_json(json.dumps(document).encode(), MessageType.OFFENTLIG_V2)
    assert not [advice for advice in message.advice() if advice.path == f"{CHILD}/fnr"]


def test_a_report_about_no_child_is_accepted_and_pointed_out() -> None:
    document = example_document(MessageType.PRIVAT_V2) | {"privatBarn": []}
    message = parse_json(json.dumps(document).encode(), MessageType.PRIVAT_V2)
    assert isinstance(message, PrivatBekymringsmelding)
    assert ("/privatBarn", "no-children") in {(advice.path, advice.code) for advice in message.advice()}


def test_no_advice_holds_a_value_from_the_report() -> None:
    message = offentlig(f"{CHILD}/fnr", "99999999999")
    assert not [advice for advice in message.advice() if "9999" in advice.text]


@pytest.mark.parametrize(
    ("pointer", "value"),
    [
        ("/kommunenummer", "4601\n"),
        ("/kommunenummer", "\u0664\u0666\u0660\u0661"),
        ("/bydelsnummer", "02\n"),
        ("/offentligMelder/telefonnummer", "90000001\n"),
        ("/offentligMelder/epost", "a@b.no\n"),
        ("/sendingstidspunkt", "i dag"),
        ("/sendingstidspunkt", "2026-02-30T10:00:00"),
        ("/sendingstidspunkt", "2026-10-15T13:05:40Z"),
        ("/sendingstidspunkt", "2026-10-15"),
    ],
)
def test_what_the_service_would_refuse_is_a_problem(pointer: str, value: str) -> None:
    assert [problem.path for problem in offentlig(pointer, value).problems()] == [pointer]


def test_a_report_larger_than_the_service_takes_is_a_problem() -> None:
    assert offentlig("/melding/historie", "x" * MAX_SUBMISSION_BYTES).problems()[0].path == ""


@pytest.mark.parametrize(
    ("number", "fault"),
    [
        ("01010112388", IdentityFault.CHECK_DIGITS),
        ("41010112388", IdentityFault.CHECK_DIGITS),
        ("00010112345", IdentityFault.DATE),
        ("29020112345", IdentityFault.DATE),
        ("0101011234", IdentityFault.FORM),
        ("\u0661" * 11, IdentityFault.FORM),
    ],
)
def test_a_wrong_identity_number_is_told_by_what_is_wrong(number: str, fault: IdentityFault) -> None:
    assert identity_fault(number) is fault


@pytest.mark.parametrize(("nine", "synthetic"), [("149215500", True), ("410101123", False), ("015015500", True)])
def test_a_number_with_its_check_digits_is_right(nine: str, synthetic: bool) -> None:
    numbers = [with_check_digits(f"{int(nine) + step:09d}") for step in range(20)]
    right = [number for number in numbers if number is not None]
    assert right
    for number in right:
        assert identity_fault(number) is None
        assert is_synthetic(number) is synthetic
        for place in range(9):
            changed = number[:place] + str((int(number[place]) + 1) % 10) + number[place + 1 :]
            assert identity_fault(changed) is not None


def test_organisation_numbers_are_known_by_their_check_digit() -> None:
    assert is_organisation_number("974760673")
    assert is_organisation_number("964338531")
    assert not is_organisation_number("974760674")
    assert not is_organisation_number("97476067")


def test_there_are_357_municipalities() -> None:
    assert len(MUNICIPALITY_NUMBERS) == 357
    assert {"0301", "1508", "1580", "4601", "5501", "5601"} <= MUNICIPALITY_NUMBERS
    assert not {"1201", "1507", "3005", "5401"} & MUNICIPALITY_NUMBERS
