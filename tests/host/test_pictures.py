"""The pictures of firmware/GAIT.md: drawn from the engine's own events, sound SVG, and the page shows those that are there."""

import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "firmware" / "GAIT.md"
SCRIPT = ROOT / "tests" / "bench" / "pictures.py"
NAMES = ("strides", "direction", "feet", "ramp")
MOST_BYTES = 60_000


def draw(folder, hash_seed):
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    subprocess.run([sys.executable, str(SCRIPT), str(folder)], check=True, env=environment, capture_output=True)
    return {name: (folder / f"{name}.svg").read_bytes() for name in NAMES}


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    return draw(tmp_path_factory.mktemp("pictures"), "1")


def marks(picture):
    """How often each class stands in it, its words by class, and all of it as elements."""
    root = ElementTree.fromstring(picture)
    classes = Counter(word for element in root.iter() for word in element.get("class", "").split())
    words = {word: [e.text for e in root.iter() if word in e.get("class", "").split()] for word in classes}
    return classes, words


def test_the_same_engine_gives_the_same_bytes(drawn, tmp_path):
    assert draw(tmp_path, "2") == drawn


def test_a_stride_has_two_landings_each_credited_and_its_skew_changes_sign_with_direction(drawn):
    classes, words = marks(drawn["strides"])
    assert classes["swing"] >= 8
    assert 14 <= classes["landed"] <= 20 and 14 <= classes["credited"] <= 20
    walk, walk_backward, run, run_backward = (float(w.removeprefix("skew ").replace("−", "-")) for w in words["skew"])
    assert walk < -0.5 < run < -0.1 and run_backward > 0.1 and walk_backward > 0.5


def test_each_direction_is_told_once_and_its_lateness_is_written_beside_it(drawn):
    classes, words = marks(drawn["direction"])
    assert classes["truth"] == 5
    late = [float(w.removesuffix(" s late")) for w in words["lateness"]]
    assert len(late) == 4 and all(0 < s < 2.5 for s in late)
    assert words["mid"].count("forward") == 3 and words["mid"].count("backward") == 3


def test_every_step_told_is_joined_to_its_time_and_the_gate_pays_back(drawn):
    classes, words = marks(drawn["feet"])
    assert classes["credited"] == classes["late"] >= 6
    assert 2 <= classes["told"] < classes["late"]
    paid_back_s = float(re.search(r"told ([0-9.]+) s after", words["gate"][0])[1])
    assert 0.5 < paid_back_s < 4


def test_the_ramp_is_warned_of_and_stopped(drawn):
    classes, words = marks(drawn["ramp"])
    assert classes["warn"] == classes["stop"] == 1 and classes["limit"] == 2
    stop_s = float(re.search(r"stop, (-?[0-9.]+) s", " ".join(words["lateness"]))[1])
    assert -0.5 < stop_s <= 2.0


@pytest.mark.parametrize("name", NAMES)
def test_every_picture_says_that_it_is_synthetic_and_stands_on_a_light_sheet(drawn, name):
    text = drawn[name].decode()
    assert "synthetic" in text and 'fill="#fdfdfc"' in text and len(drawn[name]) < MOST_BYTES


def test_the_page_shows_the_pictures_that_are_there():
    shown = re.findall(r"!\[[^\]]{20,}\]\(pictures/([a-z]+)\.svg\)", PAGE.read_text())
    assert sorted(shown) == sorted(path.stem for path in (ROOT / "firmware" / "pictures").iterdir()) == sorted(NAMES)
    for name in shown:
        picture = (ROOT / "firmware" / "pictures" / f"{name}.svg").read_bytes()
        ElementTree.fromstring(picture)
        assert len(picture) < MOST_BYTES
    assert len(PAGE.read_text().splitlines()) < 80
