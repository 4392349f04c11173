"""Carry what the board runs into the host's packages, byte for byte.

`retrostep_core` exists once, under firmware/lib. A wheel gets it as a top-level package beside `retrostep`, and the firmware and
boards folders as `retrostep/carried/`, which `retrostep deploy` copies to a board. An sdist gets all of them under carried/, so
that a wheel built from an sdist holds the same bytes as one built from a checkout. An editable install reads the checkout itself.
"""

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

FOLDERS = ("firmware", "boards")
SKIPPED = {"__pycache__", ".pytest_cache", ".mypy_cache", ".ruff_cache"}


class CarryFirmware(BuildHookInterface):  # type: ignore[type-arg]
    """Adds firmware/ and boards/ to the build, wherever they lie from here."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Name every carried file in `build_data` (hatchling's force_include)."""
        if self.target_name == "wheel" and version == "editable":
            return
        root = Path(self.root)
        checkout, unpacked = root.parent, root / "carried"
        source = unpacked if unpacked.is_dir() else checkout
        if not (source / "firmware/lib/retrostep_core").is_dir():
            raise FileNotFoundError(f"retrostep_core is neither under {checkout} nor under {unpacked}: build from a checkout or an sdist")
        include = build_data["force_include"]
        for folder in FOLDERS:
            for path in sorted((source / folder).rglob("*")):
                if not path.is_file() or SKIPPED & set(path.parts) or path.suffix == ".pyc":
                    continue
                inside = path.relative_to(source)
                if self.target_name == "sdist":
                    include[str(path)] = f"carried/{inside}"
                    continue
                include[str(path)] = f"retrostep/carried/{inside}"
                if inside.is_relative_to("firmware/lib/retrostep_core"):
                    include[str(path)] = str(inside.relative_to("firmware/lib"))
