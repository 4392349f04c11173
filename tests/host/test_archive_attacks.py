"""Attacks on the archive, drawn by a seed: programs killed and disks full at any write, and any damage of the journal.

What was confirmed stays, a command says in one line what is wrong, and a rebuild always works. `attack(seed, folder)` makes one attack.
"""

import errno
import json
import os
import random
import signal
import sqlite3
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from retrostep.archive.event_journal import parse_entry
from retrostep.archive.forget import forget_athlete
from retrostep.archive.ingest import archive_log
from retrostep.archive.log_summary import summarize_log
from retrostep.archive.store import Store
from retrostep.errors import DiskFull
from support.cli import Ran, Retrostep
from support.logs import DEVICE, session_log

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")

WRITES = ("write", "fsync", "replace", "rename", "unlink", "ftruncate", "mkdir", "open")
"""The calls of the operating system before which an attack takes place. SQLite makes its own: see `_full_database`, and kills by time."""

FULL, KILLED, DONE = 41, 42, 43
NAMES = ("Ada", "Ben")


def fill(store: Store) -> None:
    for number in (1, 2):
        receive(store, number)
    for name in NAMES:
        store.add_athlete(name)
    store.assign(DEVICE, "Ada")
    store.note(DEVICE, 1, text="kept", pain=1)


def receive(store: Store, number: int) -> None:
    data = session_log(number, forward_s=20, backward_s=10, boot=number)
    summary = summarize_log(data, DEVICE, number)
    with store.raw.partial(DEVICE, number) as part:
        part.append(data)
        store.add_log(archive_log(store, summary, data))
        part.discard()


def operations(dice: random.Random) -> dict[str, Callable[[Store], object]]:
    text = f"note {dice.randrange(10**6)}"
    return {
        "note": lambda store: store.note(DEVICE, 2, text=text, pain=3),
        "athlete": lambda store: store.add_athlete("Cyd"),
        "receive": lambda store: receive(store, 3),
        "rebuild": lambda store: store.rebuild(),
        "forget": lambda store: forget_athlete(store, "Ben"),
    }


def in_another_process(url: str, work: Callable[[Store], object], arm: Callable[[], None], kill_after_s: float | None) -> int:
    """Do the work in a process that is attacked. Return DONE where it was confirmed, FULL for a full disk, KILLED."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        status = 1
        try:
            os.close(reading)
            with Store(url) as store:
                arm()
                os.write(writing, b"s")
                work(store)
                os.write(writing, b"d")
            status = DONE
        except DiskFull:
            status = FULL
        finally:
            os._exit(status)
    os.close(writing)
    if kill_after_s is not None and os.read(reading, 1):
        time.sleep(kill_after_s)
        os.kill(child, signal.SIGKILL)
    said = b""
    while piece := os.read(reading, 10):
        said += piece
    os.close(reading)
    _, ended = os.waitpid(child, 0)
    if b"d" in said:
        return DONE
    return KILLED if os.WIFSIGNALED(ended) else os.WEXITSTATUS(ended)


def at_write(count: int, strike: Callable[[], None]) -> Callable[[], None]:
    """Let `strike` take place before the `count`-th write from now on, and before every later one."""

    def arm() -> None:
        left = count

        def wrap(name: str) -> Callable[..., Any]:
            real = getattr(os, name)

            def call(*arguments: Any, **more: Any) -> Any:
                nonlocal left
                is_write = name != "open" or arguments[1] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
                if is_write and not (name == "write" and arguments[1] in (b"s", b"d")):
                    left -= 1
                    if left < 0:
                        strike()
                return real(*arguments, **more)

            return call

        for name in WRITES:
            setattr(os, name, wrap(name))

    return arm


def no_room() -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def full_database(pages: int) -> Callable[[], None]:
    """Let the database have no room for more than `pages` new pages."""

    def arm() -> None:
        connect = sqlite3.dbapi2.connect

        def limited(*arguments: Any, **more: Any) -> sqlite3.Connection:
            connection = connect(*arguments, **more)
            (used,) = connection.execute("PRAGMA page_count").fetchone()
            connection.execute(f"PRAGMA max_page_count = {used + pages}")
            return connection

        sqlite3.dbapi2.connect = limited  # type: ignore[assignment]

    return arm


def is_honest(ran: Ran) -> bool:
    """Whether the command ended as documented: no fault, one line for each thing, and a documented status."""
    lines = ran.err.splitlines()
    is_known = ran.status in (0, 1, 3, 4) and (ran.status != 1 or len([line for line in lines if line.startswith("Error")]) == 1)
    return is_known and "fault of Retrostep" not in ran.err and "Traceback" not in ran.err and all(line.endswith(".") for line in lines)


def state(retrostep: Retrostep) -> dict[str, Any]:
    """What a person sees of the store."""
    sessions = retrostep("sessions", "--json")
    assert is_honest(sessions) and sessions.status == 0, sessions
    notes = []
    for one in sessions.json["sessions"]:
        shown = retrostep("session", one["session"], "--json")
        assert is_honest(shown), shown
        notes += [note["text"] for note in shown.json["notes"]]
    athletes = [one["athlete"] for one in retrostep("athletes", "--json").json["athletes"]]
    return {"sessions": [one["number"] for one in sessions.json["sessions"]], "notes": notes, "athletes": athletes}


def attack_a_write(dice: random.Random, home: Path) -> str:
    """Kill a program, or fill its disk, at one write of an operation. Return what was done."""
    url = f"sqlite:///{home}/store.sqlite"
    with Store(url) as store:
        fill(store)
    retrostep = Retrostep(home)
    before = state(retrostep)
    name, work = dice.choice(list(operations(dice).items()))
    kind = dice.choice(("killed at", "full at", "killed after", "full database"))
    arm: Callable[[], None] = lambda: None  # noqa: E731
    after_s = None
    if kind == "killed after":
        after_s = dice.random() * 0.08
    elif kind == "full database":
        arm = full_database(dice.choice((0, 0, 1, 3, 10)))
    else:
        arm = at_write(dice.randrange(14), die if kind == "killed at" else no_room)
    ended = in_another_process(url, work, arm, after_s)
    what = f"{name}, {kind}: {ended}"
    assert ended in (DONE, FULL, KILLED), what
    verified = retrostep("store", "verify")
    assert is_honest(verified), (what, verified)
    for _ in range(2):
        found = state(retrostep)
        for part in ("sessions", "notes", "athletes"):
            expected = [one for one in before[part] if not (name == "forget" and (part == "athletes" or ended != FULL) and one == "Ben")]
            assert set(expected) <= set(found[part]), (what, part, before, found)
            assert len(found[part]) == len(set(found[part])), (what, part, found)
        if ended == DONE:
            new = {"note": len(found["notes"]) == 2, "athlete": "Cyd" in found["athletes"], "receive": 3 in found["sessions"]}
            assert new.get(name, True) and (name != "forget" or "Ben" not in found["athletes"]), (what, found)
        rebuilt = retrostep("store", "rebuild")
        assert is_honest(rebuilt) and rebuilt.status == 0, (what, rebuilt)
    again = retrostep("store", "verify", "--json")
    # The beginning of a log that a killed program was receiving is continued by the next sync.
    assert again.status == 0 or again.json["unreferenced"], (what, again)
    return what


def damage(dice: random.Random, lines: list[bytes]) -> bytes:
    """The lines of a journal after some damage."""
    lines = list(lines)
    for _ in range(dice.randint(1, 4)):
        at = dice.randrange(len(lines))
        match dice.randrange(6):
            case 0:
                broken = bytearray(lines[at])
                broken[dice.randrange(len(broken))] ^= 1 << dice.randrange(8)
                lines[at] = bytes(broken)
            case 1:
                lines[at] = lines[at][: dice.randrange(1, len(lines[at]) + 1)]
            case 2:
                lines.insert(dice.randrange(len(lines)), lines[at])
            case 3:
                other = dice.randrange(len(lines))
                lines[at], lines[other] = lines[other], lines[at]
            case 4:
                lines.insert(at, bytes(dice.randrange(256) for _ in range(dice.randrange(60))) + b"\n")
            case 5:
                lines = lines * 2 if dice.random() < 0.5 else lines[::-1]
    text = b"".join(lines)
    return text[: dice.randrange(len(text) + 1)] if dice.random() < 0.3 else text


def attack_the_journal(dice: random.Random, home: Path) -> str:
    """Damage the journal, with the store beside it or without. Return what was done."""
    with Store(f"sqlite:///{home}/store.sqlite") as store:
        fill(store)
        store.rename_athlete("Ben", "Bea")
        store.note(DEVICE, 2, text="another", pain=2)
    retrostep = Retrostep(home)
    before = state(retrostep)
    good = (home / "entries.jsonl").read_bytes().splitlines(keepends=True)
    (home / "entries.jsonl").write_bytes(damage(dice, good))
    has_store = dice.random() < 0.7
    if not has_store:
        for path in home.glob("store.sqlite*"):
            path.unlink()
    order = [("sessions",), ("store", "verify"), ("athletes", "add", "Dee"), ("store", "rebuild"), ("check",)]
    dice.shuffle(order)
    for words in [*order, ("store", "rebuild"), ("store", "verify")]:
        ran = retrostep(*words)
        assert is_honest(ran), (words, ran)
    found = state(retrostep)
    assert set(found["sessions"]) == set(before["sessions"]), "logs are not in the journal"
    held = (home / "entries.jsonl").read_bytes().splitlines(keepends=True)
    valid = [line for line in held if parse_entry(line) is not None]
    assert len(set(valid)) == len(valid)
    if has_store:
        assert set(good) <= set(held), "everything comes back from the store"
        assert set(before["notes"]) <= set(found["notes"]) and set(before["athletes"]) <= set(found["athletes"])
    verified = retrostep("store", "verify", "--json")
    report = json.loads(verified.out)
    assert not (report["doubled_lines"] or report["unordered_lines"] or report["lost_lines"])
    return f"journal damaged, {'with' if has_store else 'without'} the store: {verified.status}"


def attack(seed: int, folder: Path) -> str:
    """One attack in an empty folder. Return what was done."""
    dice = random.Random(seed)
    return (attack_a_write if seed % 2 else attack_the_journal)(dice, folder / f"home{seed}")


@pytest.mark.parametrize("seed", range(12))
def test_an_attack_loses_nothing_that_was_confirmed(tmp_path: Path, seed: int) -> None:
    attack(seed, tmp_path)


if __name__ == "__main__":
    first, last = map(int, sys.argv[2:4])
    for number in range(first, last):
        print(number, attack(number, Path(sys.argv[1])), flush=True)
