"""Limits of devices: made from the plan, waiting in the journal, sent over the link, and compared with what a device enforces."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from retrostep.archive.store import Store
from retrostep.device.client import DeviceClient
from retrostep.device.core_version import core_hash
from retrostep.errors import LinkLost, Unchanged
from retrostep.sync.sync import sync_board
from retrostep.training.device_limits import KnownLimits, limits_words, planned_limits
from retrostep.training.plan import Planner
from retrostep.training.rules.catalog import BY_NAME
from retrostep.training.rules.rule import RuleLimits, TrainingHistory
from retrostep.training.training_session import training_sessions
from retrostep_core.gait.limits import Limits
from retrostep_core.gait.limits_json import limits_from_json, limits_to_json
from support.cli import Retrostep, one_sentence
from support.fake_board import DEVICE, FakeBoard
from support.logs import session_log
from support.recordings import TODAY, recording
from support.stored import receive

pytestmark = pytest.mark.usefixtures("clock")
ON = TODAY.toordinal()
STRICT = limits_from_json({"session_warn_s": 66, "session_stop_s": 120})


def planned(*recordings: object, **changed: RuleLimits) -> dict[str, float]:
    history = TrainingHistory(ON, ON - 6, training_sessions(recordings), [])  # type: ignore[arg-type]

    def limits_of(rule: object) -> RuleLimits:
        return changed.get(rule.rule, BY_NAME[rule.rule].limits)  # type: ignore[attr-defined]

    return limits_to_json(planned_limits(Planner(history, limits_of), limits_of))


def test_limits_worked_out_by_hand() -> None:
    """100 s at 150 steps a minute three times: 110 s without a warning, 130 s without a failure; 10 and 15 % more cadence."""
    jogs = [recording(day, 100, number=day) for day in (12, 9, 6)]
    found = planned(*jogs)
    assert (found["session_warn_s"], found["session_stop_s"], found["warm_up_s"]) == (110, 130, 300)
    assert (found["ceiling_warn_spm"], found["ceiling_stop_spm"]) == (165, 172), "whole steps"
    assert [found[name] for name in ("ramp_window_s", "ramp_warn_pct", "ramp_stop_pct")] == [10, 10, 15]
    beginner = planned()
    assert (beginner["session_warn_s"], beginner["session_stop_s"]) == (600, 1200), "walking"
    assert (beginner["ceiling_warn_spm"], beginner["ceiling_stop_spm"]) == (120, 150), "where walking ends and jogging begins"
    off = RuleLimits(None, None, enabled=False)
    assert planned(*jogs, warm_up=off, cadence_jump=off)["warm_up_s"] == 0
    assert planned(*jogs, cadence_jump=off)["ceiling_warn_spm"] == 220


def test_where_no_session_is_allowed_the_device_alerts_at_once() -> None:
    none = planned(recording(9, 100), recording(7, 100), session_spike=RuleLimits(0, 0), frequency=RuleLimits(0, 0))
    assert none["session_warn_s"] == 1, "0 would switch the alert off"


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    with Store(store_url) as opened:
        opened.add_athlete("Ada")
        opened.assign(DEVICE, "Ada")
        yield opened


@pytest.fixture
def board(tmp_path: Path) -> FakeBoard:
    return FakeBoard(tmp_path / "flash")


def in_force(board: FakeBoard) -> Limits:
    with DeviceClient(board) as client:
        return client.limits()


def sync(board: FakeBoard, store: Store) -> str:
    with DeviceClient(board) as client:
        return sync_board(client, store).limits


def test_limits_wait_for_the_next_sync_and_are_sent_once(store: Store, board: FakeBoard) -> None:
    assert sync(board, store) == ""
    store.set_device_limits([(DEVICE, "Ada", STRICT)], who="Kim")
    waiting = store.waiting_limits(DEVICE)
    assert waiting is not None and waiting.who == "Kim"
    assert sync(board, store) == "sent" and in_force(board) == STRICT
    assert store.waiting_limits(DEVICE) is None and sync(board, store) == ""
    store.rebuild()
    assert store.waiting_limits(DEVICE) is None and [row.sent_at_ms is not None for row, _ in store.device_limits()] == [True]


def test_later_limits_replace_those_that_wait_and_cancelled_ones_are_not_sent(store: Store, board: FakeBoard) -> None:
    store.set_device_limits([(DEVICE, "Ada", Limits())], who="Kim")
    store.set_device_limits([(DEVICE, "Ada", STRICT)], who="Kim")
    assert [row.is_waiting for row, _ in store.device_limits()] == [False, True]
    store.cancel_device_limits(DEVICE, who="Lee")
    assert sync(board, store) == "" and in_force(board) == Limits()
    assert [row.cancelled_who for row, _ in store.device_limits()] == [None, "Lee"]
    with pytest.raises(Unchanged):
        store.cancel_device_limits(DEVICE, who="Lee")


def test_a_session_in_progress_is_not_ended_by_other_limits(store: Store, board: FakeBoard) -> None:
    store.set_device_limits([(DEVICE, "Ada", STRICT)], who="Kim")
    idle = board.wearable.status
    board.wearable.status = lambda: idle()._replace(state=1)  # type: ignore[method-assign]
    assert sync(board, store) == "waiting" and in_force(board) == Limits() and store.waiting_limits(DEVICE) is not None
    board.wearable.status = idle  # type: ignore[method-assign]
    assert sync(board, store) == "sent"


@pytest.mark.parametrize("cut_after", range(40, 460, 20))
def test_a_cable_pulled_at_any_byte_leaves_the_old_or_the_new_limits_and_the_next_sync_sends_them(
    store: Store, tmp_path: Path, cut_after: int
) -> None:
    board = FakeBoard(tmp_path / "flash", cut_after=cut_after)
    store.set_device_limits([(DEVICE, "Ada", STRICT)], who="Kim")
    try:
        sync(board, store)
    except LinkLost:
        assert board.wearable.limits in (Limits(), STRICT)
    board.cut_after = None
    sync(board, store)
    assert in_force(board) == STRICT and store.waiting_limits(DEVICE) is None


def test_what_is_in_force_is_the_latest_that_is_known() -> None:
    sent_at_ms = recording(5, 0).placed_at_ms

    class Row:
        device, limits, is_waiting = "a1", STRICT.pack().hex(), False

    Row.sent_at_ms = sent_at_ms  # type: ignore[attr-defined]
    known = KnownLimits([Row()])  # type: ignore[list-item]
    earlier, later = recording(6, 60), recording(4, 60)
    assert known.of("a1", [earlier], STRICT).in_force == STRICT and known.of("a1", [earlier], STRICT).differing == []
    other = known.of("a1", [earlier, later], STRICT)
    assert other.in_force == Limits() and other.differing == ["session_warn_s", "session_stop_s"]
    assert known.of("b2", [earlier], STRICT).in_force is None and known.of("b2", [earlier], STRICT).differing == []
    assert known.of("a1", [later._replace(limits="00")], STRICT).in_force is None, "a newer device's limits are not read wrongly"


def test_limits_in_words() -> None:
    off = limits_from_json(dict.fromkeys(("ramp_warn_pct", "ramp_stop_pct", "session_warn_s", "warm_up_s", "ceiling_stop_spm"), 0))
    assert limits_words(off) == "backward time stop at 10 min; warm-up off; cadence rise off in 10 s; cadence 220 steps a minute"
    assert limits_words(off, ["session_stop_s", "warm_up_s"]) == "backward time stop at 10 min; warm-up off"


@pytest.fixture
def retrostep(tmp_path: Path) -> Retrostep:
    with Store(f"sqlite:///{tmp_path}/store.sqlite") as store:
        store.add_athlete("Ada")
        store.add_athlete("Ben")
        store.assign(DEVICE, "Ada")
        for number, day in enumerate((13, 10, 8, 2), 1):
            started = (datetime.now(UTC) - timedelta(days=day)).strftime("%Y-%m-%d %H:%M")
            data = session_log(number, started=started, backward_s=100, boot=number, core_hash=core_hash())
            receive(store, number, data)
    return Retrostep(tmp_path)


def test_the_commands(retrostep: Retrostep) -> None:
    assert "1 device enforces other limits than its plan" in retrostep("check").out
    assert f"To send them: `retrostep limits push {DEVICE}`" in retrostep("check", "Ada").out
    pushed = retrostep("limits", "push", "--later", "--by", "Kim")
    assert pushed.status == 0 and "wait for its next sync" in pushed.out
    (shown,) = retrostep("limits", "show", "ada", "--json").json["devices"]
    assert shown["device"] == DEVICE and shown["waiting"] == shown["plan"] and "session_warn_s" in shown["differing"]
    assert "waiting:" in retrostep("limits", "show").out and "limits wait" in retrostep("check", "Ada").out
    (device,) = next(each for each in retrostep("check", "--json").json["athletes"] if each["athlete"] == "Ada")["devices"]
    assert device["waiting"] == device["plan"] and device["in_force"]["session_warn_s"] == 300
    assert retrostep("limits", "cancel", DEVICE[-4:]).status == 0
    assert "Nothing was changed." in retrostep("limits", "cancel", "Ada").out
    assert "enforces other limits" in retrostep("check", "Ada").out


def test_limits_for_an_athlete_in_pain_say_what_has_to_settle_first(retrostep: Retrostep) -> None:
    assert "settled" not in retrostep("limits", "push", "--later").out
    assert retrostep("note", "Ada", "--pain", "6").status == 0
    pushed = retrostep("limits", "push", "--later").out
    assert "Pain 6 of 10, noted for" in pushed and "No backward running until it has settled." in pushed
    assert "first:    Pain 6 of 10" in retrostep("limits", "show").out
    assert retrostep("accept", "Ada", "pain", "--because", "it has settled").status == 0
    assert "settled" not in retrostep("limits", "push", "--later").out


@pytest.mark.parametrize(
    ("arguments", "status", "what"),
    [
        (("push", "Adda"), 1, "did you mean Ada?"),
        (("push", "Ben"), 1, "Ben wears no device"),
        (("push", "Ada", "--later", "--port", "/dev/x"), 2, "--later"),
        (("cancel", "Ben"), 1, "wears no device"),
        (("show", "nobody"), 1, "There is no athlete"),
    ],
)
def test_what_cannot_be_pushed(retrostep: Retrostep, arguments: tuple[str, ...], status: int, what: str) -> None:
    ran = retrostep("limits", *arguments)
    assert ran.status == status and what in (one_sentence(ran) if status == 1 else ran.err)


def test_a_device_that_nobody_wears_has_no_plan(retrostep: Retrostep) -> None:
    assert retrostep("athletes", "release", DEVICE).status == 0
    assert "Nobody wears" in one_sentence(retrostep("limits", "push", DEVICE))
    assert "No athlete wears a device" in one_sentence(retrostep("limits", "push"))
