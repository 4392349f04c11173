"""A page as a PDF, printed by the Chromium of this computer."""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from retrostep.archive.durable_files import file_errors, write_atomically
from retrostep.errors import NoBrowser

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge", "microsoft-edge")
_PLACES = {
    "darwin": (
        "/Applications/Chromium.app/Contents/MacOS/Chromium",
        "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
        "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
    ),
    "win32": (
        r"C:\Program Files\Google\Chrome\Application\chrome.exe",
        r"C:\Program Files (x86)\Microsoft\Edge\Application\msedge.exe",
    ),
}
_MOST_S = 180


def find_chromium() -> str | None:
    """The path of Chromium, Chrome or Edge on this computer; None without one."""
    found = next(filter(None, map(shutil.which, _NAMES)), None)
    return found or next((place for place in _PLACES.get(sys.platform, ()) if Path(place).is_file()), None)


def write_pdf(page: Path, to: Path) -> None:
    """Print the HTML file `page` to `to`, which only its owner can read. Raises NoBrowser, NoAccess, DiskFull."""
    chromium = find_chromium()
    if chromium is None:
        raise NoBrowser("A PDF needs Chromium, Chrome or Edge, and none was found: install one, or print the page from a browser.")
    # Beside the result: a Chromium in a sandbox of its own (snap) sees the home folder, and not /tmp.
    with file_errors(to), tempfile.TemporaryDirectory(prefix=".retrostep-", dir=to.parent, ignore_cleanup_errors=True) as folder:
        made = Path(folder, "page.pdf")
        # The page has no script and loads nothing, so it may do without the sandbox, which root and most containers lack.
        switches = ["--headless", "--no-sandbox", "--disable-gpu", "--no-pdf-header-footer", f"--user-data-dir={folder}/profile"]
        command = [chromium, *switches, f"--print-to-pdf={made}", page.absolute().as_uri()]
        try:
            ran = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", timeout=_MOST_S)
            status = str(ran.returncode)
        except subprocess.TimeoutExpired:
            status = f"no answer after {_MOST_S} s"
        if not made.is_file() or not made.stat().st_size:
            raise NoBrowser(f"{chromium} made no PDF ({status}): print {page} from a browser.")
        write_atomically(to, made.read_bytes())
