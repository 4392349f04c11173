"""Two copies of one log, one after the other: which of them is archived, and where the other one goes."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from retrostep.archive.ingest import archive_log
from retrostep.archive.log_summary import summarize_log
from retrostep.archive.store import Store
from retrostep.errors import DamagedData
from retrostep_core.codes import BACKWARD, FORWARD, STILL
from retrostep_core.gait.limits_json import limits_from_json
from retrostep_core.log import records
from support.logs import DEVICE, LogBuilder


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(f"sqlite:///{tmp_path / 'home' / 'store.sqlite'}") as opened:
        yield opened


def log_of(**header: object) -> bytes:
    return LogBuilder(1, **header).bout(FORWARD, 60).bout(BACKWARD, 30).bout(STILL, 10).end()  # type: ignore[arg-type]


def boundaries(log: bytes) -> list[int]:
    """Where each record ends."""
    ends, at = [], len(records.MAGIC)
    while at < len(log):
        at += 7 + log[at + 2]
        ends.append(at)
    return ends


LOG = log_of()
ENDS = boundaries(LOG)
MIDDLE = len(ENDS) // 2
COPIES = {
    "complete": LOG,
    "cut inside a record": LOG[: ENDS[MIDDLE] + 5],
    "cut between records": LOG[: ENDS[MIDDLE]],
    "header only": LOG[: ENDS[0]],
    "bytes damaged": LOG[: ENDS[MIDDLE]] + b"\0" * 9 + LOG[ENDS[MIDDLE] :],
    "record lost": LOG[: ENDS[MIDDLE]] + LOG[ENDS[MIDDLE + 1] :],
    "bit flipped": bytes(byte ^ (at == ENDS[MIDDLE] + 5) for at, byte in enumerate(LOG)),
    "unreadable": b"\0" * 300,
}
OTHERS = {
    "other boot": log_of(boot=2),
    "other start": log_of(start_ticks_ms=10_001),
    "other core": log_of(core_hash=bytes(8)),
    "other limits": log_of(limits=limits_from_json({"ramp_stop_pct": 0}).pack()),
}


def test_the_copies_are_what_they_are_called() -> None:
    damage = {name: summarize_log(log).damage for name, log in COPIES.items() if name != "unreadable"}
    assert damage["complete"] == damage["cut between records"] == damage["header only"] == (0, 0)
    assert damage["bytes damaged"] == (9, 0) and damage["record lost"] == (0, 1)
    assert damage["bit flipped"][0] > 0 and damage["bit flipped"][1] == 1


def archive(store: Store, first: bytes, second: bytes) -> str:
    """What archiving `second` does while `first` is archived: stays, replaces or refused. The other copy must be in quarantine."""
    store.raw.commit(DEVICE, 1, first)
    try:
        summary = archive_log(store, summarize_log(second), second)
    except DamagedData as refused:
        assert store.raw.read(DEVICE, 1) == first and "both are kept" in str(refused)
        assert [path.read_bytes() for path in store.raw.quarantined()] == [second]
        return "refused"
    archived = store.raw.read(DEVICE, 1)
    assert archived in (first, second) and summary == summarize_log(archived), "the summary is of what is archived"
    is_contained = first.startswith(second) or second.startswith(first)
    assert [path.read_bytes() for path in store.raw.quarantined()] == ([] if is_contained else [first])
    return "stays" if archived == first else "replaces"


@pytest.mark.parametrize("damaged", ["bytes damaged", "record lost", "bit flipped", "unreadable"])
def test_a_complete_copy_replaces_a_damaged_one_and_never_the_reverse(store: Store, damaged: str) -> None:
    assert archive(store, COPIES[damaged], LOG) == "replaces"
    if damaged != "unreadable":
        store.raw.quarantined()[0].unlink()
        assert archive(store, LOG, COPIES[damaged]) == "refused"


@pytest.mark.parametrize("cut", ["cut inside a record", "cut between records", "header only"])
def test_a_longer_copy_continues_a_cut_one_and_never_the_reverse(store: Store, cut: str) -> None:
    assert archive(store, COPIES[cut], LOG) == "replaces"
    assert archive(store, LOG, COPIES[cut]) == "stays"
    assert archive(store, LOG, LOG) == "stays"


@pytest.mark.parametrize("damaged", ["bytes damaged", "record lost", "bit flipped"])
def test_a_cut_copy_replaces_no_longer_one_even_if_that_is_damaged(store: Store, damaged: str) -> None:
    """What follows the damage is only in the longer one."""
    longer = COPIES[damaged]
    assert archive(store, longer, LOG[: ENDS[MIDDLE + 2]]) == "refused"


@pytest.mark.parametrize("other", OTHERS)
def test_only_a_damaged_copy_of_the_same_log_is_replaced(store: Store, other: str) -> None:
    """Another log of that number may be of an erased board. Both are kept, however damaged it is."""
    log = OTHERS[other]
    assert archive(store, log, LOG) == "refused"
    store.raw.quarantined()[0].unlink()
    damaged = log[: ENDS[MIDDLE]] + b"\0" * 9 + log[ENDS[MIDDLE] :]
    store.raw.path(DEVICE, 1).unlink()
    assert archive(store, damaged, LOG) == "refused"


def test_two_undamaged_logs_that_begin_alike_are_both_kept(store: Store) -> None:
    """An emulator or a restored flash may record the same session twice."""
    other = LogBuilder(1).bout(FORWARD, 60).bout(BACKWARD, 90).bout(STILL, 10).end()
    assert archive(store, other, LOG) == "refused"
    for path in (*store.raw.quarantined(), store.raw.path(DEVICE, 1)):
        path.unlink()
    assert archive(store, LOG, other) == "refused"


def test_two_damaged_copies_are_both_kept(store: Store) -> None:
    for first, second in (("bytes damaged", "record lost"), ("record lost", "bit flipped")):
        assert archive(store, COPIES[first], COPIES[second]) == "refused"
        for path in (*store.raw.quarantined(), store.raw.path(DEVICE, 1)):
            path.unlink()


def test_the_first_copy_is_archived_as_it_is(store: Store) -> None:
    for name, log in COPIES.items():
        if name != "unreadable":
            assert archive_log(store, summarize_log(log), log) == summarize_log(log)
            assert store.raw.read(DEVICE, 1) == log and not store.raw.quarantined()
            store.raw.path(DEVICE, 1).unlink()
