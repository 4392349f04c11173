"""Where everything is kept on this computer."""

import os
from pathlib import Path

import platformdirs


class Home:
    """A folder that holds the raw logs and, beside them, the store derived from them.

    `logs/DEVICE/LLLLLLLL/NNNNNNNN.rsl` as received (L the device's life, in hex; left out where logs tell none),
    `incoming/DEVICE/LLLLLLLL/NNNNNNNN.part` while a transfer is under way, `quarantine/` for what is damaged or foreign,
    `entries.jsonl` for what people entered and hosts observed, `store.sqlite` for what can be derived.
    """

    def __init__(self, path: Path) -> None:
        self.path = Path(path).expanduser().absolute()
        self.logs = self.path / "logs"
        self.incoming = self.path / "incoming"
        self.quarantine = self.path / "quarantine"
        self.entries = self.path / "entries.jsonl"

    @classmethod
    def from_environment(cls) -> "Home":
        """The folder named by RETROSTEP_HOME, or the platform's folder for user data."""
        named = os.environ.get("RETROSTEP_HOME")
        return cls(Path(named) if named else Path(platformdirs.user_data_dir("retrostep", appauthor=False)))

    @property
    def store_url(self) -> str:
        """The URL of the store that lives here."""
        return f"sqlite:///{self.path / 'store.sqlite'}"
