"""A compiled board's program does what its sources do: the same walk on a clock of its own, cut off, recovered, synced and calibrated."""

import binascii
import shutil
import subprocess
import sys
from pathlib import Path

from retrostep.device.bundle import HASH, bundle
from retrostep_core.log.reader import read_log

ROOT = Path(__file__).resolve().parents[2]

BOOT = """
import asyncio, builtins, os, sys
root = %r
def there(path):
    return path if path.startswith(root) else root + path
class Os:  # as the board's: its root is the folder; room and chance are the same each time
    listdir = lambda path: os.listdir(there(path))
    mkdir = lambda path: os.mkdir(there(path))
    remove = lambda path: os.remove(there(path))
    rename = lambda old, new: os.rename(there(old), there(new))
    stat = lambda path: os.stat(there(path))
    urandom = lambda count: bytes(range(count))
    statvfs = lambda path: (4096, 4096, 512, 400, 400, 0, 0, 0, 0, 255)
sys.modules["os"] = Os
opened = open
builtins.open = lambda path, mode="r": opened(there(path), mode)
sys.path[:] = [root + "/standins", root, root + "/lib", ".frozen"]
for name in ("time", "select"):
    sys.modules.pop(name, None)
import time
source = open("/main.py").read().replace("app.run()", "app.start()")
exec(source)
server = [part for part in app.__dict__.values() if hasattr(part, "feed")][0]  # its name is short where it was made so
def live(seconds):
    for turn in range(100 * seconds):
        time.now_ms += 10
        app.attend()
        if turn %% 11 == 0:
            app.sample()
        if turn %% 50 == 0:
            app.keep_house()
def ask(*lines):
    for line in lines:
        server.feed(line, len(line))
        live(1)
"""
FIRST = "live(12)\nask(%s)\nlive(3)\n"
SECOND = "live(3)\nask(%s)\nlive(12)\napp.calibrate(False)\nlive(15)\napp.session.mark(time.now_ms, 3)\napp.stop()\nlive(1)\n"


def line(number: int, words: str) -> bytes:
    """A request, as FORMATS.md has it."""
    body = b"%02x %s" % (number, words.encode())
    return b"~%s*%08x\n" % (body, binascii.crc32(body))


def lived(folder: Path, code: str) -> tuple[bytes, dict[str, bytes]]:
    """(what the board said on its line, its logs) in two lives, the first of which ends with a power cut."""
    files = dict(bundle("VIRTUAL", code))
    for path, data in ({HASH: dict(bundle("VIRTUAL", "compiled"))[HASH]} | files).items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    shutil.copytree(ROOT / "tests/bench/standins", folder / "standins", ignore=lambda *_: ["os.py", "__pycache__"])
    words = ["HELLO", "LIMITS", f"LIMITS {'01' + '00' * 23}", "WATCH 1", "CLOCK 1700000000000", "NONSENSE", "CLOCK x", "CALIBRATE"]
    first = [line(n, word) for n, word in enumerate(words)]
    words = ["LIST 0", "READ 1 0 9999", "CONFIRM 1 5 5", "STATUS", "CALIBRATE 1", "CALIBRATE"]
    second = [line(n, word) for n, word in enumerate(words)]
    said = b""
    for script, lines in ((FIRST, first), (SECOND, second)):
        program = BOOT % str(folder) + script % ", ".join(map(repr, lines))
        done = subprocess.run([str(Path(sys.executable).parent / "micropython"), "-c", program], capture_output=True, timeout=120)
        assert done.returncode == 0 and b"Traceback" not in done.stdout, (done.stdout[-1500:], done.stderr[-1500:])
        said += done.stdout
    return said, {path.name: path.read_bytes() for path in sorted((folder / "sessions").iterdir()) if path.is_file()}


def test_a_slim_program_says_and_writes_the_same_bytes(tmp_path: Path) -> None:
    (tmp_path / "source").mkdir()
    (tmp_path / "compiled").mkdir()
    said, logs = lived(tmp_path / "source", "source")
    assert b"1 interrupted session(s) closed" in said and len(said) > 2_000
    counted = [len(read_log(data).steps) for name, data in logs.items() if data and name.endswith(".rsl")]
    assert len(counted) > 1 and sum(counted) > 80, "nobody walked"
    assert lived(tmp_path / "compiled", "compiled") == (said, logs)
