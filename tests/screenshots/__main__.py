"""Pictures of the report of a synthetic club, as a phone and a laptop show it, light and dark, and as it is printed.

make screenshots        writes build/screenshots
"""

import shutil
import sys
from datetime import datetime
from pathlib import Path

from playwright.sync_api import Page, sync_playwright
from retrostep.archive.store import Store
from retrostep.device.core_version import core_hash
from retrostep.output.report.facts import report
from retrostep.output.report.page import page
from retrostep.output.report.pdf import find_chromium, write_pdf
from retrostep.training.data_quality import Core
from retrostep_core import VERSION
from support.club import HOSTILE, club_store
from support.places import ROOT

BUILD = ROOT / "build" / "screenshots"
NAMES = ("Ada", "Ben", "Chiara", *HOSTILE)
VIEWS = ((360, "light"), (1280, "light"), (360, "dark"), (1280, "dark"))
_HEIGHT = 1_800


def shoot(shown: Page, of: str, name: str, width: int) -> None:
    """A picture of the page from the element with the id `of` on."""
    box = shown.locator(f"#{of}").bounding_box()
    assert box is not None
    clip = {"x": 0, "y": box["y"], "width": width, "height": _HEIGHT}
    shown.screenshot(path=BUILD / f"{name}.png", clip=clip, full_page=True)  # type: ignore[arg-type]
    print(BUILD / f"{name}.png")


def main() -> int:
    """Exit status: 0 done, 1 without Chromium."""
    chromium = find_chromium()
    if chromium is None:
        print("Screenshots need Chromium: install it, for example with apt-get install chromium.", file=sys.stderr)
        return 1
    shutil.rmtree(BUILD, ignore_errors=True)
    with Store(club_store(BUILD / "data", NAMES)) as store:
        text = page(report(store, Core(VERSION, core_hash().hex())), datetime.now().astimezone())
    file = Path(BUILD, "club.html")
    file.write_text(text, encoding="utf-8")
    write_pdf(file, file.with_suffix(".pdf"))
    print(file, file.with_suffix(".pdf"), sep="\n")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for width, scheme in VIEWS:
            shown = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
            shown.goto(file.as_uri())
            for of in ("club", "a1", "a1-sessions"):
                shoot(shown, of, f"{of}-{width}-{scheme}", width)
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
