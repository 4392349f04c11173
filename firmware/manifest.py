"""Freezes the program into your own MicroPython build: `make FROZEN_MANIFEST=.../firmware/manifest.py` (README.md explains the steps).

MicroPython runs this file with CPython, in this folder. It is not copied to a board.
"""

import hashlib
import sys
from pathlib import Path

include("$(PORT_DIR)/boards/manifest.py")  # noqa: F821  the functions of a manifest: docs.micropython.org, "MicroPython manifest files"

for name in sorted(path.name for path in Path(".").glob("*.py") if path.name != "manifest.py"):
    module(name)  # noqa: F821
package("hal")  # noqa: F821
package("retrostep_core", base_path="lib")  # noqa: F821
for name in ("adafruit_lsm6ds", "adafruit_register", "adafruit_bus_device"):
    package(name, base_path="../build/drivers")  # noqa: F821

# A frozen core has no sources on the board to hash, so their hash is frozen with it. hal/identity.py reads it.
sys.path.insert(0, "lib")
from retrostep_core.core_hash import fingerprint  # noqa: E402

core = Path("lib/retrostep_core")
paths = sorted(path.relative_to(core).as_posix() for path in core.rglob("*.py"))
generated = Path("../build/frozen")
generated.mkdir(parents=True, exist_ok=True)
core_hash = fingerprint(hashlib.sha256, ((path, [(core / path).read_bytes()]) for path in paths))
(generated / "frozen_core_hash.py").write_text(f"CORE_HASH = {core_hash!r}\n")
module("frozen_core_hash.py", base_path=str(generated))  # noqa: F821
