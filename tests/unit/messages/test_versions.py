"""Version 2 for those who only know version 1."""

import json

import pytest

from fiksmelding.messages import (
    MessageType,
    OffentligBekymringsmelding,
    OffentligBekymringsmeldingV1,
    PrivatBekymringsmelding,
    PrivatBekymringsmeldingV1,
    as_version_1,
    parse_json,
)
from support.documents import example, example_document


def offentlig(melding: dict[str, object]) -> OffentligBekymringsmelding:
    document = example_document(MessageType.OFFENTLIG_V2) | {"melding": melding, "ekstra": [1]}
    message = parse_json(json.dumps(document).encode(), MessageType.OFFENTLIG_V2)
    assert isinstance(message, OffentligBekymringsmelding)
    return message


def test_other_views_are_kept_under_a_heading_at_the_end_of_the_history() -> None:
    message = as_version_1(offentlig({"melding": "a", "historie": "b", "andreSynspunkter": "c\nd", "x": 1}))
    assert isinstance(message, OffentligBekymringsmeldingV1)
    assert message.melding.document() == {"melding": "a", "historie": "b\n\nAndre synspunkter:\nc\nd", "x": 1}
    assert message.unknown_members == {"ekstra": (1,)}


def test_an_empty_history_holds_the_views_alone() -> None:
    message = as_version_1(offentlig({"melding": "a", "historie": "", "andreSynspunkter": "c"}))
    assert isinstance(message, OffentligBekymringsmeldingV1)
    assert message.melding.historie == "Andre synspunkter:\nc"


@pytest.mark.parametrize("views", [{}, {"andreSynspunkter": ""}, {"andreSynspunkter": " \n"}])
def test_absent_or_empty_views_leave_the_history_alone(views: dict[str, object]) -> None:
    message = as_version_1(offentlig({"melding": "a", "historie": "b", **views}))
    assert isinstance(message, OffentligBekymringsmeldingV1)
    assert message.melding.document() == {"melding": "a", "historie": "b"}


def test_a_private_report_is_the_same_in_both_versions() -> None:
    version_2 = parse_json(example(MessageType.PRIVAT_V2), MessageType.PRIVAT_V2)
    assert isinstance(version_2, PrivatBekymringsmelding)
    message = as_version_1(version_2)
    assert isinstance(message, PrivatBekymringsmeldingV1)
    assert message.message_type is MessageType.PRIVAT_V1
    assert json.loads(message.to_json()) == json.loads(example(MessageType.PRIVAT_V2))


def test_what_is_version_1_already_comes_back_as_it_is() -> None:
    message = as_version_1(parse_private())
    assert as_version_1(message) is message


def parse_private() -> PrivatBekymringsmeldingV1:
    found = parse_json(example(MessageType.PRIVAT_V1), MessageType.PRIVAT_V1)
    assert isinstance(found, PrivatBekymringsmeldingV1)
    return found


def test_the_result_is_valid_for_a_receiver_of_version_1() -> None:
    message = as_version_1(offentlig({"melding": "a", "historie": "b", "andreSynspunkter": "c"}))
    assert parse_json(message.to_json(), MessageType.OFFENTLIG_V1) == message
