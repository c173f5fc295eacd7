"""The status page as someone sees it: in a browser, on a phone and on a desk."""

import asyncio
import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

from fiksmelding.messages import MessageType
from fiksmelding.simulator import Simulator
from support.browser import DESKTOP, PHONE, browser, show_at
from support.documents import example
from support.platform_client import PlatformClient

PATIENCE_SECONDS = 30


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    with browser(tmp_path_factory.mktemp("chromium")) as driver:
        yield driver


async def seen(driver: Chrome, condition: Callable[[Chrome], object]) -> None:
    """Wait until something can be seen, while the simulator runs on."""
    await asyncio.to_thread(WebDriverWait(driver, PATIENCE_SECONDS).until, condition)


def text_of(driver: Chrome, selector: str) -> str:
    return " ".join(one.text for one in driver.find_elements(By.CSS_SELECTOR, selector))


async def submit(fiks: Simulator, kind: MessageType, **other: str) -> str:
    return await fiks.submit(example(kind), message_type=kind, **other)


async def open_page(driver: Chrome, fiks: Simulator) -> None:
    await asyncio.to_thread(driver.get, fiks.control_url)
    await seen(driver, lambda page: "Bergen kommune" in text_of(page, "#accounts"))


async def test_a_reports_states_appear_without_a_reload(
    chromium: Chrome, fiks: Simulator, bergen: PlatformClient
) -> None:
    await open_page(chromium, fiks)
    await asyncio.to_thread(chromium.execute_script, "window.neverReloaded = true")
    assert "Ingen er sendt inn ennå" in await asyncio.to_thread(text_of, chromium, "main")

    received_id = await submit(fiks, MessageType.OFFENTLIG_V2)
    await seen(chromium, lambda page: "Sendt til fagsystemet" in text_of(page, f"[id='{received_id}']"))
    await bergen.answer(await bergen.receive(), MessageType.MOTTATT)
    await seen(chromium, lambda page: "Levert" in text_of(page, f"[id='{received_id}']"))
    by_letter_id = await submit(fiks, MessageType.PRIVAT_V2)
    await seen(chromium, lambda page: text_of(page, f"[id='{by_letter_id}']"))
    fiks.clock.advance(timedelta(days=7))
    await seen(chromium, lambda page: "Sendt som brev" in text_of(page, f"[id='{by_letter_id}']"))

    assert await asyncio.to_thread(chromium.execute_script, "return window.neverReloaded")
    assert [entry for entry in chromium.get_log("browser") if entry["level"] == "SEVERE"] == []  # type: ignore[no-untyped-call]


@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
async def test_nothing_is_wider_than_the_screen_and_the_text_is_large_enough(
    chromium: Chrome, fiks: Simulator, bergen: PlatformClient, size: tuple[int, int], tmp_path: Path
) -> None:
    for kind in (MessageType.OFFENTLIG_V2, MessageType.PRIVAT_V2, MessageType.PRIVAT_V1):
        await submit(fiks, kind)
    await bergen.answer(await bergen.receive(), MessageType.MOTTATT)
    await bergen.answer(await bergen.receive(), MessageType.FEILET)
    show_at(chromium, size)
    await open_page(chromium, fiks)
    await seen(chromium, lambda page: "Sendt som brev" in text_of(page, "#reports"))

    measured = await asyncio.to_thread(chromium.execute_script, """
        const texts = [...document.querySelectorAll("body *")].filter((one) => one.innerText?.trim());
        return JSON.stringify({
            width: document.documentElement.scrollWidth,
            smallest: Math.min(...texts.map((one) => parseFloat(getComputedStyle(one).fontSize))),
            outside: texts.filter((one) => one.getBoundingClientRect().right > innerWidth + 1).length,
        });
    """)  # fmt: skip
    page = json.loads(measured)

    assert page["width"] <= size[0]
    assert page["outside"] == 0
    assert page["smallest"] >= 14
    picture = tmp_path / "page.png"
    assert await asyncio.to_thread(chromium.save_screenshot, str(picture))


async def test_the_page_says_when_the_simulator_is_gone(chromium: Chrome, fiks: Simulator) -> None:
    await open_page(chromium, fiks)
    await fiks.__aexit__(None, None, None)

    await seen(chromium, lambda page: "Får ikke kontakt" in text_of(page, "#connection"))
