"""Generated motion that is not gait holds no step, obeys physics, and covers what a bicycle, a machine or a bus does to a leg."""

import hashlib
import math
import statistics
from functools import cache

import motion
import pytest
from motion import BackwardRun, Jog, Shuffle, Sidestep, Sit, Stand, Turn, Walk, Wear, generate
from synthetic import field
from synthetic.not_gait import (
    CLASSES,
    PLANS,
    Cycle,
    DrumHeel,
    Elliptical,
    Fidget,
    JumpRope,
    LegCurl,
    LegExtension,
    PushWheelchair,
    Ride,
    Row,
    Squat,
    SwingLeg,
)
from synthetic.plan import Carioca, Cut, Push, Run, SideShuffle, Stumble

STRAIGHT = {"tilt_deg": (0.0, 0.0, 0.0), "bias_dps": (0.0, 0.0, 0.0)}
STIFF = {**STRAIGHT, "strap_hz": 0.0, "noise_g": 0.0, "noise_dps": 0.0}
RATE_HZ = 104.0
ALL = [Cycle, Elliptical, Row, LegCurl, LegExtension, Ride, DrumHeel, JumpRope, Squat, SwingLeg, PushWheelchair, Fidget]


@cache
def made(segment, seed=1, place="shank", straight=True):
    return generate([Stand(3), segment, Stand(3)], seed, Wear(place=place, **(STRAIGHT if straight else {})))


def channel(recording, k, cut_s=5.0):
    cut = int(cut_s * RATE_HZ)
    return [s[k] for s in recording.samples[cut:-cut]]


def power_at(values, hz):
    """Amplitude of the sinusoid at `hz` in the values."""
    mean = statistics.fmean(values)
    turn = [2 * math.pi * hz * i / RATE_HZ for i in range(len(values))]
    re = sum((v - mean) * math.cos(t) for v, t in zip(values, turn, strict=True))
    im = sum((v - mean) * math.sin(t) for v, t in zip(values, turn, strict=True))
    return 2 * math.hypot(re, im) / len(values)


def roughness(values):
    """Share of the signal that a step to the next sample holds: small for smooth motion."""
    return statistics.pstdev([b - a for a, b in zip(values, values[1:], strict=False)]) / statistics.pstdev(values)


@pytest.mark.parametrize("place", ["shank", "waist"])
@pytest.mark.parametrize("exercise", ALL)
def test_an_exercise_holds_no_step_and_begins_and_ends_standing(exercise, place):
    recording = made(exercise(12), place=place)
    assert recording.truth.steps == []
    assert [d["direction"] for d in recording.truth.directions] == ["still", "not_gait", "still"]
    assert {c["spm"] for c in recording.truth.cadence} == {0.0}
    assert f"# placement: {place}" in recording.lines()
    for part in (recording.samples[: int(2.5 * RATE_HZ)], recording.samples[-int(2.5 * RATE_HZ) :]):
        worst = max(abs(math.hypot(*s[:3]) - 1) for s in part)
        assert worst < 0.05
    fastest = max(abs(v) for k in range(3, 6) for v in channel(recording, k))
    assert place == "waist" or fastest > 5


@pytest.mark.parametrize("exercise", ALL)
def test_an_exercise_is_taken_up_and_left_without_a_jerk(exercise):
    if exercise is Ride:
        return
    recording = generate([Stand(3), exercise(8), Stand(3)], 3, Wear(**STIFF))
    turned = [s[4] for s in recording.samples]
    for border_s in (3, 11):
        near = turned[int((border_s - 0.2) * RATE_HZ) : int((border_s + 0.2) * RATE_HZ)]
        most = max(abs(v) for v in near)
        assert most < 60


@pytest.mark.parametrize("exercise", [Cycle, Elliptical, Row, LegCurl, LegExtension, Squat, SwingLeg])
def test_gyroscope_and_gravity_agree(exercise):
    """The shank that the gyroscope turns is the one that the mean acceleration shows: both start upright and come back to it."""
    recording = generate([Stand(3), exercise(20), Stand(3)], 2, Wear(**STIFF))
    tilt, widest = 0.0, 0.0
    for s in recording.samples:
        tilt -= s[4] / RATE_HZ
        widest = max(widest, abs(tilt))
    assert widest > 10
    assert abs(tilt) < 4
    begin, end = (statistics.fmean(s[2] for s in part) for part in (recording.samples[:200], recording.samples[-200:]))
    assert begin == pytest.approx(1, abs=0.01) and end == pytest.approx(1, abs=0.01)
    # Bounded motion: over many cycles the acceleration in the room's axes is gravity alone.
    angle, up, ahead = 0.0, [], []
    for s in recording.samples:
        angle -= math.radians(s[4]) / RATE_HZ
        ahead.append(s[0] * math.cos(angle) - s[2] * math.sin(angle))
        up.append(s[0] * math.sin(angle) + s[2] * math.cos(angle))
    assert statistics.fmean(up) == pytest.approx(1, abs=0.04)
    assert statistics.fmean(ahead) == pytest.approx(0, abs=0.06)


@pytest.mark.parametrize("rpm", [40, 80, 110])
@pytest.mark.parametrize("backward", [False, True])
def test_the_shank_of_a_cyclist_turns_once_a_crank_turn_and_smoothly(rpm, backward):
    recording = made(Cycle(24, rpm, backward))
    rate = channel(recording, 4)
    here = max(power_at(rate, rpm / 60 * f) for f in (0.97, 0.985, 1, 1.015, 1.03))
    assert here > 4 * power_at(rate, rpm / 60 * 1.5)
    assert 30 * rpm / 40 < statistics.pstdev(rate) < 120 * rpm / 40
    smooth, rough = (roughness(channel(m, 2)) for m in (recording, made(Cycle(24, rpm, road_g=0.3))))
    assert smooth < 0.2 < rough


def test_pedalling_backward_is_pedalling_forward_in_reverse():
    forward, backward = (statistics.correlation(channel(m, 0), channel(m, 4)) for m in (made(Cycle(24)), made(Cycle(24, backward=True))))
    assert forward * backward < 0
    assert abs(forward + backward) < 0.15


def test_the_cyclists_resemble_a_recorded_one():
    """Mean tilt, vertical and angular shaking of a cyclist at 80 turns a minute, generated independently."""
    people = [made(Cycle(20, 80, backward=True), seed) for seed in range(1, 7)]
    for k, of, value in (
        (0, statistics.fmean, -0.41),
        (0, statistics.pstdev, 0.46),
        (2, statistics.pstdev, 0.90),
        (4, statistics.pstdev, 146),
    ):
        seen = [of(channel(p, k)) for p in people]
        assert min(seen) < value < max(seen), (k, of.__name__, seen)


def test_a_prone_leg_lies_and_a_seated_one_hangs():
    prone, seated = made(LegCurl(20, 30, "prone")), made(LegExtension(20, 25))
    lowest, foremost = min(channel(prone, 2)), max(channel(prone, 0))
    assert lowest < -0.7 and foremost > 0.4
    stretched, hanging = max(channel(seated, 0)), max(channel(seated, 2))
    assert stretched > 0.8 and hanging > 0.9


def test_jumps_are_free_fall_and_one_landing_each():
    recording = made(JumpRope(20, 120), place="waist")
    size = [math.hypot(*s[:3]) for s in recording.samples[int(5 * RATE_HZ) : -int(5 * RATE_HZ)]]
    falling = [v < 0.3 for v in size]
    assert 0.12 < sum(falling) / len(falling) < 0.6
    landings, armed = 0, False
    for v in size:
        armed = armed or v < 0.3
        if armed and v > 1.4:
            landings, armed = landings + 1, False
    assert landings == pytest.approx(2 * len(size) / RATE_HZ, abs=2)
    assert max(size) > 2


@pytest.mark.parametrize(("low", "high"), [(1.2, 2.0), (0.5, 20)])
def test_a_ride_shakes_within_its_band(low, high):
    recording = made(Ride(40, 0.2, 12, low, high))
    up = channel(recording, 2)
    shaken = statistics.pstdev(up)
    assert 0.12 < shaken < 0.35
    turned = statistics.pstdev(channel(recording, 4))
    assert 6 < turned < 22
    inside = statistics.fmean(power_at(up, low * (high / low) ** (k / 12)) for k in range(1, 12))
    assert inside > 2 * power_at(up, low / 4)


def test_a_drummed_heel_hits_once_a_beat():
    recording = made(DrumHeel(20, 120))
    up = channel(recording, 2)
    hits = sum(1 for a, b in zip(up, up[1:], strict=False) if b - a > 0.2)
    assert 8 < hits < 60


@pytest.mark.parametrize("place", ["hand", "bag"])
def test_a_carried_sensor_has_steps_but_no_direction(place):
    recording = generate([Stand(2), Walk(10), Stand(2)], 1, Wear(place=place))
    assert {s["direction"] for s in recording.truth.steps} == {"carried"}
    assert [d["direction"] for d in recording.truth.directions] == ["still", "carried", "still"]
    assert "# placement: shank" in recording.lines()
    ups = [statistics.fmean(s[2] for s in generate([Stand(2)], seed, Wear(place=place)).samples) for seed in range(8)]
    assert max(ups) - min(ups) > 0.5
    shaken = statistics.pstdev(math.hypot(*s[:3]) for s in recording.samples[300:900])
    assert 0.05 < shaken < 0.6


def test_a_place_that_is_none_is_refused():
    with pytest.raises(ValueError, match="ankle"):
        Wear(place="ankle")


def test_each_class_can_be_made_and_seeds_differ():
    for name, variants in CLASSES.items():
        assert len({v.label for v in variants}) == len(variants), name
        for v in variants:
            assert {s.direction for s in v.plan} == (
                {"still", "forward"} if name == "carried" else {"still", "not_gait"}
            ) or name == "fidgets"
    short = {name: variants[0].plan[1] for name, variants in CLASSES.items() if variants[0].plan[1].exercise}
    assert len(short) == len(CLASSES) - 1
    first, again, other = ("\n".join(generate([Cycle(4)], seed).lines()) for seed in (1, 1, 2))
    is_same, is_other = first == again, first != other
    assert is_same and is_other


def test_named_plans_of_both_kinds_are_on_the_list():
    assert PLANS.keys() | field.PLANS.keys() <= motion.PLANS.keys()
    for _, plan in field.PLANS.values():
        assert sum(s.seconds for s in plan()) > 30
    for _, plan in PLANS.values():
        assert {s.direction for s in plan()} == {"still", "not_gait"}


def test_plain_plans_are_what_they_were():
    """Old recordings can be made again, to the byte."""
    plan = [Stand(1), Walk(5, turns=[Turn(2, 90, 1)]), Jog(4), Sidestep(3), Shuffle(4), BackwardRun(4), Sit(8), Stand(1)]
    recording = generate(plan, 3, Wear(side="right", mount="-y-z+x"), 52.0)
    text = "\n".join(",".join(f"{v:.3f}" for v in s) for s in recording.samples) + repr(recording.truth)
    assert hashlib.sha256(text.encode()).hexdigest()[:16] == "ee4adc96e11b60f6"


# Running that is not a straight line


def test_a_cut_leans_turns_and_shortens():
    plain, cut = (generate([Stand(2), Run(8, turns=turns), Stand(2)], 1, Wear(**STIFF)) for turns in ([], [Cut(4, 90, 0.5, 0.4)]))
    is_same = [s["t"] for s in plain.truth.steps] == [s["t"] for s in cut.truth.steps]
    assert is_same
    turned = sum(b[5] - a[5] for a, b in zip(plain.samples, cut.samples, strict=True)) / RATE_HZ
    assert 60 < turned < 100
    leaning = [a[3] - b[3] for a, b in zip(plain.samples, cut.samples, strict=True)]
    # Half way through the turn the body leans to the left, which the gyroscope has seen by then.
    lean = sum(leaning[int(6.0 * RATE_HZ) : int(6.25 * RATE_HZ)]) / RATE_HZ
    assert lean > 12
    outside = [i for i, v in enumerate(leaning) if abs(v) > 20 and not 5.5 < i / RATE_HZ < 7.5]
    assert outside == []


def test_a_stumble_holds_the_foot_and_then_hurries():
    plain, caught = (generate([Stand(2), Jog(10, mishaps=m), Stand(2)], 2, Wear(**STRAIGHT)) for m in ([], [Stumble(5)]))
    gaps = [[b["t"] - a["t"] for a, b in zip(m.truth.steps, m.truth.steps[1:], strict=False)] for m in (plain, caught)]
    assert max(gaps[0][2:-2]) < 0.4
    assert max(gaps[1][2:-2]) > 0.44
    assert min(gaps[1][2:-2]) < min(gaps[0][2:-2]) - 0.02


def test_a_push_is_felt_from_where_it_comes():
    plain, *pushed = (
        generate([Stand(2), Walk(10, mishaps=m), Stand(2)], 2, Wear(**STIFF)) for m in ([], [Push(5, 0.8, 0)], [Push(5, 0.8, 90)])
    )
    before = int(6.9 * RATE_HZ)
    # Until the next step comes early, nothing but the push differs.
    after = range(int(7.0 * RATE_HZ), int(7.2 * RATE_HZ))
    felt = []
    for one in pushed:
        is_same = plain.samples[:before] == one.samples[:before]
        assert is_same
        felt.append([max(abs(one.samples[i][k] - plain.samples[i][k]) for i in after) for k in (0, 1)])
    (ahead_x, ahead_y), (side_x, side_y) = felt
    assert ahead_x > side_x + 0.2 and side_y > ahead_y + 0.4


@pytest.mark.parametrize("gait", [SideShuffle, Carioca])
def test_sideways_steps_alternate_and_have_no_direction(gait):
    recording = generate([Stand(2), gait(8), Stand(2)], 1)
    assert {s["direction"] for s in recording.truth.steps} == {"lateral"}
    feet = [s["foot"] for s in recording.truth.steps]
    assert all(a != b for a, b in zip(feet, feet[1:], strict=False))
    assert len(feet) == pytest.approx(gait(8).spm * 8 / 60, abs=1.6)
