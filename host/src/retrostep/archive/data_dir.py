"""The data folder: where this computer keeps logs, the journal and the store."""

import os
from pathlib import Path

import platformdirs


class DataDir:
    """A data folder. Its parts:

    `logs/DEVICE/GGGGGGGG/NNNNNNNN.rsl`       raw logs as received. G is the device's generation, in hex; old logs have none.
    `incoming/DEVICE/GGGGGGGG/NNNNNNNN.part`  logs that are being received; `incoming/DEVICE.lock` while the device is synced
    `quarantine/`                             damaged and foreign logs
    `entries.jsonl`                           the event journal: what people entered and hosts observed; its lock is `entries.jsonl.lock`
    `store.sqlite`                            the store, derived from the logs and the journal
    """

    def __init__(self, path: Path) -> None:
        self.path = Path(path).expanduser().absolute()
        self.logs = self.path / "logs"
        self.incoming = self.path / "incoming"
        self.quarantine = self.path / "quarantine"
        self.journal = self.path / "entries.jsonl"

    @classmethod
    def from_environment(cls) -> "DataDir":
        """The folder that RETROSTEP_HOME names, or the platform's folder for user data."""
        named = os.environ.get("RETROSTEP_HOME")
        return cls(Path(named) if named else Path(platformdirs.user_data_dir("retrostep", appauthor=False)))

    @property
    def store_url(self) -> str:
        """The URL of the store in this folder."""
        return f"sqlite:///{self.path / 'store.sqlite'}"
