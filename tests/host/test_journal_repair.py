"""A journal that was cut, doubled, put out of order or damaged: what is there counts once, in its order; the rest is named or restored."""

import json
import random
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest
from retrostep.archive.event_journal import EventJournal, entry_line
from retrostep.archive.journal_repair import Disorder, check_journal, repair_journal
from retrostep.archive.store import Store
from support.cli import Retrostep
from support.logs import DEVICE
from support.stored import remove_store, store_url, with_adas_session

Change = Callable[[list[bytes]], list[bytes]]

NOT_READABLE = b'{"entry":"athl\xff\n'


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def retrostep(home: Path) -> Retrostep:
    """The command on a store in which Ada was renamed twice and a session was given to her, excluded and included again."""
    command = with_adas_session(home)
    with Store(store_url(home)) as store:
        store.rename_athlete("Ada", "Eve")
        store.exclude(store.find_session("1"), "a test")
        store.include(store.find_session("1"))
        store.note(DEVICE, 1, pain=2)
        store.rename_athlete("Eve", "Ann")
    return command


def lines(home: Path) -> list[bytes]:
    return (home / "entries.jsonl").read_bytes().splitlines(keepends=True)


def answers(retrostep: Retrostep) -> list[object]:
    return [retrostep("sessions", "--json").json, retrostep("session", "1", "--json").json, retrostep("athletes", "--json").json]


CHANGES: dict[str, Change] = {
    "doubled": lambda lines: lines * 2,
    "one doubled": lambda lines: [*lines, lines[2]],
    "reversed": lambda lines: lines[::-1],
    "two swapped": lambda lines: [*lines[:-2], lines[-1], lines[-2]],
    "torn": lambda lines: [*lines, lines[0][:17]],
    "torn and continued": lambda lines: [*lines[:-1], lines[-1][:20] + b"\n", lines[-1]],
}


@pytest.mark.parametrize("with_store", [True, False])
@pytest.mark.parametrize("change", CHANGES)
def test_disorder_is_named_once_and_repaired(retrostep: Retrostep, home: Path, change: str, with_store: bool) -> None:
    good, before = lines(home), answers(retrostep)
    (home / "entries.jsonl").write_bytes(b"".join(CHANGES[change](good)))
    if not with_store:
        remove_store(home)
    ran = retrostep("store", "verify")
    assert ran.status == 4 and any(word in ran.err for word in ("there twice", "out of order", "damaged line")), ran
    assert lines(home) == good and answers(retrostep) == before
    again = retrostep("store", "verify")
    assert (again.status, again.err) == (0, "") and "Everything is as it was received." in again.out


def test_a_line_of_which_nothing_is_left_stays_named(retrostep: Retrostep, home: Path) -> None:
    good = lines(home)
    remove_store(home)
    (home / "entries.jsonl").write_bytes(b"".join([*good[:2], NOT_READABLE, *good[3:]]))
    for _ in range(2):
        ran = retrostep("store", "verify")
        assert ran.status == 4 and "Damaged: 1 line of entries.jsonl cannot be read." in ran.out
        assert "Missing: entry 3 is gone from entries.jsonl." in ran.out
    assert NOT_READABLE in lines(home)


@pytest.mark.parametrize("flip", [b"\xff", b'"'])
def test_a_flipped_byte_is_found_by_verify_and_repaired_by_rebuild(retrostep: Retrostep, home: Path, flip: bytes) -> None:
    good, before = lines(home), answers(retrostep)
    broken = bytearray(good[1])
    place = broken.index(b"Ada")
    broken[place : place + 1] = flip
    (home / "entries.jsonl").write_bytes(b"".join([good[0], bytes(broken), *good[2:]]))
    ran = retrostep("store", "verify")
    assert ran.status == 4 and "Lost: entries.jsonl lacks 1 line that the store has." in ran.out
    rebuilt = retrostep("store", "rebuild")
    assert rebuilt.status == 0 and "restored from the store" in rebuilt.err and "kept in" in rebuilt.err
    assert lines(home) == good and answers(retrostep) == before and retrostep("store", "verify").status == 0


def test_old_lines_that_were_reversed_while_the_store_was_lost_are_named(retrostep: Retrostep, home: Path) -> None:
    old = [entry_line({**json.loads(line), "at_ms": 1_780_000_000_000 + at * 3_600_000}) for at, line in enumerate(lines(home))]
    old = [entry_line({name: value for name, value in json.loads(line).items() if name != "seq"}) for line in old]
    remove_store(home)
    (home / "entries.jsonl").write_bytes(b"".join(old))
    assert retrostep("store", "verify").status == 0
    remove_store(home)
    (home / "entries.jsonl").write_bytes(b"".join(reversed(old)))
    ran = retrostep("store", "verify")
    assert ran.status == 4 and f"Order in doubt: {len(old) - 1} lines of entries.jsonl without a number" in ran.out, ran
    assert retrostep("store", "verify", "--json").json["backward_lines"] == len(old) - 1
    assert lines(home) == old[::-1], "nothing tells which order is right"


def test_lines_without_a_number_keep_the_order_that_the_store_knows(tmp_path: Path) -> None:
    journal = EventJournal(tmp_path / "entries.jsonl")
    old = [b'{"entry":"seen","at_ms":%d}\n' % at for at in (5, 3, 9)]
    new = [b'{"entry":"seen","at_ms":1,"seq":%d}\n' % at for at in (1, 2)]
    journal.path.write_bytes(b"".join([new[1], old[2], old[0], new[0], old[1]]))
    assert repair_journal(journal, [*old, *new], 0) is not None
    assert journal.path.read_bytes() == b"".join([*old, *new])


def test_a_line_without_a_number_behind_others_stays_there(tmp_path: Path) -> None:
    journal = EventJournal(tmp_path / "entries.jsonl")
    lines = [b'{"entry":"seen","at_ms":1,"seq":1}\n', b'{"entry":"seen","at_ms":2}\n', b'{"entry":"seen","at_ms":3,"seq":2}\n']
    journal.path.write_bytes(b"".join([*lines, lines[0]]))
    assert repair_journal(journal, [], 0) is not None
    assert journal.path.read_bytes() == b"".join(lines) and not check_journal(journal, lambda: lines)


@pytest.mark.parametrize("seed", range(20))
def test_any_damage_ends_in_order_or_is_named(tmp_path: Path, seed: int) -> None:
    """Whatever happened to the lines: all valid ones are there once and in order, those of the store are back, and it converges."""
    dice = random.Random(seed)
    journal = EventJournal(tmp_path / "entries.jsonl")
    for number in range(30):
        journal.append("note", number, text="x" * dice.randrange(40))
    good = journal.path.read_bytes().splitlines(keepends=True)
    copies = good[: dice.choice((0, 15, 30))]
    damaged = list(good)
    for _ in range(dice.randint(1, 4)):
        at = dice.randrange(len(damaged))
        match dice.randrange(5):
            case 0:
                del damaged[at]
            case 1:
                damaged.insert(dice.randrange(len(damaged)), damaged[at])
            case 2:
                damaged[at], damaged[at - 1] = damaged[at - 1], damaged[at]
            case 3:
                damaged[at] = damaged[at][: dice.randrange(1, len(damaged[at]))] + b"\n"
            case 4:
                damaged.insert(at, bytes(dice.randrange(32, 256) for _ in range(20)) + b"\n")
        if not damaged:
            break
    text = b"".join(damaged)
    journal.path.write_bytes(text[: len(text) - dice.choice((0, 0, 7))])
    present = {line.raw for line in journal.lines() if line.entry}
    repair_journal(journal, copies, len(b"".join(copies)))
    after = [line.raw for line in journal.lines() if line.entry]
    assert after == [line for line in good if line in present | set(copies) or line in after]
    assert present | set(copies) <= set(after)
    left = check_journal(journal, lambda: copies)
    assert not left.doubled and not left.unordered and not left.lost
    assert repair_journal(journal, copies, 0) is None or left.damaged, "nothing is left to be done"
    gone = [number for number, line in enumerate(good, 1) if line not in after]
    named = [number for first, last in left.missing for number in range(first, last + 1)]
    assert named == [number for number in gone if any(later in after for later in good[number:])]
    assert isinstance(left, Disorder)


def test_memory_does_not_grow_with_a_journal_in_order(tmp_path: Path) -> None:
    """2,000 more lines take less than 4 bytes each, where a set of them would take 60."""
    journal, peaks = EventJournal(tmp_path / "entries.jsonl"), []
    for count in (1_000, 3_000):
        lines = [entry_line({"entry": "seen", "at_ms": n, "seq": n, "text": "x" * 100}) for n in range(1, count + 1)]
        journal.path.write_bytes(b"".join(lines))
        tracemalloc.start()
        assert not check_journal(journal, lambda lines=lines: iter(lines))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] - peaks[0] < 8_000, peaks


def test_a_copy_that_the_journal_lacks_is_found_wherever_it_is(tmp_path: Path) -> None:
    journal = EventJournal(tmp_path / "entries.jsonl")
    lines = [entry_line({"entry": "seen", "at_ms": n, "seq": n}) for n in range(1, 6)]
    journal.path.write_bytes(b"".join(lines))
    for at in range(7):
        for copies in (lines, lines[1:3]):
            lost = [*copies[:at], entry_line({"entry": "seen", "at_ms": 9, "seq": 9}), *copies[at:]]
            assert check_journal(journal, lambda lost=lost: iter(lost)) == Disorder(lost=1)


def test_what_is_gone_everywhere_is_named_and_needs_no_repair() -> None:
    """A repair holds the whole journal in memory."""
    assert Disorder(missing=[(3, 3)]) and not Disorder(missing=[(3, 3)]).is_repairable(has_copies=True)
    assert not Disorder(backward=1).is_repairable(has_copies=False), "only the copies know the order"
    assert Disorder(backward=1).is_repairable(has_copies=True) and Disorder(lost=1).is_repairable(has_copies=True)
