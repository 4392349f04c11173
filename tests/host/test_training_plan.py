"""The plan of an athlete on the terminal, in JSON, and as an iCalendar file. That it agrees with the check: tests/property/test_plan.py."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from icalendar import Calendar
from retrostep.archive.backward_gait import JOG, RUN, WALK
from retrostep.archive.store import Store
from retrostep.device.core_version import core_hash
from retrostep.output.calendar_file import calendar_file
from retrostep.training.plan import Allowance, Planner
from retrostep.training.rules.catalog import BY_NAME
from retrostep.training.rules.ladder import most_by_ladder
from retrostep.training.rules.rule import Proposal, RuleLimits, TrainingHistory
from retrostep.training.training_day import TrainingDay
from retrostep.training.training_session import training_sessions
from support.cli import Retrostep
from support.logs import DEVICE, session_log
from support.recordings import TODAY, recording, running, walking

ON = TODAY.toordinal()


def planner_of(*recordings: object) -> Planner:
    ordered = sorted(recordings, key=lambda each: each.placed_at_ms)  # type: ignore[attr-defined]
    history = TrainingHistory(ON, ON - 6, training_sessions(ordered), [])  # type: ignore[arg-type]
    return Planner(history, lambda rule: BY_NAME[rule.rule].limits)


def next_of(planner: Planner) -> list[tuple[int, int | None, str]]:
    """(days from today, seconds, rule) of the next walk, jog and run."""
    found = [planner.next_session(gait) for gait in (1, 2, 3)]
    return [(each.day - ON, each.most_s, each.rule) for each in found]


def test_a_beginner_walks_ten_minutes_and_may_try_the_floor() -> None:
    """20 % of 5 min forward and the session are 75 s; jogging before walking is held at the floor."""
    assert next_of(planner_of()) == [(0, 600, "first_exposure"), (0, 60, "ladder"), (0, 60, "ladder")]


def test_the_next_session_worked_out_by_hand() -> None:
    jogs = [recording(day, 100, number=day) for day in (9, 6, 2)]
    # Today this week has 200 s, after a week of 100 s; tomorrow 100 s, after 200 s. Jogging was done twice, so running follows.
    assert next_of(planner_of(*jogs)) == [(0, 300, "session_spike"), (1, 110, "session_spike"), (1, 110, "session_spike")]
    walker = [walking(day, 400, number=day) for day in (12, 9, 5, 2)]
    assert next_of(planner_of(*walker))[0] == (2, 440, "session_spike"), "today only 240 s: 1.3 x 800 s, less 800 s"
    assert next_of(planner_of(*walker))[2][1:] == (60, "ladder"), "jogging comes before running"
    runner = [running(day, 200, number=day) for day in (10, 8, 1, 0)]
    assert next_of(planner_of(*runner))[2][0] >= 2, "two days in a row, so a day of rest"
    tired = [running(day, 60, number=day) for day in (5, 3, 1)]
    planner = planner_of(*tired)
    limited = [(each.most_s, each.rule) for day in range(5) for each in [planner.allowance(ON + day, JOG)]]
    assert limited == [(0, "frequency"), (0, "frequency"), (0, "weekly_volume"), (0, "weekly_volume"), (66, "session_spike")]
    assert planner.next_session(JOG).day == ON + 4


def test_the_next_session_is_the_first_that_allows_the_floor_and_not_the_longest() -> None:
    walker = planner_of(*(walking(day, seconds, number=day) for day, seconds in ((12, 450), (9, 450), (5, 425), (2, 425))))
    assert next_of(walker)[0] == (0, 320, "weekly_volume") and walker.allowance(ON + 2, WALK).most_s == 495
    unlimited = Planner(TrainingHistory(ON, ON - 6, [], []), lambda rule: RuleLimits(None, None, enabled=False))
    assert next_of(unlimited) == [(0, None, "")] * 3


@pytest.mark.parametrize("days_ago, most_ms", [(6, 60_000), (7, None)])
def test_a_stage_counts_from_a_week_after_it(days_ago: int, most_ms: int | None) -> None:
    """From nothing to running within 7 days would fail. A check may know the walk by the sums of its day alone."""
    jogs = [recording(5 + hours / 24, 100, number=hours + 1) for hours in (2, 0)]
    summed = TrainingDay(ON - days_ago, stages=(0, 1, 0, 0))
    by_days = TrainingHistory(ON, ON - 5, training_sessions(jogs), [], [summed])
    for history in (planner_of(walking(days_ago, 400, number=9), *jogs).history, by_days):
        assert most_by_ladder(history, BY_NAME["ladder"].limits, Proposal(ON, RUN)) == most_ms


def test_pain_stops_the_plan_until_it_is_a_week_old() -> None:
    planner = planner_of(recording(12, 100), recording(9, 100), recording(3, 100, pain=4))
    assert planner.allowance(ON, JOG) == Allowance(ON, JOG, 0, "pain")
    assert planner.next_session(JOG).day == ON + 4, "seven dates after the session"


def test_an_outlook_starts_where_the_athlete_is_and_at_most_doubles() -> None:
    walks = [walking(day, 400, number=day) for day in (25, 22, 18, 15, 11, 8, 4)]
    planner, other = planner_of(*walks), planner_of(*walks)
    planned = planner.outlook(WALK, 6)
    are_as_before = [planner.allowance(each.day, WALK) == other.allowance(each.day, WALK) for each in planned]
    assert all(are_as_before), "what is planned is not done"
    assert 10 <= len(planned) <= 12 and planned[0].most_s == 400 and max(each.most_s or 0 for each in planned) <= 800
    gaps = {other.day - one.day for one, other in zip(planned, planned[1:], strict=False)}
    assert gaps <= {3, 4, 5, 6}


def test_an_outlook_does_not_start_from_a_jump() -> None:
    """40 s, then 170 s: the next ones are planned from 40 s. What was done twice is no jump any more."""
    jogs = [recording(day, 40, number=day, forward_ms=3_600_000) for day in (17, 14, 10)]
    jump, second = (recording(day, 170, number=day, forward_ms=3_600_000) for day in (6, 3))
    assert planner_of(*jogs, jump).outlook(JOG)[0].most_s == 40
    twice = planner_of(*jogs, jump, second).outlook(JOG)[0]
    assert twice.most_s is not None and 40 < twice.most_s <= 100, "170 s, less what the week has already"


def test_what_follows_from_a_jump_is_named() -> None:
    """80 s, 20 days of rest, then 140 s: 154 s raise no warning, though no level of 140 s was reached."""
    jogs = [recording(day, 80, number=day, forward_ms=3_600_000) for day in (29, 25, 22)]
    jumped = planner_of(*jogs, recording(2, 140, number=2, forward_ms=3_600_000))
    assert jumped.next_session(JOG).most_s == 154
    assert jumped.after_jump.startswith("That follows from a jump. Better: 1 min 20 s,")
    assert planner_of(*jogs, recording(2, 88, number=2, forward_ms=3_600_000)).after_jump == ""


@pytest.mark.parametrize(
    ("ran", "rule"),
    [
        ([(24, 100), (17, 100), (10, 100), (3, 100)], "weekly_volume"),  # once a week: the second session of a week was not done before
        ([(24, 90), (20, 120), (15, 60), (13, 130), (12, 20), (6, 100), (5, 30), (1, 60)], "weekly_volume"),
        ([(24, 100), (20, 100), (17, 100), (13, 100), (10, 100), (5, 140), (3, 140), (1, 140)], "share"),
        ([(20, 60), (17, 60), (13, 60), (10, 60), (6, 60), (2, 300)], ""),  # a failed session: nothing has to be shorter
    ],
)
def test_no_session_of_an_outlook_is_shorter_than_the_one_before(ran: list[tuple[int, int]], rule: str) -> None:
    planner = planner_of(*(recording(day, seconds, number=day, forward_ms=3_600_000) for day, seconds in ran))
    planned = planner.outlook(JOG)
    seconds = [each.most_s or 0 for each in planned]
    assert seconds == sorted(seconds) and seconds[0] >= 50 and planned[0].rule == rule


@pytest.fixture
def retrostep(tmp_path: Path) -> Iterator[Retrostep]:
    with Store(f"sqlite:///{tmp_path}/store.sqlite") as store:
        store.add_athlete("Ada; \N{SNOWMAN}\x1b[2J"[:5])
        store.assign(DEVICE, store.athletes()[0].name)
        for number, day in enumerate((13, 10, 8, 2), 1):
            started = (datetime.now(UTC) - timedelta(days=day)).strftime("%Y-%m-%d %H:%M")
            store.ingest(DEVICE, number, session_log(number, started=started, backward_s=100, boot=number, core_hash=core_hash()))
    yield Retrostep(tmp_path)


def test_a_plan_on_the_terminal_and_in_json(retrostep: Retrostep) -> None:
    ran = retrostep("plan", "ada;", "--json")
    found = ran.json
    assert [each["gait"] for each in found["next"]] == ["walk", "jog", "run"] and found["gait"] == found["stage"] == "jog"
    assert all(each["seconds"] and each["seconds"] % 5 == 0 for each in found["outlook"])
    told = retrostep("plan", "Ada;")
    limiting = {each["rule"] for each in (*found["next"], *found["outlook"]) if each["rule"]}
    assert limiting and all(f"`retrostep rules {rule}`" in told.out for rule in limiting)
    assert f"Why: `retrostep rules {found['next'][1]['rule']}`." in retrostep("check", "Ada;").out
    assert told.status == 0 and found["next"][1]["date"] in told.out and "not proven safe" in told.out
    assert retrostep("plan", "Ada;", "--gait", "walk", "--json").json["gait"] == "walk"


def test_a_plan_says_what_holds_when_and_agrees_with_the_check(retrostep: Retrostep) -> None:
    found = retrostep("plan", "Ada;", "--json").json
    (checked,) = retrostep("check", "Ada;", "--json").json["athletes"]
    assert checked["next_session"] in found["next"] and checked["next_session"]["gait"] == found["stage"]
    following = found["next"][1]
    assert retrostep("plan", "Ada;", "--on", following["date"], "--json").json["next"][1] == following
    later = date.today() + timedelta(days=40)
    (_, jog, _) = retrostep("plan", "Ada;", "--on", later, "--json").json["next"]
    assert jog["date"] == later.isoformat() and jog["seconds"] != following["seconds"], "the sessions are no longer in its 30 days"
    shown = retrostep("plan", "Ada;", "--on", later).out
    assert f"{later.isoformat()} that raises no warning:" in shown and "It holds on that day, if nothing is recorded before." in shown
    outlook = [each["date"] for each in retrostep("plan", "Ada;", "--on", later, "--json").json["outlook"]]
    assert later.isoformat() == outlook[0] and len(outlook) == 8 and f"from {later:%a} {later.isoformat()} on, two" in shown
    for wrong, why in ((date.today() - timedelta(days=1), "in the past"), (date.today() + timedelta(days=120), "12 weeks")):
        assert why in retrostep("plan", "Ada;", "--on", wrong).err
    assert "Another day: `retrostep plan 'Ada;' --on DATE`." in retrostep("plan", "Ada;").out


def test_the_calendar_file_is_valid_and_stable(retrostep: Retrostep) -> None:
    path = retrostep.home / "ada.ics"
    assert retrostep("plan", "Ada;", "--ics", path).status == 0
    data = path.read_bytes()
    assert data.startswith(b"BEGIN:VCALENDAR\r\n") and data.endswith(b"END:VCALENDAR\r\n")
    assert all(len(line) <= 75 for line in data.split(b"\r\n")), "RFC 5545, 3.1"
    calendar = Calendar.from_ical(data)
    assert not calendar.errors and calendar["version"] == "2.0" and calendar["prodid"]
    events = calendar.walk("VEVENT")
    outlook = retrostep("plan", "Ada;", "--json").json["outlook"]
    assert [event.decoded("dtstart") for event in events] == [date.fromisoformat(each["date"]) for each in outlook]
    for event in events:
        assert event["uid"] and event.decoded("dtstamp").tzinfo is not None
        assert event.decoded("dtend") - event.decoded("dtstart") == timedelta(days=1)
        assert str(event["summary"]).startswith("Ada;: jog ")
    uids = [event["uid"] for event in events]
    assert len(set(uids)) == len(uids)
    retrostep("plan", "Ada;", "--ics", path)
    assert [event["uid"] for event in Calendar.from_ical(path.read_bytes()).walk("VEVENT")] == uids, "a calendar updates its events"


def test_a_hostile_name_stays_text_in_the_calendar() -> None:
    data = calendar_file("Eve\r\nBEGIN:VALARM,;\\", [Allowance(ON, JOG, 60, "")], 300_000)
    (event,) = Calendar.from_ical(data).walk("VEVENT")
    assert not event.subcomponents and "BEGIN:VALARM,;\\" in event["summary"]


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (("Ad",), "did you mean Ada;?"),
        (("Ada;", "--weeks", "0"), "not in the range"),
        (("Ada;", "--gait", "hop"), "hop"),
        (("Ada;", "--ics", "/no/such/folder/x.ics"), "There is no folder"),
    ],
)
def test_a_plan_that_cannot_be_made(retrostep: Retrostep, arguments: tuple[str, ...], what: str) -> None:
    ran = retrostep("plan", *arguments)
    assert ran.status in (1, 2) and what in ran.err.replace("\n", " ") and "Traceback" not in ran.err
