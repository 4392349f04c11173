"""Sessions in a store, as a sync leaves them."""

from pathlib import Path

from retrostep.archive.store import Store

from support.cli import Retrostep
from support.logs import DEVICE, session_log


def receive(store: Store, number: int, data: bytes, device: str = DEVICE) -> None:
    """Archive a log and store its session."""
    store.raw.commit(device, number, data)
    store.ingest(device, number, data)


def store_url(home: Path) -> str:
    """The store in the data folder `home`."""
    return f"sqlite:///{home}/store.sqlite"


def with_adas_session(home: Path) -> Retrostep:
    """The command on a store with Ada and her session."""
    with Store(store_url(home)) as store:
        receive(store, 1, session_log(1, backward_s=30))
        store.add_athlete("Ada")
        store.assign(DEVICE, "Ada")
    return Retrostep(home)


def remove_store(home: Path) -> None:
    """Remove the database, which a later command builds again from logs and entries."""
    for path in home.glob("store.sqlite*"):
        path.unlink()
