"""A platform that does not know us as it should, and what is found."""

import socket
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest
from pydantic import SecretStr

from fiksmelding.doctor import Condition
from fiksmelding.simulator import HttpFault, Simulator
from support.examining import WrongClock, changed, conditions, examined, text_of
from support.senders import school


@pytest.mark.parametrize(
    ("ahead", "condition"),
    [
        (timedelta(0), Condition.CLOCK_RIGHT),
        (timedelta(seconds=20), Condition.CLOCK_OFF),
        (timedelta(seconds=-20), Condition.CLOCK_OFF),
        (timedelta(minutes=5), Condition.CLOCK_WRONG),
    ],
)
async def test_a_clock_by_how_wrong_it_is(ahead: timedelta, condition: Condition, fiks: Simulator) -> None:
    diagnosis = await examined(fiks.settings_for("bergen"), "clock", clock=WrongClock(ahead))
    assert conditions(diagnosis) == {condition}
    if ahead:
        assert ("ahead of" if ahead > timedelta(0) else "behind") in text_of(diagnosis, condition)


@pytest.mark.parametrize("ahead", [timedelta(minutes=5), timedelta(minutes=-5)])
async def test_a_clock_so_wrong_that_no_token_is_given(ahead: timedelta, fiks: Simulator) -> None:
    settings = fiks.settings_for("bergen")
    found = conditions(await examined(settings, "clock", "token", "account", clock=WrongClock(ahead)))
    # One cause: what hangs on it is not called a fault of its own.
    assert found == {Condition.CLOCK_WRONG, Condition.TOKEN_REFUSED, Condition.NOT_EXAMINED}


async def test_a_clock_that_nothing_can_be_compared_with(fiks: Simulator) -> None:
    settings = fiks.settings_for("bergen")
    nowhere = f"http://127.0.0.1:{_free_port()}"
    settings = changed(settings, "platform", api_url=nowhere)
    settings = changed(settings, "maskinporten", issuer=f"{nowhere}/")
    found = conditions(await examined(settings, "clock", "connections", "token"))
    assert {Condition.CLOCK_NOT_COMPARED, Condition.HOST_UNREACHABLE, Condition.PLATFORM_UNAVAILABLE} <= found


async def test_a_client_that_maskinporten_does_not_know(fiks: Simulator) -> None:
    settings = changed(fiks.settings_for("bergen"), "maskinporten", client_id="another")
    diagnosis = await examined(settings, "token", "account", "catalog", "queue", "broker")
    assert conditions(diagnosis) == {Condition.TOKEN_REFUSED, Condition.NOT_EXAMINED}
    assert "invalid_" in text_of(diagnosis, Condition.TOKEN_REFUSED)


async def test_a_scope_that_the_client_may_not_have_or_that_is_another(fiks: Simulator) -> None:
    settings = changed(fiks.settings_for("bergen"), "maskinporten", scope="ks:other")
    assert conditions(await examined(settings, "token")) == {Condition.TOKEN_REFUSED}
    client = fiks.party("bergen").client
    fiks.platform.world.register.add(replace(client, scopes=frozenset({"ks:other"})))
    diagnosis = await examined(settings, "token")
    assert conditions(diagnosis) == {Condition.TOKEN_WITHOUT_SCOPE}
    assert "ks:other" in text_of(diagnosis, Condition.TOKEN_WITHOUT_SCOPE)


async def test_a_token_for_another_organisation_than_the_account_s(fiks: Simulator) -> None:
    bergen, oslo = fiks.settings_for("bergen"), fiks.settings_for("oslo")
    settings = changed(oslo, "account", id=bergen.account.id)
    assert Condition.TOKEN_OF_ANOTHER in conditions(await examined(settings, "token"))


async def test_a_wrong_password(fiks: Simulator) -> None:
    settings = changed(fiks.settings_for("bergen"), "integration", password=SecretStr("wrong"))
    diagnosis = await examined(settings, "account", "broker")
    assert conditions(diagnosis) == {Condition.ACCESS_REFUSED, Condition.BROKER_REFUSES}
    told = text_of(diagnosis, Condition.ACCESS_REFUSED)
    assert "the integration was not recognised" in told
    assert "0192:310460109" in told  # whom the token speaks for


async def test_an_integration_without_any_right(fiks: Simulator) -> None:
    fiks.faults.add(HttpFault(path="/fiks-io/katalog/", status=403, times=None))
    assert conditions(await examined(fiks.settings_for("bergen"), "account")) == {Condition.ACCESS_REFUSED}


async def test_an_account_that_does_not_exist(fiks: Simulator) -> None:
    settings = changed(fiks.settings_for("bergen"), "account", id=uuid4())
    assert conditions(await examined(settings, "account")) == {Condition.ACCOUNT_UNKNOWN}


@pytest.mark.parametrize(
    ("sends", "receives", "found"),
    [
        (True, True, {Condition.ACCOUNT_USABLE}),
        (True, False, {Condition.ACCOUNT_CANNOT_RECEIVE}),
        (False, True, {Condition.ACCOUNT_CANNOT_SEND}),
    ],
)
async def test_an_account_that_is_switched_off(
    sends: bool, receives: bool, found: set[Condition], fiks: Simulator
) -> None:
    account = fiks.party("bergen").account
    fiks.platform.world.register.add(replace(account, valid_sender=sends, valid_recipient=receives))
    assert conditions(await examined(fiks.settings_for("bergen"), "account")) == found


async def test_an_account_that_the_catalog_leads_nobody_to(fiks: Simulator) -> None:
    account = fiks.party("bergen").account
    fiks.platform.world.register.add(replace(account, protocols=frozenset()))
    assert conditions(await examined(fiks.settings_for("bergen"), "catalog")) == {Condition.NOT_IN_CATALOG}


async def test_an_account_that_supports_the_old_version_only(fiks: Simulator) -> None:
    diagnosis = await examined(fiks.settings_for("tromso"), "catalog")
    assert conditions(diagnosis) == {Condition.VERSION_NOT_IN_CATALOG}
    assert "bekymringsmelding.v2" in text_of(diagnosis, Condition.VERSION_NOT_IN_CATALOG)


async def test_another_account_of_ours_that_the_catalog_names(fiks: Simulator) -> None:
    account = fiks.party("bergen").account
    register = fiks.platform.world.register
    register.add(replace(account, protocols=frozenset()))
    register.add(replace(account, id=uuid4()))
    assert conditions(await examined(fiks.settings_for("bergen"), "catalog")) == {Condition.ANOTHER_IN_CATALOG}


async def test_a_platform_that_is_down(fiks: Simulator) -> None:
    fiks.faults.add(HttpFault(path="/fiks-io/katalog/", status=503, times=None))
    assert conditions(await examined(fiks.settings_for("bergen"), "account")) == {Condition.PLATFORM_UNAVAILABLE}


async def test_an_organisation_that_we_may_not_submit_for(fiks: Simulator) -> None:
    settings = school(fiks)
    other = changed(settings, "account", organisation_id=uuid4())
    none = changed(settings, "account", organisation_id=None)
    assert conditions(await examined(settings, "sending", role="sender")) == {Condition.SENDING_ALLOWED}
    assert conditions(await examined(other, "sending", role="sender")) == {Condition.SENDING_REFUSED}
    assert conditions(await examined(none, "sending", role="sender")) == {Condition.ORGANISATION_MISSING}


async def test_a_server_that_takes_connections_and_never_answers_holds_nobody(fiks: Simulator) -> None:
    settings = fiks.settings_for("bergen")
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        hung = changed(settings, "broker", host="127.0.0.1", port=port, timeout_seconds=0.2)
        diagnosis = await examined(hung, "broker", "account")
    assert conditions(diagnosis) == {Condition.BROKER_UNREACHABLE, Condition.ACCOUNT_USABLE}


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])
