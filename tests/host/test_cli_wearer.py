"""The question who wears a new device: names, a new athlete, later; and never where nobody can answer."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from retrostep.archive.store import Store
from retrostep.cli import _wearer
from retrostep.sync.sync import SyncResult

DEVICE = "RS-3F2A01B4C8D9"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(f"sqlite:///{tmp_path}/store.sqlite") as store:
        for name in ("Ada Bell", "Ben"):
            store.add_athlete(name)
        store.assign("RS-OTHER", "Ben")
        yield store


def asked(store: Store, typed: str, nickname: str = "", *, never_assigned: bool = True) -> tuple[bool, str]:
    """(whether the device was assigned, what was shown) where a person types `typed`."""
    result = SyncResult("/dev/x", DEVICE, "VIRTUAL", "0.1.0", "same", nickname, never_assigned=never_assigned)
    with CliRunner().isolation(input=typed) as (_, err, both):
        assigned = _wearer.ask_wearer(store, result)
        return assigned, both.getvalue().decode()


def wearer(store: Store) -> list[str | None]:
    return [one.athlete for one in store.assignments() if one.device == DEVICE]


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_wearer, "_is_at_a_terminal", lambda: True)


@pytest.mark.usefixtures("terminal")
def test_the_names_that_are_meant_are_suggested(store: Store) -> None:
    assert "Perhaps Ada Bell." in asked(store, "later\n")[1], "Ben has a device"
    assert f"{DEVICE} (ben left) is new. Which athlete wears it? Perhaps Ben." in asked(store, "later\n", "ben left")[1]


@pytest.mark.usefixtures("terminal")
@pytest.mark.parametrize("typed", ["\n", "LATER\n", "", "Cy\nn\nlater\n", "Cy\n"])
def test_later_assigns_nothing(store: Store, typed: str) -> None:
    assert not asked(store, typed)[0] and wearer(store) == [] and len(store.athletes()) == 2


@pytest.mark.usefixtures("terminal")
def test_an_athlete_is_found_or_added(store: Store) -> None:
    assigned, shown = asked(store, "Ada\nn\nada  bell\n")
    assert assigned and "did you mean Ada Bell?" in shown and "is assigned to Ada Bell, all its sessions included." in shown
    assert wearer(store) == ["Ada Bell"]
    store.remove_athlete("Ben")
    _, shown = asked(store, "Ben\nlater\n")
    assert "athletes restore Ben" in shown
    assert asked(store, "Cy\ny\n")[0] is True and [row.name for row in store.athletes()] == ["Ada Bell", "Cy"]


def test_it_is_asked_only_of_a_person_and_about_a_new_device(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    assert asked(store, "Ben\n") == (False, "")
    monkeypatch.setattr(_wearer, "_is_at_a_terminal", lambda: True)
    assert asked(store, "Ben\n", never_assigned=False) == (False, "") and wearer(store) == []
