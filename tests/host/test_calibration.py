"""Calibration finds the mount on generated and on real legs, and refuses a misleading walk: it never returns a wrong mount."""

import csv
import itertools
from array import array
from pathlib import Path

import numpy as np
import pytest
from motion import BackwardWalk, Segment, Shuffle, Stand, Walk, Wear, generate
from retrostep_core.gait import calibration, units

BLOCK = 12
STILL_S = 3

MOUNTS = [
    "".join(sign + axis for sign, axis in zip(signs, axes, strict=True))
    for axes in itertools.permutations("xyz")
    for signs in itertools.product("+-", repeat=3)
    if np.linalg.det([[{"+": 1, "-": -1}[s] * (a == b) for b in "xyz"] for s, a in zip(signs, axes, strict=True)]) > 0
]
TILTS = [(0, 0, 0), (20, 0, 0), (-20, 0, 0), (0, 20, 0), (0, -20, 0), (0, 0, 20), (0, 0, -20), (12, -12, 12), (-12, 12, -12)]


def outcome(samples: np.ndarray) -> calibration.Calibration:
    """The calibration after samples (g, degrees per second) in sensor axes, quantised as the chip does."""
    raw = np.concatenate([samples[:, :3] / 0.000488, samples[:, 3:] / 0.070], axis=1)
    block = array("h", np.clip(np.round(raw), -32768, 32767).astype(np.int16).ravel().tolist())
    units.to_body(block, len(samples), None, block)
    found = calibration.Calibration()
    for k in range(0, len(block), 6 * BLOCK):
        piece = block[k : k + 6 * BLOCK]
        found.samples(piece, len(piece) // 6, 0, 9615)
    return found


def worn(body: np.ndarray, mount: str) -> np.ndarray:
    """Samples in body axes as a sensor of that mount gives them."""
    out = np.empty_like(body)
    turn = units.parse_mount(mount)
    assert turn is not None
    for half in (0, 3):
        for k, (index, sign) in enumerate(turn):
            out[:, half + index] = sign * body[:, half + k]
    return out


def made(plan: list[Segment], seed: int, wear: Wear) -> np.ndarray:
    return np.array(generate(plan, seed, wear).samples)


def test_there_are_24_mounts() -> None:
    assert len(MOUNTS) == 24
    for mount in MOUNTS:
        assert units.parse_mount(mount)


@pytest.mark.parametrize("side", ["left", "right"])
def test_every_mount_is_found_on_either_leg(side: str) -> None:
    body = made([Stand(4), Walk(8, 106), Stand(3)], 7, Wear(side=side))
    for mount in MOUNTS:
        found = outcome(worn(body, mount))
        assert (found.state, found.mount) == (calibration.DONE, mount)


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("tilt", TILTS)
def test_a_crooked_sensor_finds_the_nearest_mount(tilt: tuple[int, int, int], seed: int) -> None:
    side, spm = ("left", "right")[seed % 2], (75, 100, 120)[seed % 3]
    body = made([Stand(4), Walk(11, spm), Stand(3)], seed, Wear(side=side, tilt_deg=tilt, strap_hz=12 if seed == 2 else None))
    for mount in MOUNTS[seed::6]:
        found = outcome(worn(body, mount))
        assert (found.state, found.mount) == (calibration.DONE, mount)


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_walking_backward_gives_no_mount(seed: int) -> None:
    wear = Wear(side=("left", "right")[seed % 2], tilt_deg=(5 * seed - 10, 0, 15 - 6 * seed))
    found = outcome(made([Stand(4), BackwardWalk(14, 80 + 10 * seed), Stand(3)], seed, wear))
    assert (found.state, found.reason, found.mount) == (calibration.FAILED, calibration.BACKWARD, "")


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_standing_and_shuffling_give_no_mount(seed: int) -> None:
    for plan in ([Stand(50)], [Stand(4), Shuffle(44)]):
        found = outcome(made(plan, seed, Wear()))
        assert (found.state, found.mount) == (calibration.FAILED, "")
    assert outcome(made([Stand(50)], seed, Wear())).reason == calibration.FEW


@pytest.fixture(scope="module")
def walks(labelled_motion: Path) -> list[tuple[str, str, np.ndarray]]:
    """(name, mount, samples) of every real shank that stands, walks some metres and stands; some stop recording in the last stride."""
    found = []
    for row in csv.DictReader(open(labelled_motion / "index.csv")):  # noqa: SIM115
        if row["dataset"] != "marpino_legs":
            continue
        data = np.load(labelled_motion / row["file"])
        at = np.arange(0, float(data["t"][-1]), 1 / 104)
        samples = np.stack([np.interp(at, data["t"], data[kind][:, k]) for kind in ("acc", "gyr") for k in range(3)], axis=1)
        still = np.zeros((STILL_S * 104, 6))
        before, after = still.copy(), still.copy()
        before[:, :3], after[:, :3] = samples[:20, :3].mean(0), samples[-20:, :3].mean(0)
        found.append((row["file"], row["mount"], np.concatenate([before, samples, after])))
    return found


def test_real_walks_give_the_mount_they_were_recorded_with(walks: list[tuple[str, str, np.ndarray]]) -> None:
    refused = []
    for name, mount, samples in walks:
        found = outcome(samples)
        if found.state == calibration.DONE:
            assert found.mount == mount, name
        else:
            refused.append((name, found.reason))
    # One of them wears its sensor turned by 36 degrees about the leg.
    assert len(walks) >= 30 and len(refused) <= 1, refused
    assert all(reason == calibration.OBLIQUE for _, reason in refused)


def test_real_walks_reversed_in_time_are_refused(walks: list[tuple[str, str, np.ndarray]]) -> None:
    """Backward gait is close to forward gait reversed in time: acceleration reversed, angular velocity reversed and negated."""
    for name, _, samples in walks:
        found = outcome(samples[::-1] * np.array([1, 1, 1, -1, -1, -1]))
        assert (found.state, found.mount) == (calibration.FAILED, ""), name
        assert found.reason in (calibration.BACKWARD, calibration.OBLIQUE), name
