"""The documentation as it is read: built, in a browser, without a network."""

import functools
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urldefrag, urlsplit

import pytest
from lxml import html
from selenium import webdriver
from selenium.webdriver.support.wait import WebDriverWait

from support.browser import DESKTOP, PHONE, browser, show_at
from support.documents import ROOT

FETCHED = "//script/@src | //img/@src | //iframe/@src | //link[not(@rel='canonical')]/@href | //source/@src"
PAGES = ["index.html", "kommune/installere.html", "settings.html", "road.html", "reference/fiksmelding.html"]


class Quiet(SimpleHTTPRequestHandler):
    """A web server that says nothing."""

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built with every warning an error."""
    folder = tmp_path_factory.mktemp("site")
    build = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(build, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr
    return folder


@pytest.fixture(scope="module")
def address(site: Path) -> Iterator[str]:
    """Where a browser finds it."""
    with ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(site))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    """A browser for all pages."""
    with browser(tmp_path_factory.mktemp("profile")) as driver:
        yield driver


def pages(site: Path) -> dict[Path, html.HtmlElement]:
    # 404.html is read under any address, so its links start from the root of a server.
    files = [path for path in site.rglob("*.html") if path.name != "404.html"]
    return {path: html.fromstring(path.read_bytes()) for path in files}


def test_every_link_leads_to_a_page_and_a_place_on_it(site: Path) -> None:
    read = pages(site)
    places = {path: {*page.xpath("//@id"), *page.xpath("//a/@name")} for path, page in read.items()}
    broken = []
    for path, page in read.items():
        for link in {*page.xpath("//a/@href"), *page.xpath("//img/@src")}:
            address, place = urldefrag(link)
            if urlsplit(link).scheme:
                continue
            target = (path.parent / unquote(address)).resolve() if address else path
            target = target / "index.html" if target.is_dir() else target
            if not target.is_file() or (place and unquote(place) not in places.get(target, {place})):
                broken.append(f"{path.relative_to(site)}: {link}")
    assert len(read) > 30
    assert broken == []


def test_no_page_fetches_anything_from_elsewhere(site: Path) -> None:
    fetched = {str(address) for page in pages(site).values() for address in page.xpath(FETCHED)}
    assert fetched
    assert [address for address in fetched if urlsplit(address).netloc] == []
    assert [path.name for path in site.rglob("*.css") if "url(http" in path.read_text("utf-8")] == []


@pytest.mark.parametrize("page", PAGES)
def test_a_page_fits_a_phone_and_a_desk_and_the_browser_has_nothing_to_complain_of(
    page: str, address: str, chromium: webdriver.Chrome
) -> None:
    for size in (PHONE, DESKTOP):
        show_at(chromium, size)
        chromium.get(f"{address}/{page}")
        [wide] = chromium.execute_script("return [document.documentElement.scrollWidth]")
        assert wide <= size[0]
        loaded = chromium.execute_script("return performance.getEntriesByType('resource').map(one => one.name)")
        assert [one for one in loaded if not one.startswith(address)] == []
    assert chromium.get_log("browser") == []  # type: ignore[no-untyped-call]


def test_the_search_finds_norwegian_and_english(address: str, chromium: webdriver.Chrome) -> None:
    show_at(chromium, DESKTOP)
    for word in ("quarantine", "kvittering"):
        chromium.get(f"{address}/index.html?q={word}")
        WebDriverWait(chromium, 20).until(
            lambda driver: driver.find_elements("css selector", ".md-search-result__item")
        )
