"""The engine has the code of the one detector that it needs, and changes it where the placement or the data ask for the other."""

import sys

from retrostep_core.codes import POCKET, SHANK
from retrostep_core.gait.engine import Engine
from retrostep_core.gait.limits import Limits
from support.gait_leg import Heard, Leg
from test_gait_memory import Deaf

SHANK_CODE = "retrostep_core.gait.shank"
WAIST_CODE = "retrostep_core.gait.waist"
UNMOUNTED_CODE = "retrostep_core.gait.unmounted"


def loaded(placement, mounted):
    """Which detectors' modules an engine loads that is made so."""
    kept = {}
    for name in (SHANK_CODE, WAIST_CODE, UNMOUNTED_CODE):
        kept[name] = sys.modules.pop(name, None)
    Engine(Deaf(), Limits(), placement, 0, mounted)
    found = [name for name in (SHANK_CODE, WAIST_CODE, UNMOUNTED_CODE) if name in sys.modules]
    for name in kept:
        if kept[name] is not None:
            sys.modules[name] = kept[name]
    return found


def test_only_the_detector_that_is_needed_is_loaded():
    assert loaded(SHANK, True) == [SHANK_CODE]
    assert loaded(POCKET, True) == [WAIST_CODE]
    assert loaded(SHANK, False) == [SHANK_CODE, UNMOUNTED_CODE]


def test_a_mount_that_is_found_brings_direction():
    heard = Heard()
    leg = Leg(Engine(heard, Limits(), SHANK, 0, False))
    leg.heard = heard
    leg.stand(3000)
    leg.walk(2300, 1100, False)
    assert leg.engine.totals.forward_steps == 0 and leg.engine.totals.unknown_steps >= 3
    leg.walk(20000, 1100, False)
    heard = leg.finish()
    assert leg.engine.totals.forward_steps > 36 and leg.engine.totals.unknown_steps < 4
    assert [step[0] for step in heard.steps] == sorted(set(step[0] for step in heard.steps))
