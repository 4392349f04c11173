"""The data folder: where this computer keeps logs, the journal and the store."""

import os
from pathlib import Path

import platformdirs

from retrostep.archive.store_url import file_url
from retrostep.errors import NoAccess


class DataDir:
    """A data folder. Its parts:

    `logs/DEVICE/GGGGGGGG/NNNNNNNN.rsl`       raw logs as received. G is the device's generation, in hex; old logs have none.
    `incoming/DEVICE/GGGGGGGG/NNNNNNNN.part`  logs that are being received; `incoming/DEVICE.lock` while the device is synced
    `quarantine/`                             damaged and foreign logs
    `entries.jsonl`                           the event journal: what people entered and hosts observed; its lock is `entries.jsonl.lock`
    `store.sqlite`                            the store, derived from the logs and the journal
    """

    def __init__(self, path: Path) -> None:
        try:
            self.path = Path(path).expanduser().absolute()
        except RuntimeError as error:  # ~name of a user that does not exist, or a user without a home
            shown = ascii(str(path)[:80])
            raise NoAccess(f"There is no home of a user for {shown}: choose another folder with RETROSTEP_HOME.") from error
        self.logs = self.path / "logs"
        self.incoming = self.path / "incoming"
        self.quarantine = self.path / "quarantine"
        self.journal = self.path / "entries.jsonl"

    @classmethod
    def from_environment(cls) -> "DataDir":
        """The folder that RETROSTEP_HOME names, or the platform's folder for user data."""
        named = os.environ.get("RETROSTEP_HOME")
        try:
            return cls(Path(named or platformdirs.user_data_dir("retrostep", appauthor=False)))
        except RuntimeError as error:
            raise NoAccess("This user has no home folder: choose a folder for the data with RETROSTEP_HOME.") from error

    @property
    def store_url(self) -> str:
        """The URL of the store in this folder."""
        return file_url(self.path / "store.sqlite")
