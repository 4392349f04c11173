"""The bench's table of motion that is not gait counts what is false, and only that."""

import numpy as np
import pytest
from bench import inputs, not_gait, scoring

STEPS = [{"event": "step", "t": t, "at": t, "direction": "unknown"} for t in range(12)]


def motion(steps):
    return inputs.Motion(None, scoring.Truth(120.0, np.arange(float(steps))))


def test_seconds_last_until_the_next_direction_or_the_end():
    events = [
        {"event": "direction", "at": at, "direction": name}
        for at, name in ((5, "forward"), (0, "still"), (7.5, "backward"), (8, "unknown"))
    ]
    assert not_gait.directed(events, 20.0) == {"forward": 2.5, "backward": 0.5}
    assert not_gait.directed(events[:1], 20.0) == {"forward": 15.0, "backward": 0.0}
    assert not_gait.directed([], 20.0) == {"forward": 0.0, "backward": 0.0}


def test_a_direction_that_is_taken_back_counts_no_seconds():
    early = {"event": "direction", "at": 3.0, "since": 2.0, "direction": "backward"}
    back = {"event": "direction", "at": 4.5, "since": 2.0, "direction": "unknown"}
    assert not_gait.directed([early, back], 20.0) == {"forward": 0.0, "backward": 0.0}
    assert not_gait.directed([early], 20.0) == {"forward": 0.0, "backward": 18.0}


def test_found_adds_up_steps_seconds_and_alerts():
    found = not_gait.Found()
    events = [*STEPS, {"event": "alert", "at": 3}, {"event": "direction", "at": 100.0, "direction": "backward"}]
    found.add(motion(0), events, "one")
    found.add(motion(0), STEPS[:4], "two")
    assert (found.steps, found.minutes, found.alerts) == (16, 4.0, 1)
    assert found.seconds == {"forward": 0.0, "backward": 20.0}
    assert found.worst == (6.0, "one")


@pytest.mark.parametrize(("taken", "false"), [(0, 12), (10, 2), (12, 0), (30, 0)])
def test_of_a_carried_sensor_only_steps_beyond_those_taken_are_false(taken, false):
    found = not_gait.Found()
    found.add(motion(taken), STEPS, "carried")
    assert found.steps == false
