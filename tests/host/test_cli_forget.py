"""`athletes forget`: a person is removed everywhere, other people's data stays, and what is not reached is named."""

import json
import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest
from retrostep.archive import durable_files, event_journal
from retrostep.archive.store import Store
from support.cli import Retrostep, one_sentence
from support.logs import DEVICE, session_log
from support.stored import receive

OTHER = "aabbccddee00"
NAME = "Zo\u00eb Quill"
EARLIER = "Zo Typo"


@pytest.fixture
def retrostep(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Retrostep:
    """Zoë, who was misspelled first, with notes, limits, corrections and a period between two of Ada's."""
    monkeypatch.setenv("RETROSTEP_HOME", str(tmp_path))
    with Store() as store:
        for device, number, started in ((DEVICE, 1, "2026-11-02 10:00"), (DEVICE, 2, "2026-11-12 10:00"), (OTHER, 1, "2026-11-12 10:00")):
            log = session_log(number, device=device, started=started, backward_s=60, boot=number)
            receive(store, number, log, device)
    run = Retrostep(tmp_path)
    by = ("--by", f"Coach {NAME}", "--why")
    for words in (
        ("athletes", "add", "Ada"),
        ("athletes", "add", EARLIER),
        ("athletes", "rename", EARLIER, unicodedata.normalize("NFD", NAME)),
        ("athletes", "assign", DEVICE, "Ada"),
        ("athletes", "assign", DEVICE, NAME, "--from", "2026-11-10", "--to", "2026-11-20"),
        ("athletes", "assign", OTHER, "Ada"),
        ("note", f"{DEVICE}/2", "--pain", 4, "--text", "secret knee"),
        ("note", f"{DEVICE}/2", "--correct", 1, "--pain", 5, "--why", "secret reason"),
        ("note", f"{DEVICE}/1", "--pain", 2, "--text", f"ran with {NAME.upper()}"),
        ("session", f"{DEVICE}/2", "--exclude", "secret bus"),
        ("session", f"{OTHER}/1", "--athlete", NAME),
        ("session", f"{OTHER}/1", "--athlete", "Ada", "--why", f"not {EARLIER}"),
        ("rules", "set", "warm_up", "--warn", "8min", "--athlete", NAME, *by, "secret heart"),
        ("rules", "set", "warm_up", "--warn", "7min", *by, f"asked by {NAME}"),
    ):
        ran = run(*words)
        assert ran.status == 0, (words, ran.err)
    return run


def remains(home: Path) -> list[str]:
    """The files below `home` with a trace of the person, in any spelling."""
    words = ["secret", EARLIER, "Typo", "Quill", "QUILL", NAME, unicodedata.normalize("NFD", NAME)]
    traces = {form for word in words for form in (word.encode(), json.dumps(word)[1:-1].encode())}
    return [str(path) for path in home.rglob("*") if path.is_file() and any(trace in path.read_bytes() for trace in traces)]


def test_nothing_of_the_person_stays_and_everything_else_does(retrostep: Retrostep) -> None:
    quarantine = retrostep.home / "quarantine"
    quarantine.mkdir(exist_ok=True)
    (quarantine / "store.sqlite.17").write_bytes((retrostep.home / "store.sqlite").read_bytes() + NAME.encode())
    (quarantine / "x.txt").write_text(f"the log of {NAME} is damaged", encoding="utf-8")
    assert len(remains(retrostep.home)) >= 4
    ran = retrostep("athletes", "forget", NAME.lower(), "--yes")
    assert ran.status == 0 and "1 session has no name now" in ran.out and "Not reached: backups of" in ran.out, ran
    assert remains(retrostep.home) == []
    assert (quarantine / "x.txt").read_text() == "the log of (removed) is damaged" and not (quarantine / "store.sqlite.17").exists()

    sessions = retrostep("sessions", "--json").json["sessions"]
    assert [(one["session"], one["athlete"], one["pain"]) for one in sessions] == [
        (f"{DEVICE}/1", "Ada", 2), (f"{OTHER}/1", "Ada", None), (f"{DEVICE}/2", None, None),
    ]  # fmt: skip
    assert sessions[2]["excluded"] == "(removed)", "it stays out of the check"
    assert [one["athlete"] for one in retrostep("athletes", "assignments", DEVICE, "--json").json["assignments"]] == ["Ada", None, "Ada"]
    note = retrostep("session", f"{DEVICE}/1", "--json").json["notes"][0]["text"]
    assert note == "ran with (removed)"
    (override,) = (one for rule in retrostep("rules", "--json").json["rules"] for one in rule["overrides"])
    assert (override["athlete"], override["who"], override["why"]) == (None, "Coach (removed)", "asked by (removed)")
    before = retrostep("sessions", "--json").out
    assert retrostep("store", "rebuild").status == 0 and retrostep("sessions", "--json").out == before
    assert remains(retrostep.home) == []
    assert "There is no athlete" in one_sentence(retrostep("athletes", "forget", NAME, "--yes"))


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("with \uff3a\uff4f\u00eb\u3000\uff31\uff55\uff49\uff4c\uff4c, \u00bd lap", "with (removed), \u00bd lap"),  # full width
        ("with Zoe\u0308\u00a0\n QUILL", "with (removed)"),
        ("with Zo\u00eb Qu\u00adi\u200bll!", "with (removed)!"),  # a soft hyphen and a space of no width
        ("Zo\u00eb Qu\u24d8ll and \U0001d419\U0001d428\u00eb Quill", "(removed) and (removed)"),  # letters in circles, mathematical letters
        ("Zo\u00eb Quille, xZo\u00eb Quill, Zoe Quill", "Zo\u00eb Quille, xZo\u00eb Quill, Zoe Quill"),  # other people
        ("Zo\u00eb Quill\u0308", "Zo\u00eb Quill\u0308"),
    ],
)
def test_a_name_is_found_however_it_is_written(retrostep: Retrostep, text: str, left: str) -> None:
    assert retrostep("note", f"{DEVICE}/1", "--text", text).status == 0
    assert retrostep("athletes", "forget", NAME, "--yes").status == 0
    assert left in [note["text"] for note in retrostep("session", f"{DEVICE}/1", "--json").json["notes"]]


def test_a_session_whose_athlete_was_forgotten_gets_another_one_as_the_list_says(retrostep: Retrostep) -> None:
    assert retrostep("session", f"{OTHER}/1", "--athlete", NAME).status == 0
    assert retrostep("athletes", "forget", NAME, "--yes").status == 0
    listed = retrostep("athletes").out
    assert f"1 session of {OTHER} has no athlete. `retrostep sessions --device {OTHER}` lists them." in listed
    assert f"`retrostep session {OTHER}/NUMBER --athlete NAME`" in listed and "assign " not in listed
    assert retrostep("session", f"{OTHER}/1", "--athlete", "Ada").status == 0
    assert f"of {OTHER}" not in retrostep("athletes").out


def test_a_removed_athlete_can_be_forgotten(retrostep: Retrostep) -> None:
    assert retrostep("athletes", "remove", NAME, "--yes").status == 0
    assert retrostep("athletes", "forget", NAME, "--yes").status == 0
    assert remains(retrostep.home) == []


def test_another_athlete_with_the_earlier_name_stays(retrostep: Retrostep) -> None:
    assert retrostep("athletes", "add", EARLIER).status == 0
    assert retrostep("session", f"{OTHER}/1", "--athlete", EARLIER).status == 0
    assert retrostep("athletes", "forget", NAME, "--yes").status == 0
    assert [one["athlete"] for one in retrostep("athletes", "--json").json["athletes"]] == ["Ada", EARLIER]
    assert retrostep("session", f"{OTHER}/1", "--json").json["athlete"] == EARLIER


def test_what_holds_the_name_still_is_named(retrostep: Retrostep) -> None:
    backup = retrostep.home / "entries.jsonl.bak"
    backup.write_bytes((retrostep.home / "entries.jsonl").read_bytes())
    with open(retrostep.home / "entries.jsonl", "ab") as journal:
        journal.write(f'{{"entry": "note", "text": "{NAME}"\n'.encode())
    err = retrostep("athletes", "forget", NAME, "--yes").err
    assert f"Not reached: {backup} holds the name still" in err and f"{retrostep.home / 'entries.jsonl'} holds the name still" in err


def test_without_an_answer_nothing_is_forgotten(retrostep: Retrostep) -> None:
    before = remains(retrostep.home)
    refused = one_sentence(retrostep("athletes", "forget", NAME))
    assert "for good" in refused and "--yes" in refused
    assert remains(retrostep.home) == before


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_kill_at_any_write_leaves_the_journal_as_before_or_without_the_person(retrostep: Retrostep, call: str) -> None:
    """The process dies at the first, second, ... call: afterwards every command works, and the same command finishes the work."""
    journal = retrostep.home / "entries.jsonl"
    before = journal.read_bytes()
    program = (
        "import os, sys\n"
        f"real, left = os.{call}, int(sys.argv.pop(1))\n"
        "def die(*arguments, **named):\n"
        "    global left\n"
        "    left -= 1\n"
        "    if left < 0: os._exit(9)\n"
        "    return real(*arguments, **named)\n"
        f"os.{call} = die\n"
        "from retrostep.cli import run\n"
        f"sys.argv[1:] = ['athletes', 'forget', {NAME!r}, '--yes']\n"
        "run()\n"
    )
    statuses = []
    for writes in range(12):
        done = subprocess.run([sys.executable, "-c", program, str(writes)], env=retrostep.environment, capture_output=True, text=True)
        statuses.append(done.returncode)
        if done.returncode != 9:
            break
        after = journal.read_bytes()
        assert after == before or (b"Quill" not in after and b'"rewritten"' in after)
        assert retrostep("sessions").status == 0
        again = retrostep("athletes", "forget", NAME, "--yes")
        assert again.status == 0 or "There is no athlete" in again.err
        assert remains(retrostep.home) == []
        journal.write_bytes(before)
        (retrostep.home / "store.sqlite").unlink()
        assert retrostep("store", "rebuild").status == 0
    assert 9 in statuses and statuses[-1] == 0, statuses


def test_a_full_disk_leaves_everything_as_before(retrostep: Retrostep, monkeypatch: pytest.MonkeyPatch) -> None:
    before = (retrostep.home / "entries.jsonl").read_bytes()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as disk:
        disk.setattr(durable_files.os, "replace", full)
        assert retrostep("athletes", "forget", NAME, "--yes").status == 1
    assert (retrostep.home / "entries.jsonl").read_bytes() == before and event_journal.REWRITTEN.encode() not in before
    assert retrostep("athletes", "--json").json["athletes"][1]["athlete"] == NAME
