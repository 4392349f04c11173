"""The motion generator tells the truth about what it wrote, and what it wrote moves like a leg."""

import csv
import json
import math
import statistics
import subprocess
import sys
from functools import cache
from pathlib import Path

import motion
import pytest
from motion import (
    PLANS,
    BackwardJog,
    BackwardRun,
    BackwardWalk,
    Jog,
    Ramp,
    Run,
    Shuffle,
    Sidestep,
    Sit,
    Stand,
    Turn,
    Walk,
    Wear,
    generate,
)

MOTION = Path(motion.__file__)
STRAIGHT = Wear(tilt_deg=(0.0, 0.0, 0.0), bias_dps=(0.0, 0.0, 0.0))
GAITS = [Walk, Jog, Run, BackwardWalk, BackwardJog, BackwardRun]


@cache
def steady(gait, spm=None, seed=3, wear=STRAIGHT, seconds=14):
    segment = gait(seconds) if spm is None else gait(seconds, spm)
    return generate([Stand(2), segment, Stand(2)], seed, wear)


def channel(made, k, from_s=4.0, to_s=14.0):
    return [s[k] for s in made.samples[int(from_s * made.rate_hz) : int(to_s * made.rate_hz)]]


def skewness(values):
    mean, sd = statistics.fmean(values), statistics.pstdev(values)
    return statistics.fmean(((v - mean) / sd) ** 3 for v in values)


def magnitudes(made):
    return [math.hypot(*s[:3]) for s in made.samples]


def test_standing_is_one_g_and_no_rate():
    made = generate([Stand(20)], seed=5, wear=STRAIGHT)
    assert statistics.fmean(magnitudes(made)) == pytest.approx(1.0, abs=0.003)
    assert max(abs(m - 1.0) for m in magnitudes(made)) < 0.03
    for k in (3, 4, 5):
        assert abs(statistics.fmean(channel(made, k, 0, 20))) < 0.1
    assert made.truth.steps == []
    assert made.truth.directions == [{"from": 0.0, "to": 20.0, "direction": "still"}]


@pytest.mark.parametrize("gait", GAITS)
def test_feet_take_turns_and_keep_the_cadence(gait):
    made = steady(gait)
    steps = made.truth.steps
    assert all(a["t"] < b["t"] and a["foot"] != b["foot"] for a, b in zip(steps, steps[1:], strict=False))
    inner = [s["t"] for s in steps if 3 < s["t"] < 15]
    spm = 60 * (len(inner) - 1) / (inner[-1] - inner[0])
    assert spm == pytest.approx(gait(1).spm, rel=0.015)
    expected = gait(14).spm * 14 / 60
    assert expected - 1 <= len(steps) <= expected + 1.5


@pytest.mark.parametrize("spm", [40, 90, 150, 200, 260])
@pytest.mark.parametrize("gait", [Walk, BackwardRun])
def test_every_cadence_from_40_to_260(gait, spm):
    made = steady(gait, spm)
    inner = [s["t"] for s in made.truth.steps if 3 < s["t"] < 15]
    assert 60 * (len(inner) - 1) / (inner[-1] - inner[0]) == pytest.approx(spm, rel=0.03)


def test_a_ramp_rises_as_scheduled():
    made = generate([Stand(2), BackwardRun(40, 150, [Ramp(at_s=15, percent=20, over_s=10)]), Stand(2)], seed=2)
    times = [s["t"] for s in made.truth.steps]

    def measured(from_s, to_s):
        inside = [t for t in times if from_s <= t <= to_s]
        return 60 * (len(inner := inside) - 1) / (inner[-1] - inner[0])

    assert measured(5, 17) == pytest.approx(150, rel=0.01)
    assert measured(28, 41) == pytest.approx(180, rel=0.01)
    assert measured(20.5, 23.5) == pytest.approx(165, rel=0.02)
    scheduled = {c["t"]: c["spm"] for c in made.truth.cadence}
    assert (scheduled[1.0], scheduled[10.0], scheduled[22.0], scheduled[35.0]) == (0.0, 150.0, 165.0, 180.0)


def test_a_cadence_outside_40_to_260_is_refused():
    with pytest.raises(ValueError, match="outside 40 to 260"):
        Run(10, 230, [Ramp(2, 20, 5)])


@pytest.mark.parametrize(("gait", "low", "high"), [(Walk, -2.2, -0.8), (Jog, -0.9, -0.2), (Run, -0.9, -0.2)])
def test_forward_gaits_skew_the_sagittal_rate_down(gait, low, high):
    for seed in (1, 2, 3):
        assert low < skewness(channel(steady(gait, seed=seed), 4)) < high


@pytest.mark.parametrize(("gait", "low", "high"), [(BackwardWalk, 0.5, 2.0), (BackwardJog, 0.2, 1.0), (BackwardRun, 0.2, 1.0)])
def test_backward_gaits_skew_it_up(gait, low, high):
    for seed in (1, 2, 3):
        assert low < skewness(channel(steady(gait, seed=seed), 4)) < high


@pytest.mark.parametrize("gait", GAITS)
def test_sagittal_rate_follows_forward_acceleration_forward_and_opposes_it_backward(gait):
    made = steady(gait)
    correlation = statistics.correlation(channel(made, 0), channel(made, 4))
    assert (correlation < -0.1) if gait(1).direction == "backward" else (correlation > 0.05)


@pytest.mark.parametrize("gait", GAITS)
def test_the_impact_follows_the_contact_in_both_directions(gait):
    made = steady(gait)
    force = [s[2] for s in made.samples]
    lags = []
    for step in made.truth.steps:
        if step["foot"] == "left" and 4 < step["t"] < 14:
            i = round(step["t"] * made.rate_hz)
            near = range(i - 6, i + 9)
            lags.append((max(near, key=force.__getitem__) / made.rate_hz - step["t"]) * 1000)
    assert 15 <= statistics.median(lags) <= 50


def test_the_other_foot_is_faint():
    made = steady(Run)
    force = [s[2] for s in made.samples]
    peaks = {"left": [], "right": []}
    for step in made.truth.steps:
        if 4 < step["t"] < 14:
            i = round(step["t"] * made.rate_hz)
            peaks[step["foot"]].append(max(force[i : i + 6]))
    assert statistics.median(peaks["left"]) > 2 * statistics.median(peaks["right"])


def test_running_rates_are_those_of_runners():
    made = steady(Run)
    rate = [s[4] for s in made.samples]
    before, after = [], []
    for step in made.truth.steps:
        if step["foot"] == "left" and 4 < step["t"] < 14:
            i = round(step["t"] * made.rate_hz)
            before.append(min(rate[i - 10 : i - 3]))
            after.append(max(rate[i + 2 : i + 11]))
    assert -750 < statistics.median(before) < -300
    assert 200 < statistics.median(after) < 650


@pytest.mark.parametrize("idle", [Shuffle, Sit])
def test_restlessness_holds_no_steps_but_moves(idle):
    made = generate([Stand(3), idle(30), Stand(3)], seed=1)
    assert made.truth.steps == []
    assert [d["direction"] for d in made.truth.directions] == ["still"]
    assert max(abs(s[4]) for s in made.samples) > 15


def test_sidesteps_are_steps_of_no_direction():
    made = generate([Stand(2), Sidestep(15), Stand(2)], seed=1)
    assert {s["direction"] for s in made.truth.steps} == {"lateral"}
    assert len(made.truth.steps) in (24, 25, 26)


def test_a_turn_shows_in_the_upright_rate():
    made = generate([Stand(8, turns=[Turn(3, 90, 2)])], seed=1, wear=STRAIGHT)
    assert sum(s[5] for s in made.samples) / made.rate_hz == pytest.approx(90, abs=2)


def test_bouts_of_one_direction_are_one_stretch():
    made = generate(PLANS["session"][1](), seed=4)
    names = [d["direction"] for d in made.truth.directions]
    assert names == ["still", "forward", "still", "backward", "still", "backward", "still"]
    for a, b in zip(made.truth.directions, made.truth.directions[1:], strict=False):
        assert a["to"] == b["from"]
    for step in made.truth.steps:
        inside = [d for d in made.truth.directions if d["from"] <= step["t"] <= d["to"]]
        assert step["direction"] in {d["direction"] for d in inside}


def test_the_mount_moves_axes_and_nothing_else():
    plain = steady(Walk, wear=STRAIGHT)
    turned = steady(Walk, wear=Wear(tilt_deg=(0.0, 0.0, 0.0), bias_dps=(0.0, 0.0, 0.0), mount="+y-z+x", noise_g=0.0, noise_dps=0.0))
    noiseless = steady(Walk, wear=Wear(tilt_deg=(0.0, 0.0, 0.0), bias_dps=(0.0, 0.0, 0.0), noise_g=0.0, noise_dps=0.0))
    assert len(plain.samples) == len(turned.samples)
    for body, sensor in zip(noiseless.samples, turned.samples, strict=True):
        assert sensor[1] == body[0] and sensor[2] == -body[1] and sensor[0] == body[2]
        assert sensor[4] == body[3] and sensor[5] == -body[4] and sensor[3] == body[5]


@pytest.mark.parametrize("mount", ["", "+x+y", "+x+x+z", "xyz", "+x+y+q", "?"])
def test_a_mount_that_is_none_is_refused(mount):
    with pytest.raises(ValueError, match="mount"):
        generate([Stand(1)], wear=Wear(mount=mount))


def test_a_crooked_sensor_leans_by_its_angle():
    made = generate([Stand(5)], seed=1, wear=Wear(tilt_deg=(0.0, 20.0, 0.0)))
    lean = math.degrees(math.atan2(-statistics.fmean(channel(made, 0, 0, 5)), statistics.fmean(channel(made, 2, 0, 5))))
    assert lean == pytest.approx(20, abs=1)
    with pytest.raises(ValueError, match="20 degrees"):
        generate([Stand(1)], wear=Wear(tilt_deg=(0.0, 21.0, 0.0)))


@pytest.mark.parametrize(("plan", "rate_hz", "why"), [([], 104, "shorter"), ([Stand(0.1)], 104, "shorter"), ([Stand(2)], 19, "outside 20")])
def test_what_cannot_be_made_is_refused(plan, rate_hz, why):
    with pytest.raises(ValueError, match=why):
        generate(plan, rate_hz=rate_hz)


@pytest.mark.parametrize("rate_hz", [20, 52, 208])
def test_another_rate_samples_the_same_walk(rate_hz):
    made = generate([Stand(2), Walk(12), Stand(2)], seed=3, wear=STRAIGHT, rate_hz=rate_hz)
    assert made.duration_s == pytest.approx(16, abs=0.8)
    assert -2.2 < skewness(channel(made, 4, to_s=13.0)) < -0.8


def test_a_short_walk_is_a_few_whole_steps():
    made = generate(PLANS["errands"][1](), seed=2)
    walks = [d for d in made.truth.directions if d["direction"] != "still"]
    assert len(walks) == 18
    for walk in walks:
        feet = [s["foot"] for s in made.truth.steps if walk["from"] <= s["t"] <= walk["to"]]
        assert 1 < len(feet) < 18
        assert all(a != b for a, b in zip(feet, feet[1:], strict=False))


def test_the_same_seed_gives_the_same_bytes_and_another_another_person():
    plan = [Stand(1), Walk(6), Stand(1)]
    first, again, other = (generate(plan, seed).lines() for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_the_command_writes_a_readable_recording(tmp_path):
    out = tmp_path / "walk.csv"
    options = ["--seed", "9", "--side", "right", "--mount", "+y+z+x", "--rate", "52"]
    ran = subprocess.run([sys.executable, MOTION, "walk", *options, out], capture_output=True, text=True, check=True)
    assert "synthetic" in ran.stdout
    lines = out.read_text().splitlines()
    assert lines[0] == "# retrostep-recording: 1"
    assert lines[1].startswith("# synthetic: retrostep motion")
    assert lines[2:5] == ["# placement: shank", "# side: right", "# mount: +y+z+x"]
    rows = list(csv.DictReader(lines[5:]))
    assert list(rows[0]) == ["t_s", "ax_g", "ay_g", "az_g", "gx_dps", "gy_dps", "gz_dps"]
    times = [float(r["t_s"]) for r in rows]
    assert times[0] == 0 and times[52] == pytest.approx(1.0)
    truth = json.loads((tmp_path / "walk.truth.json").read_text())
    assert truth["side"] == "right" and truth["recording"] == "walk" and truth["synthetic"].startswith("retrostep motion")
    assert truth["duration_s"] == pytest.approx(len(rows) / 52, abs=0.001)
    assert {s["foot"] for s in truth["steps"]} == {"left", "right"}
    assert times[-1] > truth["steps"][-1]["t"]


@pytest.mark.parametrize(
    "arguments",
    [["nonsense", "x.csv"], ["walk"], ["walk", "--mount", "+x+x+x", "x.csv"], ["walk", "--rate", "1", "x.csv"]],
)
def test_a_wrong_command_line_is_one_sentence_and_writes_nothing(arguments, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ended:
        motion.main(arguments)
    assert ended.value.code == 2
    assert "error:" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("gait", "spm", "dataset", "part"),
    [
        (Walk, 112, "vimu_bandai", "_walk_"),
        (Jog, 158, "vimu_running", "run25"),
        (Run, 168, "vimu_running", "run35"),
        (BackwardWalk, 104, "vimu_bandai", "walk-back"),
    ],
)
def test_the_sagittal_rate_is_within_what_real_people_show(labelled_motion, gait, spm, dataset, part):
    """Skew, correlation with forward acceleration and extremes over 2 s windows, against the middle nine tenths of recorded people."""
    numpy = pytest.importorskip("numpy")
    people = []
    for path in sorted((labelled_motion / dataset).glob(f"*{part}*shank.npz"))[:24]:
        recording = numpy.load(path)
        if len(recording["t"]) < 4 * float(recording["fs"]):
            continue
        people.append(features(recording["acc"][:, 0].tolist(), recording["gyr"][:, 1].tolist(), float(recording["fs"])))
    made = [features(channel(m, 0), channel(m, 4), 104.0) for m in (steady(gait, spm, seed) for seed in (1, 2, 3, 4))]
    for k, name in enumerate(("skew", "correlation", "lowest", "highest")):
        low, high = numpy.percentile([p[k] for p in people], [5, 95])
        slack = 0.25 * (high - low)
        middle = statistics.median(m[k] for m in made)
        assert low - slack <= middle <= high + slack, (name, low, middle, high)


def features(forward, rate, fs):
    """Medians over 2 s windows: skew of the rate, its correlation with the acceleration, its 1st and 99th hundredth."""
    n = int(2 * fs)
    windows = []
    for k in range(0, len(rate) - n, n // 2):
        a, g = forward[k : k + n], rate[k : k + n]
        if statistics.pstdev(g) > 50:
            hundredths = statistics.quantiles(g, n=100)
            windows.append((skewness(g), statistics.correlation(a, g), hundredths[0], hundredths[-1]))
    return [statistics.median(w[k] for w in windows) for k in range(4)]


def test_every_plan_can_be_made():
    for name, (what, plan) in PLANS.items():
        assert what and plan(), name
