"""Refused by the broker, which does not say why, the receiver says what has to be put right."""

import asyncio
from pathlib import Path

import pytest
from pydantic import SecretStr

from fiksmelding.broker import ConsumerState
from fiksmelding.config import Settings
from fiksmelding.simulator import Simulator
from support.receiving import receiving


def wrong_password(given: Settings, _: Settings) -> Settings:
    return given.model_copy(
        update={"integration": given.integration.model_copy(update={"password": SecretStr("wrong secret")})}
    )


def another_organisations_token(given: Settings, other: Settings) -> Settings:
    return given.model_copy(update={"maskinporten": other.maskinporten})


def another_organisations_account(given: Settings, other: Settings) -> Settings:
    return given.model_copy(update={"account": given.account.model_copy(update={"id": other.account.id})})


@pytest.mark.parametrize(
    ("mistake", "told"),
    [
        (wrong_password, ["the integration was not recognised", "The token is for organisation 0192:{bergen}."]),
        (
            another_organisations_token,
            ["the integration was not recognised", "The token is for organisation 0192:{oslo}."],
        ),
        (another_organisations_account, ["the broker alone refuses", "the integration's right to read the account"]),
    ],
)
async def test_what_is_wrong_is_told_apart(
    mistake: object, told: list[str], fiks: Simulator, settings: Settings, tmp_path: Path
) -> None:
    assert callable(mistake)
    organisations = {name: fiks.party(name).integration.organisation for name in ("bergen", "oslo")}
    wrong = mistake(settings, fiks.settings_for("oslo"))
    async with receiving(wrong, tmp_path / "reports") as work, asyncio.timeout(30):
        status = await work.receiver.until(ConsumerState.REFUSED)
    for part in told:
        assert part.format(**organisations) in status.reason
    assert "wrong secret" not in status.reason
