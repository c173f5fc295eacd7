"""Chromium without a screen."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from selenium import webdriver
from selenium.webdriver.chrome.service import Service

from support.tools import tool

PHONE, DESKTOP = (390, 844), (1280, 900)
OPTIONS = (
    "--headless=new",
    "--no-sandbox",  # CI runs as root, where Chromium's sandbox cannot.
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--hide-scrollbars",
    "--lang=nb",
)


@contextmanager
def browser(folder: Path) -> Iterator[webdriver.Chrome]:
    """A browser with nothing in it, gone at the end.

    Args:
        folder: Where its profile is.
    """
    options = webdriver.ChromeOptions()
    options.binary_location = tool("chromium")
    for option in (*OPTIONS, f"--user-data-dir={folder}"):
        options.add_argument(option)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(tool("chromedriver")))
    try:
        yield driver
    finally:
        driver.quit()


def show_at(driver: webdriver.Chrome, size: tuple[int, int]) -> None:
    """Lay the page out as on a screen of that width and height, in CSS pixels."""
    width, height = size
    metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": size == PHONE}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
