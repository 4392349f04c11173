"""The report in a real headless Chromium: it loads nothing, reports no error, fits a phone, and can be used without eyes or mouse."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright
from retrostep.archive.store import Store
from retrostep.device.core_version import core_hash
from retrostep.output.report.facts import report
from retrostep.output.report.page import page
from retrostep.output.report.pdf import find_chromium
from retrostep.training.data_quality import Core
from retrostep_core import VERSION
from support.cli import Retrostep
from support.club import HOSTILE, club_store

CHROMIUM = find_chromium()
NAMES = ("Ada", "Ben", *HOSTILE)

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("club")
    with Store(club_store(folder, NAMES)) as store:
        text = page(report(store, Core(VERSION, core_hash().hex())), datetime.now().astimezone())
    (folder / "club.html").write_text(text, encoding="utf-8")
    return folder / "club.html"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield found
        found.close()


def opened(browser: Browser, file: Path, width: int, scheme: Any = "light") -> tuple[Page, list[str]]:
    """The page, and everything that it did besides being shown: requests, messages, errors, dialogs."""
    shown = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
    events: list[str] = []
    shown.on("request", lambda request: events.append(request.url))
    shown.on("console", lambda message: events.append(message.text))
    shown.on("pageerror", lambda error: events.append(str(error)))
    shown.on("dialog", lambda dialog: (events.append(dialog.message), dialog.dismiss()))
    shown.goto(file.as_uri())
    events.remove(file.as_uri())
    return shown, events


@pytest.mark.parametrize("width", [360, 1280])
def test_it_loads_nothing_reports_nothing_and_is_not_wider_than_the_screen(browser: Browser, file: Path, width: int) -> None:
    shown, events = opened(browser, file, width)
    shown.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
    assert shown.evaluate("document.documentElement.scrollWidth") == width
    assert shown.evaluate("document.scripts.length") == 0 and events == []
    assert shown.locator("h2", has_text="<script>").count() == 1
    shown.close()


STICKING_OUT = """() => [...document.querySelectorAll("table, figure, svg.chart")].filter(each => {
    const outer = each.closest(".columns > *, main").getBoundingClientRect(), inner = each.getBoundingClientRect();
    return inner.width && (inner.right > outer.right + 1 || inner.left < outer.left - 1);
}).map(each => each.outerHTML.slice(0, 90))"""


VIEWS = [*((width, "screen") for width in (360, 800, 970, 1100, 1280)), (718, "print"), (740, "print")]


@pytest.mark.parametrize(("width", "media"), VIEWS)
def test_nothing_sticks_out_of_its_column(browser: Browser, file: Path, width: int, media: Any) -> None:
    """718 and 740 px: the width of text on A4 and Letter paper."""
    shown, _ = opened(browser, file, width)
    shown.emulate_media(media=media)
    assert shown.evaluate(STICKING_OUT) == []
    narrowest = shown.evaluate("Math.min(...[...document.querySelectorAll('figure svg.chart')].map(each => each.clientWidth))")
    assert narrowest >= 300, "a chart is too small to read"
    shown.close()


@pytest.mark.parametrize(("width", "scheme"), [(360, "dark"), (1280, "light")])
def test_axe_finds_nothing_serious(browser: Browser, file: Path, width: int, scheme: str) -> None:
    shown, _ = opened(browser, file, width, scheme)
    found = Axe().run(shown).response
    serious = [(each["id"], each["nodes"][0]["html"]) for each in found["violations"] if each["impact"] in ("serious", "critical")]
    assert serious == []
    assert "color-contrast" in {each["id"] for each in found["passes"]}, "nothing was examined"
    shown.close()


def test_the_keyboard_reaches_the_report_and_the_numbers_of_a_chart(browser: Browser, file: Path) -> None:
    shown, _ = opened(browser, file, 1280)
    shown.keyboard.press("Tab")
    assert shown.evaluate("document.activeElement.textContent") == "Skip to the report"
    shown.keyboard.press("Enter")
    assert shown.evaluate("document.activeElement.id") == "main"
    shown.locator("summary").first.focus()
    shown.keyboard.press("Enter")
    assert shown.locator("details").first.locator("table").is_visible()
    shown.close()


def test_a_printed_page_begins_with_its_athlete_and_has_dark_text(browser: Browser, file: Path) -> None:
    shown, _ = opened(browser, file, 1280, "dark")
    shown.emulate_media(media="print", color_scheme="dark")
    assert not shown.locator("nav").is_visible()
    assert shown.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert shown.evaluate("getComputedStyle(document.querySelector('article')).breakBefore") == "page"
    shown.close()


def test_the_command_prints_a_pdf_that_only_its_owner_reads(tmp_path: Path) -> None:
    club_store(tmp_path / "home", ("Ada",), days=10)
    ran = Retrostep(tmp_path / "home")("report", "--athlete", "Ada", "--to", tmp_path / "ada.html", "--pdf")
    assert (ran.status, ran.out.count("Written: ")) == (0, 2), ran.err
    printed = tmp_path / "ada.pdf"
    assert printed.read_bytes().startswith(b"%PDF") and printed.stat().st_mode & 0o77 == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["ada.html", "ada.pdf", "home"]
